"""A conversation with a language model about one piece of evidence.

The evidence is read once and stays in the model's memory; a question adds its own tokens. What was
generated is forgotten and read again as text with the next question, so that a conversation that
goes on and one that is taken up from the case read the same tokens.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.core.errors import BadInputError
from engine.core.progress import CancelToken
from engine.dialogue.chat_format import MOST_EVIDENCE, answer_parts, question_parts, turn_parts
from engine.tvad.language.runtime import Part, Runtime, Sampling

Heard = Callable[[str], None]
"""Called with every piece of an answer as it comes."""


@dataclass(frozen=True)
class Answered:
    """What a model said.

    Attributes:
        text: the answer, or as much of it as there is.
        complete: False when it was stopped.
        tokens: of the answer.
        first_token_s: from the question to the first token; None when there was none.
        tokens_per_s: after the first; None with fewer than two.
        dropped_turns: oldest turns that were left out, because the context had no room for them.
    """

    text: str
    complete: bool
    tokens: int
    first_token_s: float | None
    tokens_per_s: float | None
    dropped_turns: int


@dataclass(frozen=True)
class _Read:
    """How far the model has read: up to the end of the last question, before its answer."""

    dropped: int
    turns: int
    position: int


class Conversation:
    """Turns about one piece of evidence.

    Args:
        runtime: a loaded language model.
        evidence: what stands before every question.
        turns: questions and answers so far, oldest first.

    Raises:
        BadInputError: the evidence takes more than `MOST_EVIDENCE` positions, or does not fit
            the model.
    """

    def __init__(
        self,
        runtime: Runtime,
        evidence: Sequence[Part],
        turns: Sequence[tuple[str, str]] = (),
        cancel: CancelToken | None = None,
    ) -> None:
        self._runtime = runtime
        self._turns = list(turns)
        count = sum(runtime.count(part) for part in evidence)
        if count > MOST_EVIDENCE:
            raise BadInputError(
                f"evidence of {count} positions", "", f"use a pack with at most {MOST_EVIDENCE}"
            )
        started = time.monotonic()
        runtime.rewind(0)
        runtime.feed(evidence, cancel)
        self.prefix_s = time.monotonic() - started
        self._prefix = runtime.position
        self._read: _Read | None = None

    @property
    def turns(self) -> tuple[tuple[str, str], ...]:
        """Questions and answers so far."""
        return tuple(self._turns)

    def restart_with(self, turns: Sequence[tuple[str, str]] = ()) -> None:
        """Takes these turns for those so far; the evidence stays, and what was read of them."""
        if list(turns) != self._turns:
            self._turns = list(turns)
            self._read = None

    def ask(
        self,
        question: str,
        sampling: Sampling,
        heard: Heard | None = None,
        cancel: CancelToken | None = None,
    ) -> Answered:
        """Asks a question; a stopped answer is kept as far as it came.

        Raises:
            BadInputError: the question alone does not fit the model's context.
            CancelledError: it was stopped before the model had read the question.
        """
        started = time.monotonic()
        dropped = self._dropped(question, sampling)
        self._feed(question, dropped, cancel)
        pieces: list[str] = []
        first = last = None
        for piece in self._runtime.generate(sampling, cancel):
            last = time.monotonic()
            first = first or last
            pieces.append(piece)
            if heard is not None and piece:
                heard(piece)
        complete = cancel is None or not cancel.cancelled
        text = "".join(pieces).strip()
        self._turns.append((question, text))
        rate = None
        if first is not None and last is not None and last > first:
            rate = (len(pieces) - 1) / (last - first)
        waited = None if first is None else first - started
        return Answered(text, complete, len(pieces), waited, rate, dropped)

    def _feed(self, question: str, dropped: int, cancel: CancelToken | None) -> None:
        """Reads a question, and before it what the model has not read yet."""
        read, self._read = self._read, None
        if read is not None and (read.dropped, read.turns) == (dropped, len(self._turns)):
            self._runtime.rewind(read.position)
            parts = [*answer_parts(self._turns[-1][1]), *question_parts(question, first=False)]
        else:
            self._runtime.rewind(self._prefix)
            kept = self._turns[dropped:]
            parts = [*turn_parts(kept), *question_parts(question, first=not kept)]
        self._runtime.feed(parts, cancel)
        self._read = _Read(dropped, len(self._turns) + 1, self._runtime.position)

    def _dropped(self, question: str, sampling: Sampling) -> int:
        """Counts the oldest turns for which there is no room."""
        room = self._runtime.context - self._prefix - sampling.most
        for dropped in range(len(self._turns) + 1):
            kept = self._turns[dropped:]
            parts = [*turn_parts(kept), *question_parts(question, first=not kept)]
            if sum(self._runtime.count(part) for part in parts) <= room:
                return dropped
        raise BadInputError(
            "a question that does not fit the model's context", "", "ask something shorter"
        )
