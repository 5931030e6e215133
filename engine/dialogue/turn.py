"""One turn on its way into the case: what was asked, the facts, what the model says."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from engine.case import Case, EvidenceRow, NewDialogue, NewTurn, RunRow, TrajectoryRow
from engine.case.tables.dialogues import Answer
from engine.core.errors import CancelledError
from engine.core.progress import CancelToken
from engine.core.times import Span
from engine.dialogue.citations import agreement, citations_of
from engine.dialogue.facts import AskedSpan, Fact
from engine.dialogue.model_cache import ModelShelf
from engine.dialogue.span_evidence import leading_channel, peak_score
from engine.media import Source
from engine.tvad.language.runtime import Sampling

_KEEP_EVERY_S = 2.0

Heard = Callable[[str], None]


@dataclass(frozen=True)
class AskRequest:
    """What is asked.

    Attributes:
        question: as typed.
        evidence_id: None takes the only evidence, or that of the event.
        event_id: the event that is asked about.
        span: of stream time; with neither, the strongest event of the current run.
        facts_only: leaves the language model out.
        pack: name of a pack, or a folder.
        runtime: `auto`, `transformers` or `llama.cpp`.
        sampling: how the answer is drawn.
        fresh: begins a new dialogue instead of going on with the one about this span.
    """

    question: str
    evidence_id: int | None = None
    event_id: int | None = None
    span: Span | None = None
    facts_only: bool = False
    pack: str = "compact"
    runtime: str = "auto"
    sampling: Sampling = field(default_factory=Sampling)
    fresh: bool = False


@dataclass(frozen=True)
class Subject:
    """What is asked about: evidence, the run that speaks of it, and the span."""

    evidence: EvidenceRow
    run: RunRow
    span: AskedSpan


class Turn:
    """One turn on its way into the case."""

    def __init__(
        self,
        case: Case,
        request: AskRequest,
        question: str,
        subject: Subject,
        trajectories: list[TrajectoryRow],
        facts: list[Fact],
        source: Source,
    ) -> None:
        self._case = case
        self._request = request
        self._question = question
        self._subject = subject
        self._trajectories = trajectories
        self._facts = facts
        self._source = source

    def facts_only(self, missing: str | None) -> dict[str, Any]:
        """Keeps a turn without an answer."""
        turn_id, dialogue_id = self._begin(None, None, missing, "facts")
        self._cite(turn_id, None)
        return self._json(turn_id, dialogue_id, Answer("facts", None), missing)

    def answered(
        self,
        shelf: ModelShelf,
        model: Any,  # noqa: ANN401
        conversation: Any,  # noqa: ANN401
        heard: Heard | None,
        cancel: CancelToken | None,
    ) -> dict[str, Any]:
        """Lets the model speak and keeps what it says while it says it."""
        said_pack = shelf.pack_said(self._request.pack)
        turn_id, dialogue_id = self._begin(said_pack, model.runtime.name, None, "answering")
        conversation.restart_with(self._earlier(dialogue_id))
        kept = _Keeping(self._case, turn_id, heard)
        try:
            said = conversation.ask(self._question, self._request.sampling, kept, cancel)
        except CancelledError:
            self._write(turn_id, Answer("cancelled", kept.text, kept.tokens))
            raise
        except BaseException:
            self._write(turn_id, Answer("failed", kept.text, kept.tokens))
            raise
        peak = self._peak()
        answer = Answer(
            "complete" if said.complete else "cancelled",
            said.text,
            said.tokens,
            said.first_token_s,
            said.tokens_per_s,
            agreement(said.text, peak, self._trajectories) if said.complete else None,
            said.dropped_turns,
        )
        self._write(turn_id, answer)
        self._cite(turn_id, said.text)
        return self._json(turn_id, dialogue_id, answer, None)

    def _peak(self) -> float:
        run, span = self._subject.run, self._subject.span
        return peak_score(self._case, run, leading_channel(self._case, run), span.first, span.last)

    def _begin(
        self,
        pack: tuple[str, str] | None,
        runtime: str | None,
        missing: str | None,
        state: Any,  # noqa: ANN401
    ) -> tuple[int, int]:
        request, about = self._request, self._about()
        settings = {
            "sampling": {
                "most": request.sampling.most,
                "seed": request.sampling.seed,
                "temperature": None if request.sampling.seed is None
                else request.sampling.temperature,
            },
            "channel": leading_channel(self._case, self._subject.run),
            "span": [self._subject.span.first, self._subject.span.last],
        }  # fmt: skip
        new = NewTurn(
            question=self._question,
            facts=tuple(one.as_json() for one in self._facts),
            settings=settings,
            pack=None if pack is None else pack[0],
            pack_sha256=None if pack is None else pack[1],
            runtime=runtime,
            missing=missing,
            state=state,
        )
        with self._case.change() as change:
            found = None if request.fresh else change.dialogues.find(about)
            dialogue_id = change.dialogues.add(about) if found is None else found.id
            change.dialogues.close_interrupted(dialogue_id)
            return change.dialogues.ask(dialogue_id, new), dialogue_id

    def _about(self) -> NewDialogue:
        subject, index = self._subject, self._source.index
        span = subject.span
        derivation = self._case.results.current(subject.run.id)
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

    def _earlier(self, dialogue_id: int) -> list[tuple[str, str]]:
        """Returns what was asked and fully answered before, oldest first."""
        return [
            (one.said.question, one.answer)
            for one in self._case.dialogues.turns(dialogue_id)
            if one.said.state == "complete" and one.answer
        ]

    def _write(self, turn_id: int, answer: Answer) -> None:
        with self._case.change() as change:
            change.dialogues.answer(turn_id, answer)

    def _cite(self, turn_id: int, answer: str | None) -> None:
        subject = self._subject
        cited = citations_of(
            answer, subject.evidence, subject.span, self._trajectories, self._source.index
        )
        with self._case.change() as change:
            change.dialogues.cite(turn_id, cited)

    def _json(
        self, turn_id: int, dialogue_id: int, answer: Answer, missing: str | None
    ) -> dict[str, Any]:
        said = self._case.dialogues.turn(turn_id).said
        return {
            "answer": answer.text,
            "turn_id": turn_id,
            "dialogue_id": dialogue_id,
            "state": answer.state,
            "pack": said.pack,
            "runtime": said.runtime,
            "tokens": answer.tokens,
            "first_token_s": answer.first_token_s,
            "tokens_per_s": answer.tokens_per_s,
            "agrees_with_heatmap": answer.agrees,
            "machine_written": True,
            "missing": missing,
            "dropped_turns": answer.dropped_turns,
            "citations": [
                {
                    "evidence_id": one.cited.evidence_id,
                    "start_s": one.cited.start_s,
                    "end_s": one.cited.end_s,
                    "trajectory_id": one.cited.trajectory_id,
                }
                for one in self._case.dialogues.citations(turn_id)
            ],
            "facts": [one.as_json() for one in self._facts],
        }


class _Keeping:
    """Hears pieces, passes them on, and writes them down every other second."""

    def __init__(self, case: Case, turn_id: int, heard: Heard | None) -> None:
        self._case = case
        self._turn_id = turn_id
        self._heard = heard
        self._next = time.monotonic() + _KEEP_EVERY_S
        self._pieces: list[str] = []

    @property
    def text(self) -> str:
        """What was said so far."""
        return "".join(self._pieces).strip()

    @property
    def tokens(self) -> int:
        """Pieces heard."""
        return len(self._pieces)

    def __call__(self, piece: str) -> None:
        self._pieces.append(piece)
        if self._heard is not None:
            self._heard(piece)
        if time.monotonic() >= self._next:
            with self._case.change() as change:
                change.dialogues.answer(self._turn_id, Answer("answering", self.text, self.tokens))
            self._next = time.monotonic() + _KEEP_EVERY_S
