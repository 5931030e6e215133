"""Results: scores, regions, trajectories and events derived from a run's stored maps.

Deriving again adds a derivation and deletes nothing, so an event that was triaged, cited or
printed stays what it was. Reading gives the newest derivation unless another is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.case.store import row_fields as fields
from engine.case.store.content_hashes import derivation_digests
from engine.case.store.database import Database, Row, Value
from engine.case.store.journal import Journal
from engine.case.tables import result_rows
from engine.case.tables.review_rows import HeatBlock, TrajectorySummary
from engine.case.tables.rows import DerivationRow, EventRow, EventState, RegionRow, TrajectoryRow
from engine.core.arrays import unpack_arrays
from engine.core.errors import BadInputError
from engine.core.findings import Event, Region, Trajectory
from engine.core.version import VERSION


class ResultRepository:
    """Reads results; methods take a run's id, and a derivation's id for an older derivation."""

    def __init__(self, database: Database) -> None:
        self._database = database

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
        chosen = [self._chosen(run_id, derivation_id)]
        return tuple(str(row["channel"]) for row in self._database.rows(sql, chosen))

    def scores(
        self, run_id: int, channel: str, derivation_id: int | None = None
    ) -> NDArray[np.float32]:
        """Returns the calibrated scores of a channel.

        Returns:
            float32 [frames], 0..1; empty when the run has none for this channel.
        """
        sql = "SELECT data FROM score WHERE derivation_id = ? AND channel = ? ORDER BY first_frame"
        parts = [np.zeros(0, np.float32)]
        for row in self._database.stream(sql, [self._chosen(run_id, derivation_id), channel]):
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
        values: list[Value] = [self._chosen(run_id, derivation_id)]
        if first_frame is not None:
            sql += " AND frame >= ?"
            values.append(first_frame)
        if last_frame is not None:
            sql += " AND frame <= ?"
            values.append(last_frame)
        rows = self._database.stream(f"{sql} ORDER BY frame, id", values)
        with fields.decoding(self._database, "region"):
            return tuple(
                RegionRow(
                    fields.integer(row, "id"),
                    fields.integer(row, "run_id"),
                    result_rows.region(row),
                )
                for row in rows
            )

    def trajectories(
        self, run_id: int, derivation_id: int | None = None
    ) -> tuple[TrajectoryRow, ...]:
        """Returns trajectories in order of their number."""
        sql = "SELECT * FROM trajectory WHERE derivation_id = ? ORDER BY number"
        rows = self._database.stream(sql, [self._chosen(run_id, derivation_id)])
        with fields.decoding(self._database, "trajectory"):
            return tuple(
                TrajectoryRow(
                    fields.integer(row, "id"),
                    fields.integer(row, "run_id"),
                    result_rows.trajectory(row),
                )
                for row in rows
            )

    def trajectory_summaries(self, run_id: int) -> tuple[TrajectorySummary, ...]:
        """Returns trajectories without their points, in order of number."""
        sql = (
            "SELECT id, run_id, number, start_s, end_s, from_cell, to_cell, direction, "
            "relative_speed, peak_score FROM trajectory WHERE derivation_id = ? ORDER BY number"
        )
        rows = self._database.rows(sql, [self._chosen(run_id, None)])
        with fields.decoding(self._database, "trajectory"):
            return tuple(result_rows.trajectory_summary(row) for row in rows)

    def heat_channels(self, run_id: int) -> tuple[str, ...]:
        """Returns the channels whose heatmaps are kept."""
        sql = "SELECT DISTINCT channel FROM heat WHERE derivation_id = ? ORDER BY channel"
        rows = self._database.rows(sql, [self._chosen(run_id, None)])
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
        row = self._database.row(sql, [self._chosen(run_id, None), channel, frame])
        if row is None:
            return None
        with fields.decoding(self._database, "heat"):
            return result_rows.heat_block(row)

    def event_counts(self, run_id: int) -> tuple[int, int]:
        """Returns how many events are unseen, and how many there are."""
        sql = (
            "SELECT count(*) AS events, coalesce(sum(state = 'unseen'), 0) AS unseen "
            "FROM event WHERE derivation_id = ?"
        )
        row = self._database.row(sql, [self._chosen(run_id, None)])
        return (0, 0) if row is None else (int(row["unseen"] or 0), int(row["events"] or 0))

    def trajectory_ids(self, run_id: int, derivation_id: int | None = None) -> dict[int, int]:
        """Returns the id per case of each trajectory's number within the run."""
        sql = "SELECT number, id FROM trajectory WHERE derivation_id = ?"
        rows = self._database.rows(sql, [self._chosen(run_id, derivation_id)])
        return {fields.integer(row, "number"): fields.integer(row, "id") for row in rows}

    def events(self, run_id: int, derivation_id: int | None = None) -> tuple[EventRow, ...]:
        """Returns events in order of start."""
        sql = "SELECT * FROM event WHERE derivation_id = ? ORDER BY number"
        rows = self._database.rows(sql, [self._chosen(run_id, derivation_id)])
        with fields.decoding(self._database, "event"):
            return tuple(map(result_rows.event_row, rows))

    def event(self, event_id: int) -> EventRow:
        """Returns one event of any run and derivation.

        Raises:
            BadInputError: the case has none with this id.
        """
        row = self._database.row("SELECT * FROM event WHERE id = ?", [event_id])
        if row is None:
            raise BadInputError("no such event", event_id, "list the events of the case")
        with fields.decoding(self._database, "event"):
            return result_rows.event_row(row)

    def trajectory(self, trajectory_id: int) -> TrajectoryRow:
        """Returns one trajectory of any run and derivation.

        Raises:
            BadInputError: the case has none with this id.
        """
        row = self._database.row("SELECT * FROM trajectory WHERE id = ?", [trajectory_id])
        if row is None:
            raise BadInputError("no such trajectory", trajectory_id)
        with fields.decoding(self._database, "trajectory"):
            found = result_rows.trajectory(row)
            return TrajectoryRow(trajectory_id, fields.integer(row, "run_id"), found)

    def _chosen(self, run_id: int, derivation_id: int | None) -> int:
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
                tuple(int(one) for one in fields.items(row, "calibrations")),
                fields.text(row, "version"),
                fields.text_or_none(row, "settings"),
            )


class ResultChanges(ResultRepository):
    """Stores results of runs and what the examiner makes of events."""

    def __init__(self, journal: Journal) -> None:
        super().__init__(journal.database)
        self._journal = journal

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
        current = self.current(run_id)
        number = 1 if current is None else current.number + 1
        row: dict[str, Value] = {
            "run_id": run_id,
            "number": number,
            "calibrations": fields.to_json(list(calibrations)),
            "version": VERSION,
            "settings": None if settings is None else fields.to_json(dict(settings)),
        }
        derivation_id = self._journal.insert("derivation", row)
        for table, rows in (
            ("score", result_rows.score_rows(run_id, scores)),
            ("region", result_rows.region_rows(run_id, regions)),
            ("trajectory", result_rows.trajectory_rows(run_id, trajectories)),
            ("event", result_rows.event_rows(run_id, events)),
            ("heat", result_rows.heat_rows(run_id, heat)),
        ):
            columns = result_rows.COLUMNS[table]
            self._journal.insert_bulk(table, derivation_id, columns, rows)
        digests = derivation_digests(self._database, derivation_id)
        said = {"run_id": run_id, "rows": {name: one.__dict__ for name, one in digests.items()}}
        self._journal.record("results.derive", f"derivation:{derivation_id}", said)
        return derivation_id

    def set_state(self, event_id: int, state: EventState, reason: str | None = None) -> None:
        """Notes what the examiner makes of an event.

        Raises:
            BadInputError: there is no such event or no such state.
        """
        before = self.event(event_id)
        changes: dict[str, Value] = {"state": state, "state_reason": reason}
        self._journal.update("event", event_id, changes)
        said = {
            "before": before.state, "before_reason": before.state_reason,
            "state": state, "reason": reason,
        }  # fmt: skip
        self._journal.record("event.set_state", f"event:{event_id}", said)
