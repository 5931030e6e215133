"""Events of the examiner's own: marked by hand, so they belong to no derivation."""

from __future__ import annotations

from engine.case.store import row_fields as fields
from engine.case.store.audit import user, utc_now
from engine.case.store.database import Database
from engine.case.store.journal import Journal
from engine.case.tables.result_rows import event_row
from engine.case.tables.review_rows import NewOwnEvent
from engine.case.tables.rows import EventRow
from engine.core.errors import BadInputError

CHANNEL = "examiner"
"""Channel of the events that an examiner made."""


class OwnEventRepository:
    """Reads the events that examiners made."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, evidence_id: int) -> tuple[EventRow, ...]:
        """Returns the own events of a piece of evidence in order of start, but for removed ones."""
        sql = (
            "SELECT * FROM event WHERE derivation_id IS NULL AND evidence_id = ? "
            "AND removed = 0 ORDER BY start_pts, id"
        )
        with fields.decoding(self._database, "event"):
            return tuple(event_row(row) for row in self._database.rows(sql, [evidence_id]))


class OwnEventChanges(OwnEventRepository):
    """Changes the events that examiners made; their state is set as that of any event."""

    def __init__(self, journal: Journal) -> None:
        super().__init__(journal.database)
        self._journal = journal

    def add(self, new: NewOwnEvent) -> int:
        """Adds an event, which is relevant from the start, and returns its id."""
        times = {name: fields.plain(getattr(new, name)) for name in _TIMES}
        row = {
            **new.__dict__, **times, "channel": CHANNEL, "reasons": "[]", "trajectories": "[]",
            "state": "relevant", "author": user(), "utc": utc_now(), "removed": 0,
        }  # fmt: skip
        row_id = self._journal.insert("event", row)
        said = {"evidence_id": new.evidence_id, "start_pts": new.start_pts, "end_pts": new.end_pts}
        self._journal.record("event.add", f"event:{row_id}", said)
        return row_id

    def set_removed(self, event_id: int, removed: bool) -> None:
        """Takes an own event out of sight or brings it back; nothing is erased.

        Raises:
            BadInputError: there is no such event, or it is not an examiner's.
        """
        sql = "SELECT 1 FROM event WHERE id = ? AND derivation_id IS NULL"
        if self._database.row(sql, [event_id]) is None:
            raise BadInputError("no event of the examiner's", event_id, "dismiss it instead")
        self._journal.update("event", event_id, {"removed": int(removed)})
        action = "event.remove" if removed else "event.restore"
        self._journal.record(action, f"event:{event_id}", {})


_TIMES = ("start_s", "end_s", "peak_s", "peak_score")
