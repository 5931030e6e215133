"""Writes arrays, regions and trajectories of a run as files.

The files hold results only and nothing about when, where or how long they were computed, so that
equal runs give equal files. The evidence is not needed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.case import Case
from engine.core.findings import Region, Trajectory
from engine.core.progress import CancelToken, ProgressCallback
from engine.export.region_rows import ScoredRegions, write_regions
from engine.export.score_arrays import write_arrays
from engine.pipeline.stored_run import StoredRun, every_heat, every_score

_FRAMES_AT_ONCE = 1024
"""Frames whose regions are read at a time: bounds the memory that a long video takes."""


def write_score_arrays(
    path: Path,
    case: Case,
    stored: StoredRun,
    span: tuple[int, int],
    cancel: CancelToken,
    progress: ProgressCallback,
) -> None:
    """Writes `.npz`: scores, heatmaps, PTS and which frames were analysed, of a span.

    Raises:
        BadInputError: the heatmaps cannot be derived again.
        CancelledError: the user stopped.
        OSError: the file cannot be written.
    """
    here = slice(span[0], span[1] + 1)
    write_arrays(
        path,
        every_score(case, stored)[here],
        every_heat(case, stored, span[0], span[1], cancel, progress),
        (stored.plan.grid.rows, stored.plan.grid.columns),
        stored.index.pts[here],
        stored.is_analysed[here],
    )


def write_region_rows(path: Path, case: Case, stored: StoredRun, span: tuple[int, int]) -> None:
    """Writes `.txt`: rows `frame_id,x_min,y_min,x_max,y_max,score`, frames counted from 0.

    Raises:
        BadInputError: the file cannot be written.
    """
    write_regions(path, ScoredRegions.from_regions(regions_in(case, stored.run.id, span)))


def regions_in(case: Case, run_id: int, span: tuple[int, int]) -> Iterator[Region]:
    """Yields the regions of a span (both ends inclusive) in order of frame."""
    first, last = span
    for start in range(first, last + 1, _FRAMES_AT_ONCE):
        stop = min(last, start + _FRAMES_AT_ONCE - 1)
        for row in case.results.regions(run_id, start, stop):
            yield row.region


def write_trajectories(path: Path, case: Case, stored: StoredRun, span: tuple[int, int]) -> None:
    """Writes `.json`: the whole of every trajectory that touches the span.

    Trajectories have their number within the run: ids of the case differ between equal runs.

    Raises:
        OSError: the file cannot be written.
    """
    first, last = span
    index, grid = stored.index, stored.plan.grid
    lines = [
        json.dumps(trajectory_json(row.trajectory), ensure_ascii=False, allow_nan=False)
        for row in case.results.trajectories(stored.run.id)
        if row.trajectory.frames[0] <= last and row.trajectory.frames[-1] >= first
    ]
    stream = {
        "width": grid.source_width,
        "height": grid.source_height,
        "time_base": [index.time_base.numerator, index.time_base.denominator],
        "first_pts": int(index.pts[0]),
        "frames": len(index),
    }
    # A line each, so that a person can read it and compare two files.
    head = json.dumps(stream)[:-1]
    body = ",\n".join(lines)
    text = f'{head},\n"trajectories": [\n{body}\n]}}\n'
    path.write_text(text, encoding="utf-8", newline="\n")


def trajectory_json(trajectory: Trajectory) -> dict[str, Any]:
    """Returns a trajectory as JSON values; boxes are x, y, w, h in decoded pixels."""
    return {
        "number": trajectory.number,
        "start_s": trajectory.start_s,
        "end_s": trajectory.end_s,
        "from": trajectory.from_cell,
        "to": trajectory.to_cell,
        "direction": trajectory.direction,
        "relative_speed": trajectory.relative_speed,
        "frames": trajectory.frames.tolist(),
        "pts": trajectory.pts.tolist(),
        "boxes": trajectory.boxes.tolist(),
        "scores": trajectory.scores.tolist(),
    }
