"""Dialogues: nothing that was asked or answered is ever erased, and a stopped answer stays."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from engine.case.store import row_fields as fields
from engine.case.store.audit import user, utc_now
from engine.case.store.database import Database, Row, Value
from engine.case.store.journal import Journal
from engine.case.tables.dialogue_rows import (
    CitationRow,
    DialogueRow,
    NewCitation,
    NewDialogue,
    NewTurn,
    TurnRow,
    TurnState,
)
from engine.core.errors import BadInputError

_STATES = ("answering", "complete", "cancelled", "interrupted", "failed", "facts")


@dataclass(frozen=True)
class Answer:
    """What came of a turn.

    Attributes:
        state: the turn's state from now on.
        text: what the model said so far; None without a model.
        tokens: of the answer.
        first_token_s: seconds from question to first token.
        tokens_per_s: after the first.
        agrees: whether its yes or no agrees with the heatmap.
        dropped_turns: oldest turns that the model was not told any more.
    """

    state: TurnState
    text: str | None
    tokens: int = 0
    first_token_s: float | None = None
    tokens_per_s: float | None = None
    agrees: bool | None = None
    dropped_turns: int = 0


class DialogueRepository:
    """Reads dialogues, their turns and citations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_evidence(self, evidence_id: int) -> tuple[DialogueRow, ...]:
        """Returns the dialogues about a piece of evidence, oldest first."""
        sql = "SELECT * FROM dialogue WHERE evidence_id = ? ORDER BY id"
        return tuple(map(self._dialogue, self._database.rows(sql, [evidence_id])))

    def get(self, dialogue_id: int) -> DialogueRow:
        """Returns a dialogue.

        Raises:
            BadInputError: the case has none with this id.
        """
        row = self._database.row("SELECT * FROM dialogue WHERE id = ?", [dialogue_id])
        if row is None:
            raise BadInputError("no such dialogue", dialogue_id, "ask about an event or a span")
        return self._dialogue(row)

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
        row = self._database.row("SELECT * FROM turn WHERE id = ?", [turn_id])
        if row is None:
            raise BadInputError("no such turn", turn_id, "list the turns of the dialogue")
        return self._turn(row)

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
                said=NewTurn(
                    question=fields.text(row, "question"),
                    facts=tuple(dict(one) for one in fields.items(row, "facts")),
                    settings=dict(json.loads(fields.text(row, "settings"))),
                    pack=fields.text_or_none(row, "pack"),
                    pack_sha256=fields.text_or_none(row, "pack_sha256"),
                    runtime=fields.text_or_none(row, "runtime"),
                    missing=fields.text_or_none(row, "missing"),
                    state=_state(fields.text(row, "state")),
                ),
                answer=fields.text_or_none(row, "answer"),
                tokens=fields.integer(row, "tokens"),
                first_token_s=fields.real_or_none(row, "first_token_s"),
                tokens_per_s=fields.real_or_none(row, "tokens_per_s"),
                agrees=None if agrees is None else bool(agrees),
                dropped_turns=fields.integer(row, "dropped_turns"),
                author=fields.text(row, "author"),
                utc=fields.text(row, "utc"),
            )


class DialogueChanges(DialogueRepository):
    """Adds dialogues and turns."""

    def __init__(self, journal: Journal) -> None:
        super().__init__(journal.database)
        self._journal = journal

    def add(self, about: NewDialogue) -> int:
        """Begins a dialogue and returns its id."""
        row: dict[str, Value] = {
            **about.__dict__,
            "start_s": fields.plain(about.start_s),
            "end_s": fields.plain(about.end_s),
            "author": user(),
            "utc": utc_now(),
        }
        row_id = self._journal.insert("dialogue", row)
        said = {"event_id": about.event_id, "start_s": about.start_s, "end_s": about.end_s}
        self._journal.record("dialogue.begin", f"dialogue:{row_id}", said)
        return row_id

    def ask(self, dialogue_id: int, new: NewTurn) -> int:
        """Adds a turn before its answer is known, and returns its id."""
        number = 1 + max((one.number for one in self.turns(dialogue_id)), default=0)
        row: dict[str, Value] = {
            "dialogue_id": dialogue_id,
            "number": number,
            "question": new.question,
            "answer": None if new.pack is None else "",
            "state": new.state,
            "facts": fields.to_json([dict(one) for one in new.facts]),
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
        said = {"dialogue_id": dialogue_id, "question": new.question, "pack": new.pack}
        self._journal.record("turn.ask", f"turn:{row_id}", said)
        return row_id

    def answer(self, turn_id: int, answer: Answer) -> None:
        """Writes down an answer, or as much of it as there is.

        Raises:
            BadInputError: there is no such turn.
        """
        self.turn(turn_id)
        row: dict[str, Value] = {
            "answer": answer.text,
            "state": answer.state,
            "tokens": answer.tokens,
            "first_token_s": _plain(answer.first_token_s),
            "tokens_per_s": _plain(answer.tokens_per_s),
            "agrees": None if answer.agrees is None else int(answer.agrees),
            "dropped_turns": answer.dropped_turns,
        }
        self._journal.update("turn", turn_id, row)
        self._journal.record(f"turn.{answer.state}", f"turn:{turn_id}", {"tokens": answer.tokens})

    def cite(self, turn_id: int, citations: Iterable[NewCitation]) -> None:
        """Attaches what a turn rests on."""
        for one in citations:
            row: dict[str, Value] = {
                **one.__dict__,
                "turn_id": turn_id,
                "start_s": fields.plain(one.start_s),
                "end_s": fields.plain(one.end_s),
            }
            row_id = self._journal.insert("citation", row)
            self._journal.record("turn.cite", f"citation:{row_id}", {"turn_id": turn_id})

    def close_interrupted(self, dialogue_id: int) -> int:
        """Marks answers that a worker left unfinished; returns how many there were."""
        left = [one for one in self.turns(dialogue_id) if one.said.state == "answering"]
        for one in left:
            self._journal.update("turn", one.id, {"state": "interrupted"})
            self._journal.record("turn.interrupted", f"turn:{one.id}", {"tokens": one.tokens})
        return len(left)


def _plain(value: float | None) -> float | None:
    return None if value is None else fields.plain(value)


def _state(word: str) -> TurnState:
    if word not in _STATES:
        raise ValueError(f"unknown state {word}")
    return cast("TurnState", word)
