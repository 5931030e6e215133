"""Everything that is said in a case, in one list: to be searched, and to be seen by moment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.case.case import Case

SAID_KINDS = ("event", "bookmark", "note", "turn")
"""What says something."""


@dataclass(frozen=True)
class Remark:
    """Something that is said.

    Attributes:
        kind: one of `SAID_KINDS`.
        id: of the event, the bookmark, the note's first version, or the turn.
        evidence_id: what it is about; None for the case.
        start_s: stream time of its first moment; None when it is about no moment.
        end_s: stream time of its last one.
        text: the words.
        by: who said it, or which channel found it.
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

    def at(self, evidence_id: int, seconds: float) -> bool:
        """Whether it is about a moment of a piece of evidence."""
        if self.evidence_id != evidence_id or self.start_s is None or self.end_s is None:
            return False
        return self.start_s <= seconds <= self.end_s

    def has(self, words: str) -> bool:
        """Whether every word occurs in it, in any order and case."""
        low = f"{self.kind} {self.text} {self.by}".casefold()
        return all(word in low for word in words.casefold().split())


def remarks_of(case: Case) -> tuple[Remark, ...]:
    """Returns everything said, by evidence and time; what is about no moment comes last."""
    found = [*_events(case), *_bookmarks(case), *_notes(case), *_turns(case)]
    last = float("inf")
    return tuple(
        sorted(
            found,
            key=lambda one: (
                one.evidence_id if one.evidence_id is not None else last,
                one.start_s if one.start_s is not None else last,
                SAID_KINDS.index(one.kind),
                one.id,
            ),
        )
    )


def _events(case: Case) -> Iterator[Remark]:
    for piece in case.evidence.all():
        run = case.runs.current(piece.id)
        rows = () if run is None else case.results.events(run.id)
        for row in (*rows, *case.own_events.of(piece.id)):
            event = row.event
            parts = [event.summary, *(one.text for one in event.reasons)]
            parts += [row.state, row.state_reason or ""]
            said = " · ".join(dict.fromkeys(part for part in parts if part))
            yield Remark("event", row.id, piece.id, event.start_s, event.end_s, said, event.channel)


def _bookmarks(case: Case) -> Iterator[Remark]:
    for row in case.bookmarks.all():
        yield Remark(
            "bookmark", row.id, row.evidence_id, row.start_s, row.end_s, row.text, row.author
        )


def _notes(case: Case) -> Iterator[Remark]:
    for row in case.notes.all():
        note = row.note
        said = f"{row.text} ({note.object})"
        yield Remark(
            "note", row.first_id, note.evidence_id, note.seconds, note.seconds, said, row.author
        )


def _turns(case: Case) -> Iterator[Remark]:
    for piece in case.evidence.all():
        for dialogue in case.dialogues.of_evidence(piece.id):
            about = dialogue.about
            for turn in case.dialogues.turns(dialogue.id):
                facts = " ".join(str(one.get("text", "")) for one in turn.said.facts)
                said = " · ".join(part for part in (turn.said.question, turn.answer, facts) if part)
                yield Remark(
                    "turn", turn.id, piece.id, about.start_s, about.end_s, said, turn.author,
                    about.event_id,
                )  # fmt: skip
