"""From marks to cells: which slice a mark lies in, and what of the grid it covers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from engine.case import Case
from engine.core.errors import BadInputError
from engine.core.geometry import Box
from engine.core.times import format_time
from engine.few_shot.feature_reader import Footage
from engine.few_shot.marks import Mark
from engine.motion.motion_maps import MotionMaps
from engine.pipeline.fusion import SCENE

_MOVING_SHARE = 0.1
_LEAST_MOVING = 0.15
_SAME = 0.3


@dataclass(frozen=True, eq=False)
class Place:
    """Where a mark lies.

    Attributes:
        mark: the mark.
        slice: number of the slice nearest to it.
        frame: position of the analysed frame nearest to it.
        cells: bool [R, C], what it covers; of a box that holds something moving only that.
    """

    mark: Mark
    slice: int
    frame: int
    cells: NDArray[np.bool_]


def find_place(motion: MotionReader, footage: Footage, mark: Mark) -> Place:
    """Finds the cells of a mark.

    Raises:
        BadInputError: it lies on nothing: beyond the footage, outside the picture, or a point
            where there is neither a region nor anything that moves.
    """
    plan = footage.stored.plan
    end = float(footage.stored.seconds[-1])
    if mark.seconds > end + 1.0 / plan.rate or not len(footage.seconds):
        raise BadInputError(
            "a mark on nothing, beyond the footage", mark.where(), f"it ends at {format_time(end)}"
        )
    number = int(np.abs(footage.seconds - mark.seconds).argmin())
    frame = footage.frame_at(mark.seconds)
    moving = _moving(motion, footage, frame)
    if mark.shape == "point":
        cells = _at_point(motion.case, footage, mark, frame, moving)
    else:
        cells = _covered(footage, mark)
        if not cells.any():
            raise BadInputError(
                "a mark on nothing, outside the picture", mark.where(), "mark inside the picture"
            )
        if mark.shape == "box":
            cells = _what_moves(cells, moving)
    return Place(mark, number, frame, cells)


def cells_of_box(motion: MotionReader, footage: Footage, frame: int, box: Box) -> NDArray[np.bool_]:
    """Returns the cells, bool [R, C], of what moves in a box of decoded pixels, or of all of it.

    Args:
        motion: of the case.
        footage: that is seen.
        frame: position of the analysed frame.
        box: in it.
    """
    cells = _box(footage, box.x, box.y, box.x + box.w, box.y + box.h)
    return _what_moves(cells, _moving(motion, footage, frame))


def check_agreement(places: list[Place]) -> None:
    """Makes sure that no marks contradict each other.

    Raises:
        BadInputError: the same place of one frame is marked as normal and as abnormal.
    """
    seen: dict[tuple[int, int], list[Place]] = {}
    for place in places:
        others = seen.setdefault((place.mark.evidence_id, place.slice), [])
        for other in others:
            shared = (place.cells & other.cells).sum()
            whole = min(place.cells.sum(), other.cells.sum())
            if place.mark.normal != other.mark.normal and shared > _SAME * whole:
                raise BadInputError(
                    f'marks contradict each other: "{other.mark.name}" and "{place.mark.name}" '
                    "lie on the same place, one normal, one abnormal",
                    place.mark.where(),
                    "remove one of them",
                )
        others.append(place)


class MotionReader:
    """Reads the motion around analysed frames; marks lie close together, so one chunk is kept.

    Args:
        case: holds the runs.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        self._kept: tuple[tuple[int, int], MotionMaps] | None = None

    def around(self, footage: Footage, frame: int) -> tuple[MotionMaps, int]:
        """Returns the motion of the chunk that holds an analysed frame, and its first position."""
        chunk = frame // footage.stored.plan.chunk
        key = (footage.run.id, chunk)
        if self._kept is None or self._kept[0] != key:
            read = self.case.chunks.read(footage.run.id, SCENE, chunk)
            self._kept = (key, MotionMaps.decode(read.raw))
        return self._kept[1], footage.stored.plan.span(chunk)[0]


def _what_moves(cells: NDArray[np.bool_], moving: NDArray[np.bool_]) -> NDArray[np.bool_]:
    inside = cells & moving
    return inside if inside.sum() >= max(1, _LEAST_MOVING * cells.sum()) else cells


def _moving(motion: MotionReader, footage: Footage, frame: int) -> NDArray[np.bool_]:
    maps, first = motion.around(footage, frame)
    cell = footage.stored.plan.grid.cell
    return np.asarray(maps.foreground[frame - first] > _MOVING_SHARE * cell**2, np.bool_)


def _at_point(
    case: Case, footage: Footage, mark: Mark, frame: int, moving: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    x, y = mark.points[0]
    index = int(footage.stored.plan.frames[frame])
    found = [
        row.region
        for row in case.results.regions(footage.run.id, index, index)
        if row.region.box.x <= x < row.region.box.x + row.region.box.w
        and row.region.box.y <= y < row.region.box.y + row.region.box.h
    ]
    if found:
        box = min((one.box for one in found), key=lambda one: one.area)
        inside = _box(footage, box.x, box.y, box.x + box.w, box.y + box.h)
        return inside & moving if (inside & moving).any() else inside
    grid = footage.stored.plan.grid
    row, column = int(y // grid.scale_y), int(x // grid.scale_x)
    there = 0 <= row < grid.rows and 0 <= column < grid.columns
    near = moving[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
    if not there or not near.any():
        raise BadInputError(
            "a mark on nothing: no region and nothing that moves there",
            mark.where(),
            "draw a box around the target",
        )
    labels, _ = ndimage.label(moving)
    part = labels[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
    blob = int(np.bincount(part[part > 0]).argmax())
    return np.asarray(labels == blob, np.bool_)


def _covered(footage: Footage, mark: Mark) -> NDArray[np.bool_]:
    if mark.shape == "box":
        (x, y), (to_x, to_y) = mark.points
        return _box(footage, x, y, to_x, to_y)
    grid = footage.stored.plan.grid
    rows, columns = np.mgrid[: grid.rows, : grid.columns] + 0.5
    rows, columns = rows * grid.scale_y, columns * grid.scale_x
    reach = max(mark.radius, 0.5 * min(grid.scale_x, grid.scale_y))
    cells = np.zeros((grid.rows, grid.columns), np.bool_)
    ends = list(zip(mark.points, mark.points[1:], strict=False)) or [(mark.points[0],) * 2]
    for (x, y), (to_x, to_y) in ends:
        dx, dy = to_x - x, to_y - y
        length = dx * dx + dy * dy
        along = ((columns - x) * dx + (rows - y) * dy) / length if length else np.zeros_like(rows)
        along = np.clip(along, 0, 1)
        cells |= np.hypot(columns - x - along * dx, rows - y - along * dy) <= reach
    return cells


def _box(footage: Footage, x: float, y: float, to_x: float, to_y: float) -> NDArray[np.bool_]:
    """Returns the cells that a box covers by half, or those it touches when it is that small."""
    grid = footage.stored.plan.grid

    def share(start: float, stop: float, scale: float, count: int) -> NDArray[np.float64]:
        edges = np.arange(count) * scale
        covered = np.minimum(edges + scale, stop) - np.maximum(edges, start)
        return np.asarray(np.maximum(covered, 0) / scale, np.float64)

    covered = np.outer(
        share(y, to_y, grid.scale_y, grid.rows), share(x, to_x, grid.scale_x, grid.columns)
    )
    cells = covered >= 0.5
    return np.asarray(cells if cells.any() else covered > 0, np.bool_)
