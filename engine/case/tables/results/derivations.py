"""Results: scores, regions, trajectories and events derived from a run's stored maps.

Deriving again adds a derivation and deletes nothing, so an event that was triaged, cited or
printed stays what it was. Reading gives the newest derivation unless another is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.case.store import row_fields as fields
from engine.case.store.content_hashes import derivation_digests
from engine.case.store.database import Row, Value
from engine.case.tables.repository import Changes, Repository
from engine.case.tables.results import (
    stored_events,
    stored_heatmaps,
    stored_regions,
    stored_scores,
    stored_trajectories,
)
from engine.case.tables.results.stored_events import EventRow, EventState
from engine.case.tables.results.stored_heatmaps import HeatBlock
from engine.case.tables.results.stored_regions import RegionRow
from engine.case.tables.results.stored_trajectories import TrajectoryRow, TrajectorySummary
from engine.core.arrays import unpack_arrays
from engine.core.findings import Event, Region, Trajectory
from engine.core.version import VERSION


@dataclass(frozen=True)
class DerivationRow:
    """One derivation of results from a run's stored maps.

    Attributes:
        id: per case, from 1.
        run_id: the run.
        number: from 1 within the run; the largest is the current one.
        calibrations: ids of the calibrations used.
        version: of Sightline.
        settings: JSON of what it was made with beyond the run's settings (normal spans, regions);
            None when nothing.
    """

    id: int
    run_id: int
    number: int
    calibrations: tuple[int, ...]
    version: str
    settings: str | None = None


class ResultRepository(Repository):
    """Reads results; methods take a run's id, and a derivation's id for an older derivation."""

    def derivations(self, run_id: int) -> tuple[DerivationRow, ...]:
        """Returns the derivations of a run, oldest first."""
        sql = "SELECT * FROM derivation WHERE run_id = ? ORDER BY number"
        return tuple(map(self._derivation, self._database.rows(sql, [run_id])))

    def current(self, run_id: int) -> DerivationRow | None:
        """Returns the newest derivation of a run; None before the first."""
        sql = "SELECT * FROM derivation WHERE run_id = ? ORDER BY number DESC LIMIT 1"
        row = self._database.row(sql, [run_id])
        return None if row is None else self._derivation(row)

    def channels(self, run_id: int, derivation_id: int | None = None) -> tuple[str, ...]:
        """Returns the names of the channels that have scores."""
        sql = "SELECT DISTINCT channel FROM score WHERE derivation_id = ? ORDER BY channel"
        rows = self._database.rows(sql, [self._derivation_id(run_id, derivation_id)])
        return tuple(str(row["channel"]) for row in rows)

    def scores(
        self, run_id: int, channel: str, derivation_id: int | None = None
    ) -> NDArray[np.float32]:
        """Returns the calibrated scores of a channel.

        Returns:
            float32 [frames], 0..1; empty when the run has none for this channel.
        """
        sql = "SELECT data FROM score WHERE derivation_id = ? AND channel = ? ORDER BY first_frame"
        values: list[Value] = [self._derivation_id(run_id, derivation_id), channel]
        parts = [np.zeros(0, np.float32)]
        for row in self._database.stream(sql, values):
            with fields.decoding(self._database, "score"):
                parts.append(unpack_arrays(fields.blob(row, "data"))["scores"])
        return np.concatenate(parts).astype(np.float32, copy=False)

    def regions(
        self,
        run_id: int,
        first_frame: int | None = None,
        last_frame: int | None = None,
        derivation_id: int | None = None,
    ) -> tuple[RegionRow, ...]:
        """Returns regions in order of frame, of all frames or of a span (both ends inclusive)."""
        sql = "SELECT * FROM region WHERE derivation_id = ?"
        values: list[Value] = [self._derivation_id(run_id, derivation_id)]
        if first_frame is not None:
            sql += " AND frame >= ?"
            values.append(first_frame)
        if last_frame is not None:
            sql += " AND frame <= ?"
            values.append(last_frame)
        rows = self._database.stream(f"{sql} ORDER BY frame, id", values)
        with fields.decoding(self._database, "region"):
            return tuple(map(stored_regions.read_row, rows))

    def trajectories(
        self, run_id: int, derivation_id: int | None = None
    ) -> tuple[TrajectoryRow, ...]:
        """Returns trajectories in order of their number."""
        sql = "SELECT * FROM trajectory WHERE derivation_id = ? ORDER BY number"
        rows = self._database.stream(sql, [self._derivation_id(run_id, derivation_id)])
        with fields.decoding(self._database, "trajectory"):
            return tuple(map(stored_trajectories.read_row, rows))

    def trajectory_summaries(self, run_id: int) -> tuple[TrajectorySummary, ...]:
        """Returns trajectories without their points, in order of number."""
        sql = (
            "SELECT id, run_id, number, start_s, end_s, from_cell, to_cell, direction, "
            "relative_speed, peak_score FROM trajectory WHERE derivation_id = ? ORDER BY number"
        )
        rows = self._database.rows(sql, [self._derivation_id(run_id, None)])
        with fields.decoding(self._database, "trajectory"):
            return tuple(map(stored_trajectories.read_summary, rows))

    def heat_channels(self, run_id: int) -> tuple[str, ...]:
        """Returns the channels that have stored heatmaps."""
        sql = "SELECT DISTINCT channel FROM heat WHERE derivation_id = ? ORDER BY channel"
        rows = self._database.rows(sql, [self._derivation_id(run_id, None)])
        return tuple(str(row["channel"]) for row in rows)

    def heat(self, run_id: int, channel: str, frame: int) -> HeatBlock | None:
        """Returns the heatmaps around a frame: the last block that starts at or before it.

        Returns:
            None when an older version derived the results, or the frame comes before all.
        """
        sql = (
            "SELECT channel, data FROM heat WHERE derivation_id = ? AND channel = ? "
            "AND first_frame <= ? ORDER BY first_frame DESC LIMIT 1"
        )
        row = self._database.row(sql, [self._derivation_id(run_id, None), channel, frame])
        if row is None:
            return None
        with fields.decoding(self._database, "heat"):
            return stored_heatmaps.read_block(row)

    def event_counts(self, run_id: int) -> tuple[int, int]:
        """Returns how many events are unseen, and how many there are."""
        sql = (
            "SELECT count(*) AS events, coalesce(sum(state = 'unseen'), 0) AS unseen "
            "FROM event WHERE derivation_id = ?"
        )
        row = self._database.row(sql, [self._derivation_id(run_id, None)])
        return (0, 0) if row is None else (int(row["unseen"] or 0), int(row["events"] or 0))

    def events(self, run_id: int, derivation_id: int | None = None) -> tuple[EventRow, ...]:
        """Returns events in order of start."""
        sql = "SELECT * FROM event WHERE derivation_id = ? ORDER BY number"
        rows = self._database.rows(sql, [self._derivation_id(run_id, derivation_id)])
        with fields.decoding(self._database, "event"):
            return tuple(map(stored_events.read_row, rows))

    def event(self, event_id: int) -> EventRow:
        """Returns one event of any run and derivation.

        Raises:
            BadInputError: the case has none with this id.
        """
        row = self._require_row("event", event_id, "list the events of the case")
        with fields.decoding(self._database, "event"):
            return stored_events.read_row(row)

    def trajectory(self, trajectory_id: int) -> TrajectoryRow:
        """Returns one trajectory of any run and derivation.

        Raises:
            BadInputError: the case has none with this id.
        """
        row = self._require_row("trajectory", trajectory_id)
        with fields.decoding(self._database, "trajectory"):
            return stored_trajectories.read_row(row)

    def _derivation_id(self, run_id: int, derivation_id: int | None) -> int:
        if derivation_id is not None:
            return derivation_id
        current = self.current(run_id)
        return 0 if current is None else current.id

    def _derivation(self, row: Row) -> DerivationRow:
        with fields.decoding(self._database, "derivation"):
            return DerivationRow(
                fields.integer(row, "id"),
                fields.integer(row, "run_id"),
                fields.integer(row, "number"),
                tuple(map(int, fields.items(row, "calibrations"))),
                fields.text(row, "version"),
                fields.text_or_none(row, "settings"),
            )


class ResultChanges(Changes, ResultRepository):
    """Stores results of runs, and the triage of events."""

    def replace(
        self,
        run_id: int,
        *,
        scores: Mapping[str, NDArray[np.float32]],
        regions: Sequence[Region],
        trajectories: Sequence[Trajectory],
        events: Sequence[Event],
        calibrations: Sequence[int] = (),
        heat: Iterable[HeatBlock] = (),
        settings: Mapping[str, object] | None = None,
    ) -> int:
        """Makes these the current results of a run; earlier derivations stay readable.

        Args:
            run_id: the run.
            scores: by channel, float32 [frames], 0..1.
            regions: in order of frame.
            trajectories: in order of number.
            events: in order of number.
            calibrations: ids of the calibrations used.
            heat: heatmaps, in order of channel and frame.
            settings: what they were made with beyond the run's settings; None for nothing.

        Returns:
            Id of the new derivation.

        Raises:
            BadInputError: there is no such run.
        """
        derivation_id = self._add_derivation(run_id, calibrations, settings)
        for table, columns, rows in (
            ("score", stored_scores.COLUMNS, stored_scores.to_rows(run_id, scores)),
            ("region", stored_regions.COLUMNS, stored_regions.to_rows(run_id, regions)),
            (
                "trajectory",
                stored_trajectories.COLUMNS,
                stored_trajectories.to_rows(run_id, trajectories),
            ),
            ("event", stored_events.COLUMNS, stored_events.to_rows(run_id, events)),
            ("heat", stored_heatmaps.COLUMNS, stored_heatmaps.to_rows(run_id, heat)),
        ):
            self._journal.insert_bulk(table, derivation_id, columns, rows)
        digests = derivation_digests(self._database, derivation_id).items()
        params = {"run_id": run_id, "rows": {table: digest.__dict__ for table, digest in digests}}
        self._journal.record("results.derive", f"derivation:{derivation_id}", params)
        return derivation_id

    def _add_derivation(
        self, run_id: int, calibrations: Sequence[int], settings: Mapping[str, object] | None
    ) -> int:
        current = self.current(run_id)
        row: dict[str, Value] = {
            "run_id": run_id,
            "number": 1 if current is None else current.number + 1,
            "calibrations": fields.to_json(list(calibrations)),
            "version": VERSION,
            "settings": None if settings is None else fields.to_json(dict(settings)),
        }
        return self._journal.insert("derivation", row)

    def set_state(self, event_id: int, state: EventState, reason: str | None = None) -> None:
        """Sets the state of triage of an event.

        Raises:
            BadInputError: there is no such event or no such state.
        """
        before = self.event(event_id)
        changes: dict[str, Value] = {"state": state, "state_reason": reason}
        self._journal.update("event", event_id, changes)
        params = {
            "before": before.state, "before_reason": before.state_reason,
            "state": state, "reason": reason,
        }  # fmt: skip
        self._journal.record("event.set_state", f"event:{event_id}", params)
