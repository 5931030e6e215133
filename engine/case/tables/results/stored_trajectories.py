"""Trajectories as rows and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from engine.case.store import row_fields as fields
from engine.case.store.database import Row, Value
from engine.core.arrays import pack_arrays, unpack_arrays
from engine.core.findings import Trajectory

COLUMNS = (
    "run_id", "number", "start_s", "end_s", "from_cell", "to_cell", "direction",
    "relative_speed", "points", "peak_score",
)  # fmt: skip
"""Columns of the table `trajectory` in the order of `to_rows`."""


@dataclass(frozen=True)
class TrajectoryRow:
    """A stored trajectory; `id` is per case, `trajectory.number` within its run."""

    id: int
    run_id: int
    trajectory: Trajectory


@dataclass(frozen=True)
class TrajectorySummary:
    """A stored trajectory without its points.

    Attributes:
        id: per case, from 1.
        run_id: its run.
        number: within its run, from 1.
        start_s: stream time of the first frame.
        end_s: stream time of the last frame.
        from_cell: name of the 3x3 cell it came from.
        to_cell: name of the 3x3 cell it went to.
        direction: on screen in words.
        relative_speed: in times of the usual; None when unknown.
        peak_score: largest score; None when an older version stored it.
    """

    id: int
    run_id: int
    number: int
    start_s: float
    end_s: float
    from_cell: str
    to_cell: str
    direction: str
    relative_speed: float | None
    peak_score: float | None


def to_rows(run_id: int, trajectories: Sequence[Trajectory]) -> Iterator[list[Value]]:
    """Yields the rows of trajectories; their points as one blob."""
    for trajectory in trajectories:
        points = pack_arrays(
            {
                "frames": np.asarray(trajectory.frames, np.int64),
                "pts": np.asarray(trajectory.pts, np.int64),
                "boxes": np.asarray(trajectory.boxes, np.int32),
                "scores": np.asarray(trajectory.scores, np.float32),
            }
        )
        yield [
            run_id, int(trajectory.number),
            fields.to_real(trajectory.start_s), fields.to_real(trajectory.end_s),
            trajectory.from_cell, trajectory.to_cell, trajectory.direction,
            fields.to_real_or_none(trajectory.relative_speed), points,
            fields.to_real(trajectory.scores.max()) if len(trajectory.scores) else None,
        ]  # fmt: skip


def read_row(row: Row) -> TrajectoryRow:
    """Restores a trajectory; raises ValueError when its points do not belong together."""
    points = unpack_arrays(fields.blob(row, "points"))
    frames, pts, boxes, scores = (points[name] for name in ("frames", "pts", "boxes", "scores"))
    if not len(frames) == len(pts) == len(scores) or boxes.shape != (len(frames), 4):
        raise ValueError("points of different number")
    trajectory = Trajectory(
        number=fields.integer(row, "number"),
        frames=frames.astype(np.int64, copy=False),
        pts=pts.astype(np.int64, copy=False),
        boxes=boxes.astype(np.int32, copy=False),
        scores=scores.astype(np.float32, copy=False),
        start_s=fields.real(row, "start_s"),
        end_s=fields.real(row, "end_s"),
        from_cell=fields.text(row, "from_cell"),
        to_cell=fields.text(row, "to_cell"),
        direction=fields.text(row, "direction"),
        relative_speed=fields.real_or_none(row, "relative_speed"),
    )
    return TrajectoryRow(fields.integer(row, "id"), fields.integer(row, "run_id"), trajectory)


def read_summary(row: Row) -> TrajectorySummary:
    """Restores a trajectory without its points."""
    return TrajectorySummary(
        id=fields.integer(row, "id"),
        run_id=fields.integer(row, "run_id"),
        number=fields.integer(row, "number"),
        start_s=fields.real(row, "start_s"),
        end_s=fields.real(row, "end_s"),
        from_cell=fields.text(row, "from_cell"),
        to_cell=fields.text(row, "to_cell"),
        direction=fields.text(row, "direction"),
        relative_speed=fields.real_or_none(row, "relative_speed"),
        peak_score=fields.real_or_none(row, "peak_score"),
    )
