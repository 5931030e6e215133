"""Dialogues: nothing that was asked or answered is ever erased, and a stopped answer stays."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from engine.case.store import row_fields as fields
from engine.case.store.audit import user, utc_now
from engine.case.store.database import Row, Value
from engine.case.tables.repository import Changes, Repository

TurnState = Literal["answering", "complete", "cancelled", "interrupted", "failed", "facts"]
"""`answering` also after the worker died, until somebody opens the dialogue again."""

INCOMPLETE_REASONS: Mapping[str, str] = {
    "cancelled": "stopped by the examiner",
    "interrupted": "the engine process ended in the middle",
    "failed": "the model failed in the middle",
}
"""Why an answer is incomplete, in words, by state."""


@dataclass(frozen=True)
class NewDialogue:
    """A dialogue about a span.

    Attributes:
        evidence_id: the evidence.
        run_id: the run whose results it speaks of.
        derivation_id: the derivation that was current then.
        event_id: the event it is about; None for a span of the examiner's own.
        first_frame: index of its first frame.
        last_frame: index of its last frame, inclusive.
        start_pts: PTS of the first frame.
        end_pts: PTS of the last frame.
        start_s: stream time of the first frame.
        end_s: stream time of the last frame.
    """

    evidence_id: int
    run_id: int
    derivation_id: int | None
    event_id: int | None
    first_frame: int
    last_frame: int
    start_pts: int
    end_pts: int
    start_s: float
    end_s: float


@dataclass(frozen=True)
class DialogueRow:
    """A stored dialogue; `about` is as it was added."""

    id: int
    about: NewDialogue
    author: str
    utc: str


@dataclass(frozen=True)
class NewTurn:
    """A question that is to be answered.

    Attributes:
        question: the examiner's words.
        facts: what was computed from the case, of JSON's types.
        settings: everything that decided the answer, of JSON's types.
        pack: name of the pack; None without a language model.
        pack_sha256: of its manifest.
        runtime: name of the runtime that answers.
        missing: why there is no language model; None when there is one or none is needed.
        state: `answering`, or `facts` when only facts were asked for.
    """

    question: str
    facts: tuple[Mapping[str, Any], ...]
    settings: Mapping[str, Any]
    pack: str | None = None
    pack_sha256: str | None = None
    runtime: str | None = None
    missing: str | None = None
    state: TurnState = "answering"


@dataclass(frozen=True, kw_only=True)
class TurnRow(NewTurn):
    """A stored turn; its answer is always written by a machine, its `state` is the present one.

    Attributes:
        id: per case, from 1.
        dialogue_id: the dialogue.
        number: within the dialogue, from 1.
        answer: what the model wrote so far; None without a model.
        tokens: of the answer.
        first_token_s: seconds from question to first token.
        tokens_per_s: after the first.
        agrees: whether a yes or no agrees with the calibrated heatmap; None when it says neither.
        dropped_turns: number of oldest turns that did not fit into the model's context any more.
        author: who asked.
        utc: when, ISO.
    """

    id: int
    dialogue_id: int
    number: int
    answer: str | None
    tokens: int
    first_token_s: float | None
    tokens_per_s: float | None
    agrees: bool | None
    dropped_turns: int
    author: str
    utc: str


@dataclass(frozen=True)
class NewCitation:
    """Frames that a turn rests on.

    Attributes:
        evidence_id: the evidence.
        start_s: stream time of the first frame.
        end_s: stream time of the last frame.
        start_pts: PTS of the first frame.
        end_pts: PTS of the last frame.
        trajectory_id: the trajectory whose facts the answer states; None for the span itself.
    """

    evidence_id: int
    start_s: float
    end_s: float
    start_pts: int
    end_pts: int
    trajectory_id: int | None = None


@dataclass(frozen=True)
class CitationRow:
    """A stored citation; `citation` is as it was added."""

    id: int
    turn_id: int
    citation: NewCitation


@dataclass(frozen=True)
class TurnAnswer:
    """The answer to a turn, or as much of it as there is.

    Attributes:
        state: the turn's state from now on.
        text: what the model wrote so far; None without a model.
        tokens: of the answer.
        first_token_s: seconds from question to first token.
        tokens_per_s: after the first.
        agrees: whether its yes or no agrees with the heatmap.
        dropped_turns: number of oldest turns that did not fit into the model's context any more.
    """

    state: TurnState
    text: str | None
    tokens: int = 0
    first_token_s: float | None = None
    tokens_per_s: float | None = None
    agrees: bool | None = None
    dropped_turns: int = 0


class DialogueRepository(Repository):
    """Reads dialogues, their turns and citations."""

    def of_evidence(self, evidence_id: int) -> tuple[DialogueRow, ...]:
        """Returns the dialogues about a piece of evidence, oldest first."""
        sql = "SELECT * FROM dialogue WHERE evidence_id = ? ORDER BY id"
        return tuple(map(self._dialogue, self._database.rows(sql, [evidence_id])))

    def find(self, about: NewDialogue) -> DialogueRow | None:
        """Returns the newest dialogue about the same span of the same results."""
        sql = (
            "SELECT * FROM dialogue WHERE run_id = ? AND first_frame = ? AND last_frame = ? "
            "AND derivation_id IS ? AND event_id IS ? ORDER BY id DESC LIMIT 1"
        )
        values: list[Value] = [
            about.run_id, about.first_frame, about.last_frame, about.derivation_id, about.event_id,
        ]  # fmt: skip
        row = self._database.row(sql, values)
        return None if row is None else self._dialogue(row)

    def turns(self, dialogue_id: int) -> tuple[TurnRow, ...]:
        """Returns the turns of a dialogue in order."""
        sql = "SELECT * FROM turn WHERE dialogue_id = ? ORDER BY number"
        return tuple(map(self._turn, self._database.rows(sql, [dialogue_id])))

    def turn(self, turn_id: int) -> TurnRow:
        """Returns a turn.

        Raises:
            BadInputError: the case has none with this id.
        """
        return self._turn(self._require_row("turn", turn_id, "list the turns of the dialogue"))

    def citations(self, turn_id: int) -> tuple[CitationRow, ...]:
        """Returns what a turn rests on, in the order in which it was attached."""
        sql = "SELECT * FROM citation WHERE turn_id = ? ORDER BY id"
        rows = self._database.rows(sql, [turn_id])
        with fields.decoding(self._database, "citation"):
            return tuple(
                CitationRow(
                    fields.integer(row, "id"),
                    fields.integer(row, "turn_id"),
                    NewCitation(
                        fields.integer(row, "evidence_id"),
                        fields.real(row, "start_s"),
                        fields.real(row, "end_s"),
                        fields.integer(row, "start_pts"),
                        fields.integer(row, "end_pts"),
                        fields.integer_or_none(row, "trajectory_id"),
                    ),
                )
                for row in rows
            )

    def _dialogue(self, row: Row) -> DialogueRow:
        with fields.decoding(self._database, "dialogue"):
            about = NewDialogue(
                evidence_id=fields.integer(row, "evidence_id"),
                run_id=fields.integer(row, "run_id"),
                derivation_id=fields.integer_or_none(row, "derivation_id"),
                event_id=fields.integer_or_none(row, "event_id"),
                first_frame=fields.integer(row, "first_frame"),
                last_frame=fields.integer(row, "last_frame"),
                start_pts=fields.integer(row, "start_pts"),
                end_pts=fields.integer(row, "end_pts"),
                start_s=fields.real(row, "start_s"),
                end_s=fields.real(row, "end_s"),
            )
            return DialogueRow(
                fields.integer(row, "id"), about,
                fields.text(row, "author"), fields.text(row, "utc"),
            )  # fmt: skip

    def _turn(self, row: Row) -> TurnRow:
        with fields.decoding(self._database, "turn"):
            agrees = fields.integer_or_none(row, "agrees")
            return TurnRow(
                id=fields.integer(row, "id"),
                dialogue_id=fields.integer(row, "dialogue_id"),
                number=fields.integer(row, "number"),
                question=fields.text(row, "question"),
                facts=tuple(dict(fact) for fact in fields.items(row, "facts")),
                settings=dict(json.loads(fields.text(row, "settings"))),
                pack=fields.text_or_none(row, "pack"),
                pack_sha256=fields.text_or_none(row, "pack_sha256"),
                runtime=fields.text_or_none(row, "runtime"),
                missing=fields.text_or_none(row, "missing"),
                state=_check_state(fields.text(row, "state")),
                answer=fields.text_or_none(row, "answer"),
                tokens=fields.integer(row, "tokens"),
                first_token_s=fields.real_or_none(row, "first_token_s"),
                tokens_per_s=fields.real_or_none(row, "tokens_per_s"),
                agrees=None if agrees is None else bool(agrees),
                dropped_turns=fields.integer(row, "dropped_turns"),
                author=fields.text(row, "author"),
                utc=fields.text(row, "utc"),
            )


class DialogueChanges(Changes, DialogueRepository):
    """Adds dialogues and turns."""

    def add(self, about: NewDialogue) -> int:
        """Begins a dialogue and returns its id."""
        row: dict[str, Value] = {
            **about.__dict__,
            "start_s": fields.to_real(about.start_s),
            "end_s": fields.to_real(about.end_s),
            "author": user(),
            "utc": utc_now(),
        }
        row_id = self._journal.insert("dialogue", row)
        params = {"event_id": about.event_id, "start_s": about.start_s, "end_s": about.end_s}
        self._journal.record("dialogue.begin", f"dialogue:{row_id}", params)
        return row_id

    def ask(self, dialogue_id: int, new: NewTurn) -> int:
        """Adds a turn before its answer is known, and returns its id."""
        number = 1 + max((turn.number for turn in self.turns(dialogue_id)), default=0)
        row: dict[str, Value] = {
            "dialogue_id": dialogue_id,
            "number": number,
            "question": new.question,
            "answer": None if new.pack is None else "",
            "state": new.state,
            "facts": fields.to_json([dict(fact) for fact in new.facts]),
            "missing": new.missing,
            "pack": new.pack,
            "pack_sha256": new.pack_sha256,
            "runtime": new.runtime,
            "settings": fields.to_json(dict(new.settings)),
            "tokens": 0,
            "dropped_turns": 0,
            "machine_written": 1,
            "author": user(),
            "utc": utc_now(),
        }
        row_id = self._journal.insert("turn", row)
        params = {"dialogue_id": dialogue_id, "question": new.question, "pack": new.pack}
        self._journal.record("turn.ask", f"turn:{row_id}", params)
        return row_id

    def answer(self, turn_id: int, answer: TurnAnswer) -> None:
        """Stores an answer, or as much of it as there is.

        Raises:
            BadInputError: there is no such turn.
        """
        self.turn(turn_id)
        row: dict[str, Value] = {
            "answer": answer.text,
            "state": answer.state,
            "tokens": answer.tokens,
            "first_token_s": fields.to_real_or_none(answer.first_token_s),
            "tokens_per_s": fields.to_real_or_none(answer.tokens_per_s),
            "agrees": None if answer.agrees is None else int(answer.agrees),
            "dropped_turns": answer.dropped_turns,
        }
        self._journal.update("turn", turn_id, row)
        self._journal.record(f"turn.{answer.state}", f"turn:{turn_id}", {"tokens": answer.tokens})

    def cite(self, turn_id: int, citations: Iterable[NewCitation]) -> None:
        """Attaches what a turn rests on."""
        for citation in citations:
            row: dict[str, Value] = {
                **citation.__dict__,
                "turn_id": turn_id,
                "start_s": fields.to_real(citation.start_s),
                "end_s": fields.to_real(citation.end_s),
            }
            row_id = self._journal.insert("citation", row)
            self._journal.record("turn.cite", f"citation:{row_id}", {"turn_id": turn_id})

    def close_interrupted(self, dialogue_id: int) -> int:
        """Marks answers that a dead worker did not finish; returns how many there were."""
        turns = [turn for turn in self.turns(dialogue_id) if turn.state == "answering"]
        for turn in turns:
            self._journal.update("turn", turn.id, {"state": "interrupted"})
            self._journal.record("turn.interrupted", f"turn:{turn.id}", {"tokens": turn.tokens})
        return len(turns)


def _check_state(word: str) -> TurnState:
    if word not in get_args(TurnState):
        raise ValueError(f"unknown state {word}")
    return cast("TurnState", word)
