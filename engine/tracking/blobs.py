"""Finds blobs: foreground that moves together where a target is expected or a region is hot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from engine.core.geometry import box_area, shared_area
from engine.motion.motion_maps import SPEED_UNIT
from engine.tracking.regions import EIGHT_CONNECTED, CutRegion
from engine.tracking.tracking_block import CellBox, FrameMaps, box_around, box_centre, box_size

# Choices, each to be judged by the benchmarks of tracking; none was measured by itself.
_MIN_FOREGROUND_PIXELS = 6  # Fewer are noise: a tenth of one cell of 8 x 8 pixels.
_MIN_INSIDE_SHARE = 0.3  # Share of a component that must lie where the target is expected.
_MIN_MASS_SHARE = 0.15  # Share of the expected foreground that a blob must still cover.
_MEAN_SHIFT_STEPS = 3  # Bounds the search; the box hardly moves after the third step.
_MAX_GROWTH = 1.8  # A target that looks larger a moment later is merged with others.
_VELOCITY_TOLERANCE = 0.5  # Share of the expected speed by which foreground may differ from it.
_SIZE_TOLERANCE = 0.3  # Added to that: cells a second for each cell of the target's edge.
_SAME_BLOB_SHARE = 0.7  # Share of the smaller box that two finds of one target have in common.

_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Blob:
    """The part of one frame that is taken for a target.

    Attributes:
        box: in cells.
        velocity: mean of its foreground, cells a second.
        mass: foreground pixels.
        whole: its foreground is one compact part; otherwise it is merged with that of others, and
            only its centre is known.
    """

    box: CellBox
    velocity: tuple[float, float]
    mass: float
    whole: bool


@dataclass(frozen=True)
class _Foreground:
    """Foreground around a box: offset of the window in cells, pixels a cell, cells a second."""

    row: int
    column: int
    weight: _Floats
    vx: _Floats
    vy: _Floats


def find_blob(
    maps: FrameMaps,
    cell: int,
    box: CellBox,
    velocity: tuple[float, float],
    limit: tuple[float, float],
) -> Blob | None:
    """Finds the foreground in a box that moves with about a given velocity.

    Args:
        maps: of the frame.
        cell: edge of a cell in analysis pixels.
        box: where it is expected.
        velocity: expected, cells a second.
        limit: width and height in cells up to which a blob is taken whole; of a larger one,
            which is merged with others, only the centre is found.

    Returns:
        None when hardly any such foreground lies in the box.
    """
    width, height = box_size(box)
    reach_x, reach_y = max(1.5, width, limit[0] / 2), max(1.5, height, limit[1] / 2)
    wide = (box[0] - reach_x, box[1] - reach_y, box[2] + reach_x, box[3] + reach_y)
    part = _similar_foreground(maps, cell, wide, velocity, (width + height) / 2)
    expected = _coverage(part, box) * part.weight
    mass = float(expected.sum())
    if mass < _MIN_FOREGROUND_PIXELS:
        return None
    chosen = _components_inside(part.weight, expected)
    bounds = _bounds(chosen, part)
    whole = fits(bounds, limit)
    if not whole:
        bounds = _shift_to_foreground(part, box)
    weight = np.where(chosen, part.weight, 0.0) * _coverage(part, bounds)
    total = float(weight.sum())
    if total < max(_MIN_FOREGROUND_PIXELS, _MIN_MASS_SHARE * mass):
        return None
    mean = float((weight * part.vx).sum() / total), float((weight * part.vy).sum() / total)
    return Blob(bounds, mean, total, whole)


def region_blob(maps: FrameMaps, cell: int, region: CutRegion) -> Blob:
    """Finds the blob behind a hot region.

    The heatmap is smoothed and wider than what moves: the blob is the foreground in the region,
    grown to the whole target where that is one compact part, and the region itself where there
    is no foreground (an abandoned object, or a channel that does not look at motion).
    """
    rows, columns = region.mask.shape
    window = (slice(region.row, region.row + rows), slice(region.column, region.column + columns))
    count = np.where(region.mask, maps.foreground[window], 0).astype(np.float64)
    whole_box = (
        float(region.column),
        float(region.row),
        float(region.column + columns),
        float(region.row + rows),
    )
    if count.sum() < _MIN_FOREGROUND_PIXELS:
        return Blob(whole_box, (0.0, 0.0), float(region.mask.sum()), True)
    # The hottest foreground tells how the target moves; others may walk around it.
    weight = count * maps.heat[window] ** 2
    total = max(float(weight.sum()), 1e-9)
    unit = SPEED_UNIT / cell
    velocity = (
        float((weight * maps.vx[window]).sum() / total) * unit,
        float((weight * maps.vy[window]).sum() / total) * unit,
    )
    ys, xs = np.nonzero(count)
    box = (
        float(xs.min() + region.column),
        float(ys.min() + region.row),
        float(xs.max() + 1 + region.column),
        float(ys.max() + 1 + region.row),
    )
    blob = find_blob(maps, cell, box, velocity, size_limit(box_size(box)))
    if blob is None or not blob.whole:
        return Blob(box, velocity, float(count.sum()), True)
    return blob


def _similar_foreground(
    maps: FrameMaps, cell: int, wide: CellBox, velocity: tuple[float, float], size: float
) -> _Foreground:
    window = maps.window(wide)
    unit = SPEED_UNIT / cell
    vx = maps.vx[window].astype(np.float64) * unit
    vy = maps.vy[window].astype(np.float64) * unit
    # The rim of a fast target is averaged with the ground behind it, hence the wide tolerance.
    tolerance = _VELOCITY_TOLERANCE * float(np.hypot(*velocity)) + _SIZE_TOLERANCE * size
    near = (vx - velocity[0]) ** 2 + (vy - velocity[1]) ** 2 <= tolerance**2
    weight = np.where(near, maps.foreground[window], 0).astype(np.float64)
    return _Foreground(window[0].start, window[1].start, weight, vx, vy)


def _coverage(part: _Foreground, box: CellBox) -> _Floats:
    """Returns the share of each cell of the window that a box covers, float64 [rows, columns]."""
    rows, columns = part.weight.shape
    y, x = part.row + np.arange(rows), part.column + np.arange(columns)
    down = np.clip(np.minimum(y + 1, box[3]) - np.maximum(y, box[1]), 0, 1)
    across = np.clip(np.minimum(x + 1, box[2]) - np.maximum(x, box[0]), 0, 1)
    return np.asarray(down[:, None] * across[None, :], np.float64)


def _components_inside(weight: _Floats, expected: _Floats) -> NDArray[np.bool_]:
    """Returns the cells of components that lie mainly in the expected box.

    The component with the most foreground in it counts in any case.

    Args:
        weight: float64 [rows, columns], foreground pixels a cell.
        expected: the same inside the expected box.
    """
    labels, count = ndimage.label(weight > 0, EIGHT_CONNECTED)
    total = np.bincount(labels.ravel(), weight.ravel(), count + 1)
    inside = np.bincount(labels.ravel(), expected.ravel(), count + 1)
    total[0], inside[0] = 1.0, 0.0
    is_inside = inside >= _MIN_INSIDE_SHARE * total
    is_inside[0] = False
    is_inside[int(inside.argmax())] = True
    return np.asarray(is_inside[labels])


def _bounds(chosen: NDArray[np.bool_], part: _Foreground) -> CellBox:
    ys, xs = np.flatnonzero(chosen.any(1)), np.flatnonzero(chosen.any(0))
    return (
        float(part.column + xs[0]),
        float(part.row + ys[0]),
        float(part.column + xs[-1] + 1),
        float(part.row + ys[-1] + 1),
    )


def _shift_to_foreground(part: _Foreground, box: CellBox) -> CellBox:
    """Moves a box of fixed size to the foreground it covers, by mean shift."""
    rows, columns = part.weight.shape
    y, x = part.row + np.arange(rows) + 0.5, part.column + np.arange(columns) + 0.5
    size = box_size(box)
    for _ in range(_MEAN_SHIFT_STEPS):
        weight = part.weight * _coverage(part, box)
        total = float(weight.sum())
        if total <= 0:
            break
        centre = float((weight.sum(0) * x).sum() / total), float((weight.sum(1) * y).sum() / total)
        box = box_around(centre, size)
    return box


def size_limit(size: tuple[float, float]) -> tuple[float, float]:
    """Returns how large, in cells, something of a size may look a moment later."""
    return _MAX_GROWTH * size[0] + 1, _MAX_GROWTH * size[1] + 1


def fits(box: CellBox, limit: tuple[float, float]) -> bool:
    """Returns whether a box is no larger than a limit in either direction."""
    width, height = box_size(box)
    return width <= limit[0] and height <= limit[1]


def same_blob(blob: Blob, other: Blob) -> bool:
    """Returns whether two blobs of one frame are one: a split region finds its target twice."""
    smaller = min(box_area(blob.box), box_area(other.box))
    return shared_area(blob.box, other.box) > _SAME_BLOB_SHARE * smaller


def centre_distance(box: CellBox, other: CellBox) -> float:
    """Returns the distance between the centres of two boxes, in cells."""
    (x0, y0), (x1, y1) = box_centre(box), box_centre(other)
    return float(np.hypot(x1 - x0, y1 - y0))
