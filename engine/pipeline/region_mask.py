"""Which parts of the picture count: regions to ignore and regions of interest."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.motion.grid import Grid
from engine.motion.motion_maps import MotionMaps

Polygon = tuple[tuple[float, float], ...]
"""Corners (x, y) in decoded pixels, in order around it."""

_MOST_CORNERS = 1000
_MOST_POLYGONS = 100
_FURTHEST = 1e6


@dataclass(frozen=True)
class PictureParts:
    """The parts of the picture that count.

    Attributes:
        ignore: polygons inside which nothing counts.
        interest: polygons outside which nothing counts; none for the whole picture.
    """

    ignore: tuple[Polygon, ...] = ()
    interest: tuple[Polygon, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.ignore or self.interest)

    def counting(self, grid: Grid) -> NDArray[np.bool_]:
        """Returns which cells count, by their centres, bool [R, C]."""
        y, x = np.mgrid[: grid.rows, : grid.columns] + 0.5
        x, y = x * grid.scale_x, y * grid.scale_y
        counts = np.ones((grid.rows, grid.columns), np.bool_)
        if self.interest:
            counts = np.logical_or.reduce([_inside(one, x, y) for one in self.interest])
        for one in self.ignore:
            counts &= ~_inside(one, x, y)
        return counts

    def applied(
        self, blocks: Iterable[tuple[MotionMaps, NDArray[np.float64]]], grid: Grid
    ) -> Iterable[tuple[MotionMaps, NDArray[np.float64]]]:
        """Empties the maps where nothing counts; the same blocks when everything does."""
        if not self:
            return blocks
        counts = self.counting(grid)
        return ((emptied(maps, counts), seconds) for maps, seconds in blocks)


WHOLE_PICTURE = PictureParts()


def emptied(maps: MotionMaps, counts: NDArray[np.bool_]) -> MotionMaps:
    """Returns maps without anything in the cells that do not count.

    Args:
        maps: of any number of frames.
        counts: bool [R, C].
    """
    height, width = maps.background.shape
    rows = np.minimum(np.arange(height) * len(counts) // height, len(counts) - 1)
    columns = np.arange(width) * counts.shape[1] // width
    seen = counts[np.ix_(rows, columns)]
    return replace(
        maps,
        foreground=maps.foreground * counts,
        vx=maps.vx * counts,
        vy=maps.vy * counts,
        background=maps.background * seen,
    )


def parse_polygons(values: object) -> tuple[Polygon, ...]:
    """Reads polygons from JSON values `[[[x, y], ...], ...]`.

    Raises:
        BadInputError: they are no polygons, or too many.
    """
    polygons = _list(values)
    if len(polygons) > _MOST_POLYGONS:
        raise BadInputError("too many regions", len(polygons), f"give {_MOST_POLYGONS} at most")
    return tuple(_polygon(_list(one)) for one in polygons)


def parse_polygon(text: str) -> Polygon:
    """Reads a polygon from `X,Y X,Y X,Y ...` in decoded pixels.

    Raises:
        BadInputError: the text is no polygon.
    """
    try:
        corners = [[float(side) for side in corner.split(",")] for corner in text.split()]
    except ValueError as error:
        raise BadInputError("not a region", text, "write X,Y X,Y X,Y in pixels") from error
    return _polygon(corners)


def _polygon(corners: Sequence[object]) -> Polygon:
    if not 3 <= len(corners) <= _MOST_CORNERS:
        raise BadInputError(
            "not a region", f"{len(corners)} corners", f"give 3 to {_MOST_CORNERS} corners"
        )
    found = []
    for corner in corners:
        sides = _list(corner)
        numbers = [float(one) for one in sides if isinstance(one, int | float)]
        if len(sides) != 2 or len(numbers) != 2 or not all(map(_sane, numbers)):
            raise BadInputError("not a corner of a region", str(corner)[:80], "give x, y in pixels")
        found.append((numbers[0], numbers[1]))
    return tuple(found)


def _sane(value: float) -> bool:
    return math.isfinite(value) and abs(value) <= _FURTHEST


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise BadInputError("not a list of regions", str(value)[:80], "give [[[x, y], ...], ...]")
    return value


def _inside(polygon: Polygon, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether points lie inside a polygon, by the even-odd rule."""
    inside = np.zeros(x.shape, np.bool_)
    for (x1, y1), (x2, y2) in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        if y1 == y2:
            continue
        crosses = (y1 > y) != (y2 > y)
        inside ^= crosses & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
    return inside
