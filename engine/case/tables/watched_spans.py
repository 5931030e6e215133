"""Which spans of the evidence an examiner has watched."""

from __future__ import annotations

import json
from collections.abc import Iterable

from engine.case.store import row_fields as fields
from engine.case.tables.repository import Changes, Repository

Span = tuple[int, int]
"""First and last frame, both inclusive."""


class WatchedRepository(Repository):
    """Reads which spans were watched."""

    def of(self, evidence_id: int) -> tuple[Span, ...]:
        """Returns the spans of frames watched, ascending and disjoint."""
        row = self._database.row("SELECT * FROM watched WHERE id = ?", [evidence_id])
        if row is None:
            return ()
        with fields.decoding(self._database, "watched"):
            return tuple((int(first), int(last)) for first, last in fields.items(row, "spans"))


class WatchedChanges(Changes, WatchedRepository):
    """Adds spans that were watched."""

    def add(self, evidence_id: int, spans: Iterable[Span]) -> None:
        """Adds spans of frames watched and merges them with those stored before."""
        stored = self.of(evidence_id)
        merged = merge((*stored, *spans))
        if merged == stored:
            return
        text = json.dumps(merged, separators=(",", ":"))
        name = f"watched:{evidence_id}"
        if self._database.row("SELECT 1 FROM watched WHERE id = ?", [evidence_id]) is None:
            self._journal.insert("watched", {"id": evidence_id, "spans": text})
        else:
            self._journal.update("watched", evidence_id, {"spans": text})
        self._journal.record("evidence.watch", name, {"spans": [list(span) for span in merged]})


def merge(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Returns the spans in ascending order, with those joined that touch or overlap."""
    joined: list[Span] = []
    for first, last in sorted(spans):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = joined[-1][0], max(joined[-1][1], last)
        else:
            joined.append((first, last))
    return tuple(joined)
