"""One turn of a dialogue, stored in the case while it comes about: question, facts, answer."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from engine.case import Case, EvidenceRow, NewDialogue, NewTurn, RunRow, TrajectoryRow
from engine.case.tables.dialogues import TurnAnswer
from engine.core.errors import CancelledError
from engine.core.progress import CancelToken
from engine.core.times import Span
from engine.dialogue.citations import agreement, citations_of
from engine.dialogue.conversation import TokenCallback
from engine.dialogue.facts import DialogueSpan, Fact
from engine.dialogue.span_results import dialogue_channel, peak_score
from engine.media import Source
from engine.packs import DEFAULT_PACK
from engine.packs.pack import Pack
from engine.tvad.language.runtime import Sampling

_STORE_INTERVAL_S = 2.0
"""Seconds of an answer that a killed worker may lose; a choice, each store is one transaction."""


@dataclass(frozen=True)
class AskRequest:
    """A question and what it is about.

    Attributes:
        question: as the examiner typed it.
        evidence_id: None takes the only evidence of the case, or that of the event.
        event_id: the event that the question is about.
        span: of stream time; with neither, the strongest event of the current run is taken.
        facts_only: leaves the language model out.
        pack: name of a pack, or a folder.
        runtime: `auto`, `transformers` or `llama.cpp`.
        sampling: how the tokens of the answer are drawn.
        fresh: begins a new dialogue instead of continuing the one about this span.
    """

    question: str
    evidence_id: int | None = None
    event_id: int | None = None
    span: Span | None = None
    facts_only: bool = False
    pack: str = DEFAULT_PACK
    runtime: str = "auto"
    sampling: Sampling = field(default_factory=Sampling)
    fresh: bool = False


@dataclass(frozen=True)
class DialogueSubject:
    """What a question is about: evidence, the run whose results are used, and the span."""

    evidence: EvidenceRow
    run: RunRow
    span: DialogueSpan


@dataclass(frozen=True, eq=False)
class TurnRecorder:
    """Stores one turn: its question and facts first, then its answer and citations.

    Attributes:
        case: open for writing.
        request: the question and what it is about, as it came.
        question: the question without control characters.
        subject: the evidence, run and span that it is about.
        trajectories: the trajectories of the span.
        facts: the facts about the span.
        source: the evidence.
    """

    case: Case
    request: AskRequest
    question: str
    subject: DialogueSubject
    trajectories: list[TrajectoryRow]
    facts: list[Fact]
    source: Source

    def record_facts(self, missing: str | None) -> dict[str, Any]:
        """Stores a turn without an answer.

        Args:
            missing: why no language model answered; None when none was asked.

        Returns:
            The turn as `ask --json` prints it.
        """
        turn_id, dialogue_id = self._begin(None, None, missing, "facts")
        self._cite(turn_id, None)
        return self._json(turn_id, dialogue_id, TurnAnswer("facts", None), missing)

    def record_answer(
        self,
        pack: Pack,
        model: Any,  # noqa: ANN401
        conversation: Any,  # noqa: ANN401
        on_token: TokenCallback | None,
        cancel: CancelToken | None,
    ) -> dict[str, Any]:
        """Lets the language model answer, and stores the answer while it is generated.

        Returns:
            The turn as `ask --json` prints it.
        """
        turn_id, dialogue_id = self._begin(pack, model.runtime.name, None, "answering")
        conversation.restart_with(self._earlier_turns(dialogue_id))
        partial = _PartialAnswer(self.case, turn_id, on_token)
        try:
            generated = conversation.ask(self.question, self.request.sampling, partial, cancel)
        except CancelledError:
            self._store_answer(turn_id, TurnAnswer("cancelled", partial.text, partial.tokens))
            raise
        except BaseException:
            self._store_answer(turn_id, TurnAnswer("failed", partial.text, partial.tokens))
            raise
        peak = self._peak()
        answer = TurnAnswer(
            "complete" if generated.complete else "cancelled",
            generated.text,
            generated.tokens,
            generated.first_token_s,
            generated.tokens_per_s,
            agreement(generated.text, peak, self.trajectories) if generated.complete else None,
            generated.dropped_turns,
        )
        self._store_answer(turn_id, answer)
        self._cite(turn_id, generated.text)
        return self._json(turn_id, dialogue_id, answer, None)

    def _peak(self) -> float:
        run, span = self.subject.run, self.subject.span
        return peak_score(self.case, run, dialogue_channel(self.case, run), span.first, span.last)

    def _begin(
        self,
        pack: Pack | None,
        runtime: str | None,
        missing: str | None,
        state: Any,  # noqa: ANN401
    ) -> tuple[int, int]:
        request, about = self.request, self._about()
        settings = {
            "sampling": {
                "most": request.sampling.max_tokens,
                "seed": request.sampling.seed,
                "temperature": None if request.sampling.seed is None
                else request.sampling.temperature,
            },
            "channel": dialogue_channel(self.case, self.subject.run),
            "span": [self.subject.span.first, self.subject.span.last],
        }  # fmt: skip
        new = NewTurn(
            question=self.question,
            facts=tuple(fact.as_json() for fact in self.facts),
            settings=settings,
            pack=None if pack is None else pack.name,
            pack_sha256=None if pack is None else pack.manifest_sha256,
            runtime=runtime,
            missing=missing,
            state=state,
        )
        with self.case.change() as change:
            dialogue = None if request.fresh else change.dialogues.find(about)
            dialogue_id = change.dialogues.add(about) if dialogue is None else dialogue.id
            change.dialogues.close_interrupted(dialogue_id)
            return change.dialogues.ask(dialogue_id, new), dialogue_id

    def _about(self) -> NewDialogue:
        subject, index = self.subject, self.source.index
        span = subject.span
        derivation = self.case.results.current(subject.run.id)
        return NewDialogue(
            evidence_id=subject.evidence.id,
            run_id=subject.run.id,
            derivation_id=None if derivation is None else derivation.id,
            event_id=None if span.event is None else span.event.id,
            first_frame=span.first,
            last_frame=span.last,
            start_pts=int(index.pts[span.first]),
            end_pts=int(index.pts[span.last]),
            start_s=span.start_s,
            end_s=span.end_s,
        )

    def _earlier_turns(self, dialogue_id: int) -> list[tuple[str, str]]:
        """Returns the questions that were answered completely before, oldest first."""
        return [
            (turn.question, turn.answer)
            for turn in self.case.dialogues.turns(dialogue_id)
            if turn.state == "complete" and turn.answer
        ]

    def _store_answer(self, turn_id: int, answer: TurnAnswer) -> None:
        with self.case.change() as change:
            change.dialogues.answer(turn_id, answer)

    def _cite(self, turn_id: int, answer: str | None) -> None:
        subject = self.subject
        citations = citations_of(
            answer, subject.evidence, subject.span, self.trajectories, self.source.index
        )
        with self.case.change() as change:
            change.dialogues.cite(turn_id, citations)

    def _json(
        self, turn_id: int, dialogue_id: int, answer: TurnAnswer, missing: str | None
    ) -> dict[str, Any]:
        turn = self.case.dialogues.turn(turn_id)
        return {
            "answer": answer.text,
            "turn_id": turn_id,
            "dialogue_id": dialogue_id,
            "state": answer.state,
            "pack": turn.pack,
            "runtime": turn.runtime,
            "tokens": answer.tokens,
            "first_token_s": answer.first_token_s,
            "tokens_per_s": answer.tokens_per_s,
            "agrees_with_heatmap": answer.agrees,
            "machine_written": True,
            "missing": missing,
            "dropped_turns": answer.dropped_turns,
            "citations": [
                {
                    "evidence_id": row.citation.evidence_id,
                    "start_s": row.citation.start_s,
                    "end_s": row.citation.end_s,
                    "trajectory_id": row.citation.trajectory_id,
                }
                for row in self.case.dialogues.citations(turn_id)
            ],
            "facts": [fact.as_json() for fact in self.facts],
        }


class _PartialAnswer:
    """Collects the pieces of an answer, passes them on, and stores them at intervals."""

    def __init__(self, case: Case, turn_id: int, on_token: TokenCallback | None) -> None:
        self._case = case
        self._turn_id = turn_id
        self._on_token = on_token
        self._next_store_s = time.monotonic() + _STORE_INTERVAL_S
        self._pieces: list[str] = []

    @property
    def text(self) -> str:
        """What was generated so far."""
        return "".join(self._pieces).strip()

    @property
    def tokens(self) -> int:
        """The number of pieces so far."""
        return len(self._pieces)

    def __call__(self, piece: str) -> None:
        self._pieces.append(piece)
        if self._on_token is not None:
            self._on_token(piece)
        if time.monotonic() >= self._next_store_s:
            answer = TurnAnswer("answering", self.text, self.tokens)
            with self._case.change() as change:
                change.dialogues.answer(self._turn_id, answer)
            self._next_store_s = time.monotonic() + _STORE_INTERVAL_S
