"""Case search: lists the texts of a case, to find words in them or those about a moment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.case.case import Case
from engine.case.tables.dialogues import TurnRow
from engine.case.tables.results.stored_events import EventRow

TEXT_KINDS = ("event", "bookmark", "note", "turn")
"""What has a text that can be searched, in the order in which hits at one moment are listed."""


@dataclass(frozen=True)
class CaseText:
    """The text of an event, a bookmark, a note or a turn.

    Attributes:
        kind: one of `TEXT_KINDS`.
        id: of the event, the bookmark, the note's first version, or the turn.
        evidence_id: the evidence it is about; None when it is about the case.
        start_s: stream time of its first moment; None when it is about no moment.
        end_s: stream time of its last moment.
        text: the words.
        by: who wrote it, or the channel that found the event.
        event_id: the event that a turn is about; None otherwise.
    """

    kind: str
    id: int
    evidence_id: int | None
    start_s: float | None
    end_s: float | None
    text: str
    by: str
    event_id: int | None = None

    def is_about(self, evidence_id: int, seconds: float) -> bool:
        """Whether it is about a moment of a piece of evidence."""
        if self.evidence_id != evidence_id or self.start_s is None or self.end_s is None:
            return False
        return self.start_s <= seconds <= self.end_s

    def has_words(self, words: str) -> bool:
        """Whether every word occurs in it, in any order and case."""
        text = f"{self.kind} {self.text} {self.by}".casefold()
        return all(word in text for word in words.casefold().split())


def texts_of(case: Case) -> tuple[CaseText, ...]:
    """Returns all texts, by evidence and time; those about no moment come last."""
    texts = [*_events(case), *_bookmarks(case), *_notes(case), *_turns(case)]
    last = float("inf")
    return tuple(
        sorted(
            texts,
            key=lambda text: (
                text.evidence_id if text.evidence_id is not None else last,
                text.start_s if text.start_s is not None else last,
                TEXT_KINDS.index(text.kind),
                text.id,
            ),
        )
    )


def _events(case: Case) -> Iterator[CaseText]:
    for piece in case.evidence.all():
        run = case.runs.current(piece.id)
        rows = () if run is None else case.results.events(run.id)
        for row in (*rows, *case.own_events.of(piece.id)):
            event, text = row.event, _event_text(row)
            yield CaseText(
                "event", row.id, piece.id, event.start_s, event.end_s, text, event.channel
            )


def _event_text(row: EventRow) -> str:
    reasons = [reason.text for reason in row.event.reasons]
    parts = (row.event.summary, *reasons, row.state, row.state_reason)
    return " · ".join(dict.fromkeys(part for part in parts if part))


def _bookmarks(case: Case) -> Iterator[CaseText]:
    for row in case.bookmarks.all():
        yield CaseText(
            "bookmark", row.id, row.evidence_id, row.start_s, row.end_s, row.text, row.author
        )


def _notes(case: Case) -> Iterator[CaseText]:
    for row in case.notes.all():
        note, text = row.note, f"{row.text} ({row.note.object})"
        yield CaseText(
            "note", row.first_id, note.evidence_id, note.seconds, note.seconds, text, row.author
        )


def _turns(case: Case) -> Iterator[CaseText]:
    for piece in case.evidence.all():
        for dialogue in case.dialogues.of_evidence(piece.id):
            about = dialogue.about
            for turn in case.dialogues.turns(dialogue.id):
                yield CaseText(
                    "turn", turn.id, piece.id, about.start_s, about.end_s, _turn_text(turn),
                    turn.author, about.event_id,
                )  # fmt: skip


def _turn_text(turn: TurnRow) -> str:
    facts = " ".join(str(fact.get("text", "")) for fact in turn.facts)
    return " · ".join(part for part in (turn.question, turn.answer, facts) if part)
