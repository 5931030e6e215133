"""Results as rows and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from engine.case.store import row_fields as fields
from engine.case.store.database import Row, Value
from engine.case.tables.review_rows import HeatBlock, TrajectorySummary
from engine.case.tables.rows import EventRow, EventState
from engine.core.arrays import pack_arrays, unpack_arrays
from engine.core.findings import Event, Reason, Region, Trajectory
from engine.core.geometry import Box

COLUMNS: dict[str, tuple[str, ...]] = {
    "score": ("run_id", "channel", "first_frame", "last_frame", "data"),
    "region": (
        "run_id", "frame", "pts", "x", "y", "w", "h", "score", "trajectory", "mask_rows",
        "mask_columns", "mask",
    ),
    "trajectory": (
        "run_id", "number", "start_s", "end_s", "from_cell", "to_cell", "direction",
        "relative_speed", "points", "peak_score",
    ),
    "event": (
        "run_id", "number", "first_frame", "last_frame", "peak_frame", "start_pts", "end_pts",
        "peak_pts", "start_s", "end_s", "peak_s", "peak_score", "channel", "reasons",
        "trajectories", "summary",
    ),
    "heat": ("run_id", "channel", "first_frame", "last_frame", "data"),
}  # fmt: skip
"""Columns of the tables of results, in the order of the rows below."""

SCORE_BLOCK = 1 << 15
"""Frames of scores in one row: 22 minutes at 25 frames a second."""


def score_rows(run_id: int, scores: Mapping[str, NDArray[np.float32]]) -> Iterator[list[Value]]:
    """Yields the rows of score arrays, in blocks of frames."""
    for channel in sorted(scores):
        array = np.asarray(scores[channel], np.float32)
        for first in range(0, len(array), SCORE_BLOCK):
            block = array[first : first + SCORE_BLOCK]
            data = pack_arrays({"scores": block})
            yield [run_id, channel, first, first + len(block) - 1, data]


def region_rows(run_id: int, regions: Sequence[Region]) -> Iterator[list[Value]]:
    """Yields the rows of regions; masks as bits, row by row."""
    for one in regions:
        box = one.box
        rows, columns = one.mask.shape
        mask = np.packbits(np.ascontiguousarray(one.mask, bool)).tobytes()
        yield [
            run_id, int(one.frame), int(one.pts), int(box.x), int(box.y), int(box.w), int(box.h),
            fields.plain(one.score), None if one.trajectory is None else int(one.trajectory),
            int(rows), int(columns), mask,
        ]  # fmt: skip


def trajectory_rows(run_id: int, trajectories: Sequence[Trajectory]) -> Iterator[list[Value]]:
    """Yields the rows of trajectories; their points as one blob."""
    for one in trajectories:
        points = pack_arrays(
            {
                "frames": np.asarray(one.frames, np.int64),
                "pts": np.asarray(one.pts, np.int64),
                "boxes": np.asarray(one.boxes, np.int32),
                "scores": np.asarray(one.scores, np.float32),
            }
        )
        speed = None if one.relative_speed is None else fields.plain(one.relative_speed)
        yield [
            run_id, int(one.number), fields.plain(one.start_s), fields.plain(one.end_s),
            one.from_cell, one.to_cell, one.direction, speed, points,
            fields.plain(one.scores.max()) if len(one.scores) else None,
        ]  # fmt: skip


def event_rows(run_id: int, events: Sequence[Event]) -> Iterator[list[Value]]:
    """Yields the rows of events."""
    for one in events:
        reasons = [
            [
                reason.attribute, float(reason.value), float(reason.usual), float(reason.ratio),
                reason.unit, reason.text,
            ]
            for reason in one.reasons
        ]  # fmt: skip
        yield [
            run_id, int(one.number), int(one.first_frame), int(one.last_frame),
            int(one.peak_frame), int(one.start_pts), int(one.end_pts), int(one.peak_pts),
            fields.plain(one.start_s), fields.plain(one.end_s), fields.plain(one.peak_s),
            fields.plain(one.peak_score), one.channel, json.dumps(reasons, separators=(",", ":")),
            fields.to_json([int(number) for number in one.trajectories]), one.summary,
        ]  # fmt: skip


def heat_rows(run_id: int, blocks: Iterable[HeatBlock]) -> Iterator[list[Value]]:
    """Yields the rows of heatmaps, as the blocks come."""
    for one in blocks:
        data = pack_arrays(
            {"frames": np.asarray(one.frames, np.int64), "heat": np.asarray(one.heat, np.uint8)}
        )
        yield [run_id, one.channel, int(one.frames[0]), int(one.frames[-1]), data]


def heat_block(row: Row) -> HeatBlock:
    """Restores heatmaps; raises ValueError when they do not belong together."""
    arrays = unpack_arrays(fields.blob(row, "data"))
    frames, heat = arrays["frames"], arrays["heat"]
    if heat.ndim != 3 or heat.dtype != np.uint8 or len(frames) != len(heat) or not len(frames):
        raise ValueError("heatmaps of different number")
    return HeatBlock(fields.text(row, "channel"), frames.astype(np.int64, copy=False), heat)


def trajectory_summary(row: Row) -> TrajectorySummary:
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


def event_row(row: Row) -> EventRow:
    """Restores an event with what the examiner made of it."""
    return EventRow(
        id=fields.integer(row, "id"),
        run_id=fields.integer_or_none(row, "run_id"),
        derivation_id=fields.integer_or_none(row, "derivation_id"),
        event=event(row),
        state=cast(EventState, fields.text(row, "state")),
        state_reason=fields.text_or_none(row, "state_reason"),
    )


def region(row: Row) -> Region:
    """Restores a region; raises ValueError when its mask is damaged."""
    rows, columns = fields.integer(row, "mask_rows"), fields.integer(row, "mask_columns")
    packed = np.frombuffer(fields.blob(row, "mask"), np.uint8)
    if min(rows, columns) < 0 or -(-rows * columns // 8) != len(packed):
        raise ValueError("a mask of another size")
    mask = np.unpackbits(packed, count=rows * columns).astype(bool).reshape(rows, columns)
    return Region(
        frame=fields.integer(row, "frame"),
        pts=fields.integer(row, "pts"),
        box=Box(*(fields.integer(row, name) for name in "xywh")),
        score=fields.real(row, "score"),
        mask=mask,
        trajectory=fields.integer_or_none(row, "trajectory"),
    )


def trajectory(row: Row) -> Trajectory:
    """Restores a trajectory; raises ValueError when its points do not belong together."""
    points = unpack_arrays(fields.blob(row, "points"))
    frames, pts, boxes, scores = (points[name] for name in ("frames", "pts", "boxes", "scores"))
    if not len(frames) == len(pts) == len(scores) or boxes.shape != (len(frames), 4):
        raise ValueError("points of different number")
    return Trajectory(
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


def event(row: Row) -> Event:
    """Restores an event."""
    reasons = tuple(
        Reason(str(name), float(value), float(usual), float(ratio), str(unit), str(text))
        for name, value, usual, ratio, unit, text in fields.items(row, "reasons")
    )
    return Event(
        number=fields.integer_or_none(row, "number") or 0,
        first_frame=fields.integer(row, "first_frame"),
        last_frame=fields.integer(row, "last_frame"),
        peak_frame=fields.integer(row, "peak_frame"),
        start_pts=fields.integer(row, "start_pts"),
        end_pts=fields.integer(row, "end_pts"),
        peak_pts=fields.integer(row, "peak_pts"),
        start_s=fields.real(row, "start_s"),
        end_s=fields.real(row, "end_s"),
        peak_s=fields.real(row, "peak_s"),
        peak_score=fields.real(row, "peak_score"),
        channel=fields.text(row, "channel"),
        reasons=reasons,
        trajectories=tuple(int(number) for number in fields.items(row, "trajectories")),
        summary=fields.text(row, "summary"),
    )
