"""What examiners added to a case, for a report: notes, bookmarks, tags and triage."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.case import Case, NoteRow

STATES = ("relevant", "seen", "dismissed", "unseen")
"""States of an event, in the order in which a report counts them."""


@dataclass(frozen=True)
class ReviewContent:
    """What examiners added to a case.

    Attributes:
        notes: the newest version of each note with all earlier versions, oldest note first.
        removed_notes: number of notes that are no longer shown; they stay in the case.
        bookmarks: all bookmarks, in order of evidence and time.
        tags: the tags of each object that has some (`event:3`).
    """

    notes: tuple[dict[str, Any], ...]
    removed_notes: int
    bookmarks: tuple[dict[str, Any], ...]
    tags: Mapping[str, tuple[str, ...]]

    def notes_about(self, name: str) -> tuple[dict[str, Any], ...]:
        """Returns the notes about an object (`event:3`, `evidence:1`, `case`)."""
        return tuple(note for note in self.notes if note["object"] == name)


def review_of(case: Case) -> ReviewContent:
    """Gathers what examiners added to a case."""
    tags = case.tags.by_object()
    versions: dict[int, list[NoteRow]] = {}
    for row in case.notes.every_version():
        versions.setdefault(row.first_id, []).append(row)
    visible = [rows for rows in versions.values() if not rows[-1].removed]
    bookmarks = [
        {
            "bookmark_id": row.id,
            "evidence_id": row.evidence_id,
            "run_id": row.run_id,
            "start_s": row.start_s,
            "end_s": row.end_s,
            "start_pts": row.start_pts,
            "end_pts": row.end_pts,
            "text": row.text,
            "author": row.author,
            "utc": row.utc,
            "tags": list(tags.get(f"bookmark:{row.id}", ())),
        }
        for evidence in case.evidence.all()
        for row in case.bookmarks.of(evidence.id)
    ]
    notes = tuple(_note(rows, tags) for rows in visible)
    return ReviewContent(notes, len(versions) - len(visible), tuple(bookmarks), tags)


def _note(rows: list[NoteRow], tags: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    newest = rows[-1]
    return {
        "note_id": newest.first_id,
        "object": newest.note.object,
        "evidence_id": newest.note.evidence_id,
        "seconds": newest.note.seconds,
        "pts": newest.note.pts,
        "text": newest.text,
        "author": newest.author,
        "utc": newest.utc,
        "tags": list(tags.get(f"note:{newest.first_id}", ())),
        "amended": [{"text": row.text, "author": row.author, "utc": row.utc} for row in rows[:-1]],
    }


def count_states(events: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Returns the number of events in each state, 0 included."""
    counts = Counter(event["state"] for event in events)
    return {state: counts[state] for state in STATES}


def backward_clocks(case: Case) -> tuple[dict[str, Any], ...]:
    """Returns the audit entries whose time lies before that of the preceding entry.

    A clock that was set back is no sign of tampering by itself; order is kept by number and chain.
    """
    backward, before = [], None
    for entry in case.audit.entries():
        now = _time(entry.utc)
        if before is not None and now is not None and now < before[1]:
            backward.append({"seq": entry.seq, "utc": entry.utc, "before": before[0]})
        if now is not None:
            before = entry.utc, now
    return tuple(backward)


def _time(utc: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(utc)
    except ValueError:
        return None
    return time if time.tzinfo else None


def mismatches_of(case: Case, action: str, evidence_id: int) -> tuple[dict[str, Any], ...]:
    """Returns each time that evidence was found changed or missing, and the hash it had then."""
    return tuple(
        {"utc": entry.utc, "sha256_now": json.loads(entry.params_json)["sha256_now"]}
        for entry in case.audit.entries()
        if entry.action == action and entry.object == f"evidence:{evidence_id}"
    )
