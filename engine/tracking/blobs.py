"""Blobs: foreground that moves together, found where a target is expected or a region is hot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from engine.motion.motion_maps import SPEED_UNIT
from engine.tracking.regions import EIGHT, CutRegion
from engine.tracking.tracking_block import (
    CellBox,
    FrameMaps,
    box_around,
    box_centre,
    box_shared,
    box_size,
)

_LEAST_PIXELS = 6
_INSIDE_SHARE = 0.3
_LEAST_MASS_SHARE = 0.15
_SHIFTS = 3
_GROWTH = 1.8
_TOLERANCE_SPEED = 0.5
_TOLERANCE_SIZE = 0.3

_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Blob:
    """What stands for a target in one frame.

    Attributes:
        box: in cells.
        velocity: mean of its foreground, cells a second.
        mass: foreground pixels.
        whole: its foreground is one compact part; otherwise it is merged with others', and only
            its place was found.
    """

    box: CellBox
    velocity: tuple[float, float]
    mass: float
    whole: bool


@dataclass(frozen=True)
class _Part:
    """Foreground around a box: cell offsets of the window, weights and velocities."""

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
    """Finds the foreground at a place that moves with about a given velocity.

    Args:
        maps: of the frame.
        cell: edge of a cell in analysis pixels.
        box: where it is expected.
        velocity: expected, cells a second.
        limit: width and height in cells up to which a blob is taken whole; of a larger one,
            which is merged with others, only the place is found.

    Returns:
        None when hardly any such foreground lies in the box.
    """
    width, height = box_size(box)
    reach_x, reach_y = max(1.5, width, limit[0] / 2), max(1.5, height, limit[1] / 2)
    wide = (box[0] - reach_x, box[1] - reach_y, box[2] + reach_x, box[3] + reach_y)
    part = _similar_part(maps, cell, wide, velocity, (width + height) / 2)
    here = _coverage(part, box) * part.weight
    mass = float(here.sum())
    if mass < _LEAST_PIXELS:
        return None
    chosen = _components_inside(part.weight, here)
    bounds = _bounds(chosen, part)
    whole = fits(bounds, limit)
    if not whole:
        bounds = _shifted(part, box)
    weight = np.where(chosen, part.weight, 0.0) * _coverage(part, bounds)
    total = float(weight.sum())
    if total < max(_LEAST_PIXELS, _LEAST_MASS_SHARE * mass):
        return None
    mean = float((weight * part.vx).sum() / total), float((weight * part.vy).sum() / total)
    return Blob(bounds, mean, total, whole)


def region_blob(maps: FrameMaps, cell: int, region: CutRegion) -> Blob:
    """Finds what a hot region stands for.

    The heatmap is smoothed and wider than what moves: the blob is the foreground in the region,
    grown to the whole target where that is one compact part, and the region itself where there
    is no foreground (something left behind, or a channel that does not look at motion).
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
    if count.sum() < _LEAST_PIXELS:
        return Blob(whole_box, (0.0, 0.0), float(region.mask.sum()), True)
    # The hottest foreground says how the target moves; around it walk others.
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
    found = find_blob(maps, cell, box, velocity, size_limit(box_size(box)))
    if found is None or not found.whole:
        return Blob(box, velocity, float(count.sum()), True)
    return found


def _similar_part(
    maps: FrameMaps, cell: int, wide: CellBox, velocity: tuple[float, float], size: float
) -> _Part:
    window = maps.window(wide)
    unit = SPEED_UNIT / cell
    vx = maps.vx[window].astype(np.float64) * unit
    vy = maps.vy[window].astype(np.float64) * unit
    # Rims of a fast target are averaged with the ground behind it, hence the wide share.
    tolerance = _TOLERANCE_SPEED * float(np.hypot(*velocity)) + _TOLERANCE_SIZE * size
    near = (vx - velocity[0]) ** 2 + (vy - velocity[1]) ** 2 <= tolerance**2
    weight = np.where(near, maps.foreground[window], 0).astype(np.float64)
    return _Part(window[0].start, window[1].start, weight, vx, vy)


def _coverage(part: _Part, box: CellBox) -> _Floats:
    """Share of each cell of the part that a box covers, float64 [rows, columns]."""
    rows, columns = part.weight.shape
    y, x = part.row + np.arange(rows), part.column + np.arange(columns)
    down = np.clip(np.minimum(y + 1, box[3]) - np.maximum(y, box[1]), 0, 1)
    across = np.clip(np.minimum(x + 1, box[2]) - np.maximum(x, box[0]), 0, 1)
    return np.asarray(down[:, None] * across[None, :], np.float64)


def _components_inside(weight: _Floats, here: _Floats) -> NDArray[np.bool_]:
    """Cells of the components that lie mainly inside, and of the largest that does at all."""
    labels, count = ndimage.label(weight > 0, EIGHT)
    total = np.bincount(labels.ravel(), weight.ravel(), count + 1)
    inside = np.bincount(labels.ravel(), here.ravel(), count + 1)
    total[0], inside[0] = 1.0, 0.0
    keep = inside >= _INSIDE_SHARE * total
    keep[0] = False
    keep[int(inside.argmax())] = True
    return np.asarray(keep[labels])


def _bounds(chosen: NDArray[np.bool_], part: _Part) -> CellBox:
    ys, xs = np.flatnonzero(chosen.any(1)), np.flatnonzero(chosen.any(0))
    return (
        float(part.column + xs[0]),
        float(part.row + ys[0]),
        float(part.column + xs[-1] + 1),
        float(part.row + ys[-1] + 1),
    )


def _shifted(part: _Part, box: CellBox) -> CellBox:
    """Moves a box of fixed size to the foreground it covers (mean shift)."""
    rows, columns = part.weight.shape
    y, x = part.row + np.arange(rows) + 0.5, part.column + np.arange(columns) + 0.5
    size = box_size(box)
    for _ in range(_SHIFTS):
        weight = part.weight * _coverage(part, box)
        total = float(weight.sum())
        if total <= 0:
            break
        centre = float((weight.sum(0) * x).sum() / total), float((weight.sum(1) * y).sum() / total)
        box = box_around(centre, size)
    return box


def size_limit(size: tuple[float, float]) -> tuple[float, float]:
    """Returns how large, in cells, something of a size may look a moment later."""
    return _GROWTH * size[0] + 1, _GROWTH * size[1] + 1


def fits(box: CellBox, limit: tuple[float, float]) -> bool:
    """Whether a box is no larger than a limit in either direction."""
    width, height = box_size(box)
    return width <= limit[0] and height <= limit[1]


def same_blob(one: Blob, other: Blob) -> bool:
    """Whether two blobs of one frame are one: a region that fell apart finds its target twice."""
    smaller = min(
        box_size(one.box)[0] * box_size(one.box)[1], box_size(other.box)[0] * box_size(other.box)[1]
    )
    return box_shared(one.box, other.box) > 0.7 * smaller


def centre_distance(one: CellBox, other: CellBox) -> float:
    """Returns the distance of two centres in cells."""
    (x0, y0), (x1, y1) = box_centre(one), box_centre(other)
    return float(np.hypot(x1 - x0, y1 - y0))
