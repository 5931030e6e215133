"""Finished trajectories: boxes in decoded pixels, start, end and direction in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.core.findings import Trajectory
from engine.core.geometry import cell_name, direction_name
from engine.motion.grid import Grid
from engine.tracking.target_state import TargetSample

# Choices; docs/decisions/0006-where-a-target-enters.md says why a start is not just a centre.
_ENTRANCE_S = 0.4  # How long after its first box a target is taken to be entering.
_MIN_SIDE_SHARE = 0.3  # A narrower first box is a wheel or a shadow, not yet the target.
_ENTERING_SHARE = 0.5  # A box at a side edge below this share of its width is still entering.
_LEADING_HEIGHT = 0.25  # Height above ground, in heights of the target, of what enters first.

IN_PLACE = "in place"
"""Direction of a trajectory that stays where it is."""


@dataclass(frozen=True, eq=False)
class TargetPath:
    """The path of one finished target: a trajectory that has no number yet.

    Attributes:
        frames: int64 [n].
        pts: int64 [n].
        boxes: int32 [n, 4], x, y, w, h in decoded pixels.
        scores: float32 [n].
        start_s: stream time of the first frame.
        end_s: stream time of the last frame.
        start: centre where it was first seen, in decoded pixels.
        end: centre where it was last seen.
        relative_speed: median, in multiples of the usual speed; None when unknown.
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


def make_path(samples: Sequence[TargetSample], grid: Grid) -> TargetPath:
    """Makes a path from at least one sample; samples ascend by frame."""
    ratios = np.array([sample.speed_ratio for sample in samples])
    known_ratios = ratios[np.isfinite(ratios)]
    boxes = _to_pixels(np.array([sample.box for sample in samples]), grid)
    seconds = np.array([sample.seconds for sample in samples])
    return TargetPath(
        np.array([sample.frame for sample in samples], np.int64),
        np.array([sample.pts for sample in samples], np.int64),
        boxes,
        np.array([sample.score for sample in samples], np.float32),
        samples[0].seconds,
        samples[-1].seconds,
        _entrance(boxes[seconds <= seconds[0] + _ENTRANCE_S], grid),
        _entrance(boxes[seconds >= seconds[-1] - _ENTRANCE_S][::-1], grid),
        float(np.median(known_ratios)) if len(known_ratios) else None,
    )


def number_paths(paths: Sequence[TargetPath], grid: Grid) -> list[Trajectory]:
    """Numbers paths from 1 in order of first frame, then from the top left."""
    ordered = sorted(
        paths,
        key=lambda p: (int(p.frames[0]), *(int(v) for v in p.boxes[0][[1, 0]]), len(p.frames)),
    )
    return [_trajectory(number, path, grid) for number, path in enumerate(ordered, start=1)]


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


def _trajectory(number: int, path: TargetPath, grid: Grid) -> Trajectory:
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
    the centre of the first box that is not too narrow.
    """
    typical = np.median(boxes[:, 2:], axis=0)
    x, _, w, _ = (int(value) for value in boxes[0])
    if x < grid.scale_x or x + w > grid.source_width - grid.scale_x:
        centre = _centre(boxes[0])
        if w < _ENTERING_SHARE * typical[0]:
            return centre
        foot = float(np.median(boxes[:, 1] + boxes[:, 3]))
        return centre[0], foot - _LEADING_HEIGHT * float(typical[1])
    large_enough = np.flatnonzero((boxes[:, 2:] >= _MIN_SIDE_SHARE * typical).all(axis=1))
    return _centre(boxes[large_enough[0]] if len(large_enough) else boxes[0])


def _to_pixels(boxes: NDArray[np.float64], grid: Grid) -> NDArray[np.int32]:
    """Turns boxes in cells, float64 [n, 4] with exclusive ends, into decoded pixels x, y, w, h."""
    scale = np.array([grid.scale_x, grid.scale_y] * 2)
    limit = np.array([grid.source_width, grid.source_height] * 2)
    corners = np.clip(np.rint(boxes * scale), 0, limit).astype(np.int32)
    low = np.minimum(corners[:, :2], limit[:2] - 1)
    sides = np.maximum(1, corners[:, 2:] - low)
    return np.concatenate([low, sides], axis=1).astype(np.int32)
