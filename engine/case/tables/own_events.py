"""Events of the examiner's own: marked by hand, so they belong to no derivation."""

from __future__ import annotations

from dataclasses import dataclass

from engine.case.store import row_fields as fields
from engine.case.store.audit import user, utc_now
from engine.case.tables.repository import Changes, Repository
from engine.case.tables.results import stored_events
from engine.case.tables.results.stored_events import EventRow
from engine.core.errors import BadInputError

CHANNEL = "examiner"
"""Channel of the events that an examiner made."""

_REAL_COLUMNS = ("start_s", "end_s", "peak_s", "peak_score")


@dataclass(frozen=True)
class NewOwnEvent:
    """An event that the examiner makes from in and out marks.

    Attributes:
        evidence_id: the evidence.
        run_id: the run on screen then; None when there was none.
        first_frame: index of its first frame.
        last_frame: index of its last frame, inclusive.
        peak_frame: index of the frame with the highest score, or the first.
        start_pts: PTS of the first frame.
        end_pts: PTS of the last frame.
        peak_pts: PTS of the peak frame.
        start_s: stream time of the first frame.
        end_s: stream time of the last frame.
        peak_s: stream time of the peak frame.
        peak_score: 0..1; 0 without a run.
        summary: the examiner's words.
    """

    evidence_id: int
    run_id: int | None
    first_frame: int
    last_frame: int
    peak_frame: int
    start_pts: int
    end_pts: int
    peak_pts: int
    start_s: float
    end_s: float
    peak_s: float
    peak_score: float
    summary: str


class OwnEventRepository(Repository):
    """Reads the events that examiners made."""

    def of(self, evidence_id: int) -> tuple[EventRow, ...]:
        """Returns the own events of a piece of evidence in order of start, without removed ones."""
        sql = (
            "SELECT * FROM event WHERE derivation_id IS NULL AND evidence_id = ? "
            "AND removed = 0 ORDER BY start_pts, id"
        )
        with fields.decoding(self._database, "event"):
            return tuple(map(stored_events.read_row, self._database.rows(sql, [evidence_id])))


class OwnEventChanges(Changes, OwnEventRepository):
    """Changes the events that examiners made; their state is set as that of any event."""

    def add(self, new: NewOwnEvent) -> int:
        """Adds an event, which is relevant from the start, and returns its id."""
        reals = {name: fields.to_real(getattr(new, name)) for name in _REAL_COLUMNS}
        row = {
            **new.__dict__, **reals, "channel": CHANNEL, "reasons": "[]", "trajectories": "[]",
            "state": "relevant", "author": user(), "utc": utc_now(), "removed": 0,
        }  # fmt: skip
        row_id = self._journal.insert("event", row)
        params = {name: row[name] for name in ("evidence_id", "start_pts", "end_pts")}
        self._journal.record("event.add", f"event:{row_id}", params)
        return row_id

    def set_removed(self, event_id: int, removed: bool) -> None:
        """Hides an own event or brings it back; nothing is erased.

        Raises:
            BadInputError: there is no such event, or it is not an examiner's.
        """
        sql = "SELECT 1 FROM event WHERE id = ? AND derivation_id IS NULL"
        if self._database.row(sql, [event_id]) is None:
            raise BadInputError("no event of the examiner's", event_id, "dismiss it instead")
        self._mark_removed("event", event_id, removed, {})
