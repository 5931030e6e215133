"""The region mask: regions of interest and ignored regions, and which cells count for them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.detectors.scene.observation import MotionBlock
from engine.motion.grid import Grid
from engine.motion.motion_maps import MotionMaps

Polygon = tuple[tuple[float, float], ...]
"""Corners (x, y) in decoded pixels, in order around it."""

# Polygons come from files and requests; these bound the work that a damaged one can make.
_MAX_CORNERS = 1000  # Of a polygon; a person draws a few dozen.
_MAX_POLYGONS = 100  # Of each kind.
_MAX_COORDINATE = 1e6  # In pixels; no frame is as large.


@dataclass(frozen=True)
class RegionMask:
    """Polygons that say which parts of the frame are analysed.

    Attributes:
        ignore: polygons inside which nothing is analysed.
        interest: polygons outside which nothing is analysed; none for the whole frame.
    """

    ignore: tuple[Polygon, ...] = ()
    interest: tuple[Polygon, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.ignore or self.interest)

    def cells(self, grid: Grid) -> NDArray[np.bool_]:
        """Returns which cells count, by their centres, bool [R, C]."""
        y, x = np.mgrid[: grid.rows, : grid.columns] + 0.5
        x, y = x * grid.scale_x, y * grid.scale_y
        counts = np.ones((grid.rows, grid.columns), np.bool_)
        if self.interest:
            counts = np.logical_or.reduce([_inside(polygon, x, y) for polygon in self.interest])
        for polygon in self.ignore:
            counts &= ~_inside(polygon, x, y)
        return counts

    def apply(self, blocks: Iterable[MotionBlock], grid: Grid) -> Iterable[MotionBlock]:
        """Clears the cells that do not count; gives the same blocks when all of them do."""
        if not self:
            return blocks
        counts = self.cells(grid)
        return ((_clear_cells(maps, counts), seconds) for maps, seconds in blocks)


WHOLE_FRAME = RegionMask()


def _clear_cells(maps: MotionMaps, counts: NDArray[np.bool_]) -> MotionMaps:
    """Returns maps with nothing in the cells that do not count.

    Args:
        maps: of any number of frames.
        counts: bool [R, C].
    """
    height, width = maps.background.shape
    rows = np.minimum(np.arange(height) * len(counts) // height, len(counts) - 1)
    columns = np.arange(width) * counts.shape[1] // width
    background_counts = counts[np.ix_(rows, columns)]
    return replace(
        maps,
        foreground=maps.foreground * counts,
        vx=maps.vx * counts,
        vy=maps.vy * counts,
        background=maps.background * background_counts,
    )


def parse_polygons(values: object) -> tuple[Polygon, ...]:
    """Reads polygons from JSON values `[[[x, y], ...], ...]`.

    Raises:
        BadInputError: they are no polygons, or too many.
    """
    polygons = _list(values)
    if len(polygons) > _MAX_POLYGONS:
        raise BadInputError("too many regions", len(polygons), f"give {_MAX_POLYGONS} at most")
    return tuple(_polygon(_list(polygon)) for polygon in polygons)


def parse_polygon(text: str) -> Polygon:
    """Reads a polygon from `X,Y X,Y X,Y ...` in decoded pixels.

    Raises:
        BadInputError: the text is no polygon.
    """
    try:
        corners = [[float(value) for value in corner.split(",")] for corner in text.split()]
    except ValueError as error:
        raise BadInputError("not a region", text, "write X,Y X,Y X,Y in pixels") from error
    return _polygon(corners)


def _polygon(corners: Sequence[object]) -> Polygon:
    if not 3 <= len(corners) <= _MAX_CORNERS:
        raise BadInputError(
            "not a region", f"{len(corners)} corners", f"give 3 to {_MAX_CORNERS} corners"
        )
    polygon = []
    for corner in corners:
        values = _list(corner)
        numbers = [float(value) for value in values if isinstance(value, int | float)]
        if len(values) != 2 or len(numbers) != 2 or not all(map(_is_valid, numbers)):
            raise BadInputError("not a corner of a region", str(corner)[:80], "give x, y in pixels")
        polygon.append((numbers[0], numbers[1]))
    return tuple(polygon)


def _is_valid(value: float) -> bool:
    return math.isfinite(value) and abs(value) <= _MAX_COORDINATE


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise BadInputError("not a list of regions", str(value)[:80], "give [[[x, y], ...], ...]")
    return value


def _inside(polygon: Polygon, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Returns whether points lie inside a polygon, by the even-odd rule; bool, shaped as x."""
    inside = np.zeros(x.shape, np.bool_)
    for (x1, y1), (x2, y2) in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        if y1 == y2:
            continue
        crosses = (y1 > y) != (y2 > y)
        inside ^= crosses & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
    return inside
