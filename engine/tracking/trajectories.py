"""Finished trajectories: boxes in decoded pixels, places and directions in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.core.directions import cell_name, direction_name
from engine.core.findings import Trajectory
from engine.motion.grid import Grid
from engine.tracking.target_state import Sample

_MOMENT_S = 0.4
_LEAST_SIDE = 0.3
"""What is first seen of a target, a wheel or a shadow, is not yet where the target is."""
_ENTERING = 0.5
_LEADING = 0.25
"""At a side edge: share of the width that is still entering, height of what leads above ground."""

IN_PLACE = "in place"
"""Direction of a trajectory that stays where it is."""


@dataclass(frozen=True, eq=False)
class Path:
    """A trajectory without its number.

    Attributes:
        frames: int64 [n].
        pts: int64 [n].
        boxes: int32 [n, 4], x, y, w, h in decoded pixels.
        scores: float32 [n].
        start_s: stream time of the first frame.
        end_s: stream time of the last frame.
        start: centre where it was first seen, in decoded pixels.
        end: centre where it was last seen.
        relative_speed: median, in times of the usual; None when unknown.
    """

    frames: NDArray[np.int64]
    pts: NDArray[np.int64]
    boxes: NDArray[np.int32]
    scores: NDArray[np.float32]
    start_s: float
    end_s: float
    start: tuple[float, float]
    end: tuple[float, float]
    relative_speed: float | None


def make_path(samples: Sequence[Sample], grid: Grid) -> Path:
    """Makes a path of at least one sample, ascending by frame."""
    ratios = np.array([sample.speed_ratio for sample in samples])
    known = ratios[np.isfinite(ratios)]
    boxes = _decoded(np.array([sample.box for sample in samples]), grid)
    seconds = np.array([sample.seconds for sample in samples])
    return Path(
        np.array([sample.frame for sample in samples], np.int64),
        np.array([sample.pts for sample in samples], np.int64),
        boxes,
        np.array([sample.score for sample in samples], np.float32),
        samples[0].seconds,
        samples[-1].seconds,
        _entrance(boxes[seconds <= seconds[0] + _MOMENT_S], grid),
        _entrance(boxes[seconds >= seconds[-1] - _MOMENT_S][::-1], grid),
        float(np.median(known)) if len(known) else None,
    )


def number_paths(paths: Sequence[Path], grid: Grid) -> list[Trajectory]:
    """Numbers paths from 1 in order of first frame, then from the top left."""
    order = sorted(
        paths,
        key=lambda p: (int(p.frames[0]), *(int(v) for v in p.boxes[0][[1, 0]]), len(p.frames)),
    )
    return [_trajectory(number, path, grid) for number, path in enumerate(order, start=1)]


def movement(boxes: NDArray[np.int32]) -> str:
    """Names the direction from the first to the last of boxes int32 [n, 4].

    Returns:
        A direction on screen, or `in place` when the displacement is smaller than the mean edge
        of the boxes.
    """
    (x0, y0), (x1, y1) = _centre(boxes[0]), _centre(boxes[-1])
    if np.hypot(x1 - x0, y1 - y0) < float(boxes[:, 2:].mean()):
        return IN_PLACE
    return direction_name(x1 - x0, y1 - y0)


def _trajectory(number: int, path: Path, grid: Grid) -> Trajectory:
    size = grid.source_width, grid.source_height
    return Trajectory(
        number,
        path.frames,
        path.pts,
        path.boxes,
        path.scores,
        path.start_s,
        path.end_s,
        cell_name(*path.start, *size),
        cell_name(*path.end, *size),
        movement(path.boxes),
        path.relative_speed,
    )


def _centre(box: NDArray[np.int32]) -> tuple[float, float]:
    x, y, w, h = (int(value) for value in box)
    return x + (w - 1) / 2, y + (h - 1) / 2


def _entrance(boxes: NDArray[np.int32], grid: Grid) -> tuple[float, float]:
    """Returns where a target is first seen, from its first boxes int32 [n, 4].

    At the left or right edge that is the part which enters first. When it was missed and the
    target is half inside already, it is a foot or a wheel, low in the target. Elsewhere it is
    the centre of the first box that is no mere sliver.
    """
    typical = np.median(boxes[:, 2:], axis=0)
    x, _, w, _ = (int(value) for value in boxes[0])
    if x < grid.scale_x or x + w > grid.source_width - grid.scale_x:
        centre = _centre(boxes[0])
        if w < _ENTERING * typical[0]:
            return centre
        foot = float(np.median(boxes[:, 1] + boxes[:, 3]))
        return centre[0], foot - _LEADING * float(typical[1])
    enough = np.flatnonzero((boxes[:, 2:] >= _LEAST_SIDE * typical).all(axis=1))
    return _centre(boxes[enough[0]] if len(enough) else boxes[0])


def _decoded(boxes: NDArray[np.float64], grid: Grid) -> NDArray[np.int32]:
    """Turns boxes in cells, float64 [n, 4] with exclusive ends, into decoded pixels x, y, w, h."""
    scale = np.array([grid.scale_x, grid.scale_y] * 2)
    limit = np.array([grid.source_width, grid.source_height] * 2)
    corners = np.clip(np.rint(boxes * scale), 0, limit).astype(np.int32)
    low = np.minimum(corners[:, :2], limit[:2] - 1)
    sides = np.maximum(1, corners[:, 2:] - low)
    return np.concatenate([low, sides], axis=1).astype(np.int32)
