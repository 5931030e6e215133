"""A conversation with a language model about one piece of evidence.

The model reads the dialogue inputs once and keeps them in its memory; a question adds its own
tokens. A generated answer is dropped from that memory and read again as text with the next
question, so that a conversation that goes on and one that is restored from the case read the same
tokens.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.core.errors import BadInputError
from engine.core.progress import CancelToken
from engine.dialogue.chat_format import MAX_POSITIONS, answer_parts, question_parts, turn_parts
from engine.tvad.language.runtime import Part, Runtime, Sampling

TokenCallback = Callable[[str], None]
"""A function that is called with every piece of text of an answer as soon as it is generated."""


@dataclass(frozen=True)
class GeneratedAnswer:
    """The answer that a language model generated, and how fast.

    Attributes:
        text: the answer, or as much of it as was generated.
        complete: False when the generation was stopped.
        tokens: number of tokens in the answer.
        first_token_s: seconds from the question to the first token; None when there was none.
        tokens_per_s: rate after the first token; None with fewer than two.
        dropped_turns: number of the oldest turns that did not fit the context and were left out.
    """

    text: str
    complete: bool
    tokens: int
    first_token_s: float | None
    tokens_per_s: float | None
    dropped_turns: int


@dataclass(frozen=True)
class _ReadState:
    """What the model has read: everything to the end of the last question, before its answer.

    Attributes:
        dropped: number of the oldest turns that were left out.
        turns: number of turns, the last question included.
        position: number of tokens read.
    """

    dropped: int
    turns: int
    position: int


class Conversation:
    """Questions and answers about one piece of evidence.

    Args:
        runtime: a loaded language model.
        inputs: the dialogue inputs, which precede every question.

    Raises:
        BadInputError: the inputs take more than `MAX_POSITIONS`, or do not fit the model.
    """

    def __init__(
        self,
        runtime: Runtime,
        inputs: Sequence[Part],
        cancel: CancelToken | None = None,
    ) -> None:
        self._runtime = runtime
        self._turns: list[tuple[str, str]] = []
        count = sum(runtime.count(part) for part in inputs)
        if count > MAX_POSITIONS:
            raise BadInputError(
                f"evidence of {count} positions", "", f"use a pack with at most {MAX_POSITIONS}"
            )
        runtime.rewind(0)
        runtime.feed(inputs, cancel)
        self._prefix = runtime.position
        self._read: _ReadState | None = None

    @property
    def turns(self) -> tuple[tuple[str, str], ...]:
        """Questions and answers so far."""
        return tuple(self._turns)

    def restart_with(self, turns: Sequence[tuple[str, str]] = ()) -> None:
        """Replaces the turns so far; what the model read is kept where the turns are the same."""
        if list(turns) != self._turns:
            self._turns = list(turns)
            self._read = None

    def ask(
        self,
        question: str,
        sampling: Sampling,
        on_token: TokenCallback | None = None,
        cancel: CancelToken | None = None,
    ) -> GeneratedAnswer:
        """Asks a question; of an answer that is stopped, what was generated so far is kept.

        Raises:
            BadInputError: the question alone does not fit the model's context.
            CancelledError: it was stopped before the model had read the question.
        """
        started = time.monotonic()
        dropped = self._count_dropped_turns(question, sampling)
        self._feed(question, dropped, cancel)
        pieces: list[str] = []
        first = last = None
        for piece in self._runtime.generate(sampling, cancel):
            last = time.monotonic()
            first = first or last
            pieces.append(piece)
            if on_token is not None and piece:
                on_token(piece)
        complete = cancel is None or not cancel.cancelled
        text = "".join(pieces).strip()
        self._turns.append((question, text))
        rate = None
        if first is not None and last is not None and last > first:
            rate = (len(pieces) - 1) / (last - first)
        delay = None if first is None else first - started
        return GeneratedAnswer(text, complete, len(pieces), delay, rate, dropped)

    def _feed(self, question: str, dropped: int, cancel: CancelToken | None) -> None:
        """Lets the model read a question, after those turns that it has not read yet."""
        read, self._read = self._read, None
        if read is not None and (read.dropped, read.turns) == (dropped, len(self._turns)):
            self._runtime.rewind(read.position)
            parts = [*answer_parts(self._turns[-1][1]), *question_parts(question, first=False)]
        else:
            self._runtime.rewind(self._prefix)
            turns = self._turns[dropped:]
            parts = [*turn_parts(turns), *question_parts(question, first=not turns)]
        self._runtime.feed(parts, cancel)
        self._read = _ReadState(dropped, len(self._turns) + 1, self._runtime.position)

    def _count_dropped_turns(self, question: str, sampling: Sampling) -> int:
        """Returns how many of the oldest turns do not fit the context beside the question."""
        room = self._runtime.context - self._prefix - sampling.max_tokens
        for dropped in range(len(self._turns) + 1):
            turns = self._turns[dropped:]
            parts = [*turn_parts(turns), *question_parts(question, first=not turns)]
            if sum(self._runtime.count(part) for part in parts) <= room:
                return dropped
        raise BadInputError(
            "a question that does not fit the model's context", "", "ask something shorter"
        )
