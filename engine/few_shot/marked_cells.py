"""Finds the slice and the cells that a mark covers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from engine.case import Case
from engine.core.channels import SCENE
from engine.core.errors import BadInputError
from engine.core.geometry import Box
from engine.core.times import format_time
from engine.few_shot.feature_reader import RunFeatures
from engine.few_shot.marks import Mark
from engine.motion.motion_maps import MotionMaps

_MOVING_SHARE = 0.1  # Share of the pixels of a moving cell that are foreground, at least; a choice.
# Share of the cells of a box that must move, or the whole box is taken; a choice.
_MIN_MOVING_SHARE = 0.15
# Share of the smaller of two marks above which they cover the same target; a choice.
_SAME_TARGET_SHARE = 0.3


@dataclass(frozen=True, eq=False)
class LocatedMark:
    """A mark with the slice, the frame and the cells that it covers.

    Attributes:
        mark: the mark.
        slice: number of the slice nearest to it in time.
        frame: number, among the analysed frames, of the one nearest to it.
        cells: bool [R, C], the cells that it covers; of a box in which something moves only those.
    """

    mark: Mark
    slice: int
    frame: int
    cells: NDArray[np.bool_]


def locate_mark(motion: MotionReader, features: RunFeatures, mark: Mark) -> LocatedMark:
    """Finds the slice and the cells of a mark.

    Raises:
        BadInputError: the mark lies beyond the footage, outside the frame, or is a point where
            there is neither a region nor anything that moves.
    """
    plan = features.stored.plan
    end = float(features.stored.seconds[-1])
    if mark.seconds > end + 1.0 / plan.rate or not len(features.seconds):
        raise BadInputError(
            "a mark on nothing, beyond the footage", mark.where(), f"it ends at {format_time(end)}"
        )
    number = int(np.abs(features.seconds - mark.seconds).argmin())
    frame = features.frame_at(mark.seconds)
    moving = _moving_cells(motion, features, frame)
    if mark.shape == "point":
        cells = _cells_at_point(motion.case, features, mark, frame, moving)
    else:
        cells = _cells_under_mark(features, mark)
        if not cells.any():
            raise BadInputError(
                "a mark on nothing, outside the picture", mark.where(), "mark inside the picture"
            )
        if mark.shape == "box":
            cells = _narrow_to_moving(cells, moving)
    return LocatedMark(mark, number, frame, cells)


def cells_of_box(
    motion: MotionReader, features: RunFeatures, frame: int, box: Box
) -> NDArray[np.bool_]:
    """Returns the cells, bool [R, C], of what moves in a box, or of the whole box.

    Args:
        motion: reads the motion of the case.
        features: the run.
        frame: number of the frame among the analysed ones.
        box: in decoded pixels.
    """
    cells = _box_cells(features, box.x, box.y, box.x + box.w, box.y + box.h)
    return _narrow_to_moving(cells, _moving_cells(motion, features, frame))


def check_agreement(located: list[LocatedMark]) -> None:
    """Makes sure that no marks contradict each other.

    Raises:
        BadInputError: the same cells of one slice are marked as normal and as abnormal.
    """
    by_slice: dict[tuple[int, int], list[LocatedMark]] = {}
    for current in located:
        mark = current.mark
        others = by_slice.setdefault((mark.evidence_id, current.slice), [])
        for other in others:
            shared = (current.cells & other.cells).sum()
            smaller = min(current.cells.sum(), other.cells.sum())
            if mark.normal != other.mark.normal and shared > _SAME_TARGET_SHARE * smaller:
                raise BadInputError(
                    f'marks contradict each other: "{other.mark.name}" and "{mark.name}" '
                    "lie on the same place, one normal, one abnormal",
                    mark.where(),
                    "remove one of them",
                )
        others.append(current)


class MotionReader:
    """Reads the motion around analysed frames, and keeps the last chunk: marks lie close together.

    Args:
        case: the case that holds the runs.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        self._chunk: tuple[tuple[int, int], MotionMaps] | None = None

    def around(self, features: RunFeatures, frame: int) -> tuple[MotionMaps, int]:
        """Returns the motion of the chunk that holds an analysed frame, and its first frame.

        Both frames are numbers among the analysed ones.
        """
        chunk = frame // features.stored.plan.chunk
        key = (features.run.id, chunk)
        if self._chunk is None or self._chunk[0] != key:
            row = self.case.chunks.read(features.run.id, SCENE, chunk)
            self._chunk = (key, MotionMaps.decode(row.raw))
        return self._chunk[1], features.stored.plan.span(chunk)[0]


def _narrow_to_moving(cells: NDArray[np.bool_], moving: NDArray[np.bool_]) -> NDArray[np.bool_]:
    inside = cells & moving
    return inside if inside.sum() >= max(1, _MIN_MOVING_SHARE * cells.sum()) else cells


def _moving_cells(motion: MotionReader, features: RunFeatures, frame: int) -> NDArray[np.bool_]:
    maps, first = motion.around(features, frame)
    cell = features.stored.plan.grid.cell
    return np.asarray(maps.foreground[frame - first] > _MOVING_SHARE * cell**2, np.bool_)


def _cells_at_point(
    case: Case, features: RunFeatures, mark: Mark, frame: int, moving: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Returns the cells of the smallest region at a point, or of what moves there."""
    x, y = mark.points[0]
    index = int(features.stored.plan.frames[frame])
    boxes = [
        row.region.box
        for row in case.results.regions(features.run.id, index, index)
        if row.region.box.x <= x < row.region.box.x + row.region.box.w
        and row.region.box.y <= y < row.region.box.y + row.region.box.h
    ]
    if boxes:
        box = min(boxes, key=lambda box: box.area)
        inside = _box_cells(features, box.x, box.y, box.x + box.w, box.y + box.h)
        return inside & moving if (inside & moving).any() else inside
    grid = features.stored.plan.grid
    row, column = int(y // grid.scale_y), int(x // grid.scale_x)
    in_grid = 0 <= row < grid.rows and 0 <= column < grid.columns
    near = moving[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
    if not in_grid or not near.any():
        raise BadInputError(
            "a mark on nothing: no region and nothing that moves there",
            mark.where(),
            "draw a box around the target",
        )
    labels, _ = ndimage.label(moving)
    near_labels = labels[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
    label = int(np.bincount(near_labels[near_labels > 0]).argmax())
    return np.asarray(labels == label, np.bool_)


def _cells_under_mark(features: RunFeatures, mark: Mark) -> NDArray[np.bool_]:
    """Returns the cells of a box, or those whose middles a brush has passed over."""
    if mark.shape == "box":
        (x, y), (to_x, to_y) = mark.points
        return _box_cells(features, x, y, to_x, to_y)
    grid = features.stored.plan.grid
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


def _box_cells(
    features: RunFeatures, x: float, y: float, to_x: float, to_y: float
) -> NDArray[np.bool_]:
    """Returns the cells that a box covers by half, or of a very small box those it touches."""
    grid = features.stored.plan.grid

    def share(start: float, stop: float, scale: float, count: int) -> NDArray[np.float64]:
        edges = np.arange(count) * scale
        covered = np.minimum(edges + scale, stop) - np.maximum(edges, start)
        return np.asarray(np.maximum(covered, 0) / scale, np.float64)

    covered = np.outer(
        share(y, to_y, grid.scale_y, grid.rows), share(x, to_x, grid.scale_x, grid.columns)
    )
    cells = covered >= 0.5
    return np.asarray(cells if cells.any() else covered > 0, np.bool_)
