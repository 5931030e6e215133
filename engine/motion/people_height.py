"""How high people are in the picture and how fast they usually go, from raw maps alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from engine.motion.box_motion import box_motion
from engine.motion.motion_maps import MotionMaps
from engine.motion.row_statistics import RowStatistics

# Boxes over which speed is averaged, in cells, and the share of foreground from which one counts:
# as in the settings of the scene channel. Packs were trained with them.
_BOX_CELLS, _BOX_SHARE = 3, 0.02
_TRIM = 1.8  # see `RowStatistics.usual`; packs were trained with it
_MIN_CELL_SHARE = 0.12  # of foreground, from which a cell is part of a blob: less may be shadow
_MIN_BLOBS = 8  # from which their median height is trusted; a choice
# A person in a camera's picture is higher than wide, but not like a pole; a choice.
_MIN_ASPECT, _MAX_ASPECT = 1.2, 5
_MIN_ROWS = 2  # cells: what is a single cell high says nothing about its height
_UNFILLED_CELLS = 0.75  # of its height: a blob touches a cell at either end that it does not fill
_WITHIN_FRAME = np.zeros((3, 3, 3), np.bool_)
_WITHIN_FRAME[1, 1] = _WITHIN_FRAME[1, :, 1] = True


def people_height(maps: MotionMaps, cell: int) -> float | None:
    """Measures how high people usually are: the median over blobs that are higher than wide.

    Args:
        maps: of some seconds of footage.
        cell: edge of a cell in analysis pixels.

    Returns:
        Pixels of the analysis picture, or None when too few blobs look like a person.
    """
    solid = maps.foreground > _MIN_CELL_SHARE * cell**2
    labels, count = ndimage.label(solid, _WITHIN_FRAME)
    heights: list[float] = []
    rows, columns = solid.shape[1:]
    for _, down, across in ndimage.find_objects(labels) if count else []:
        height, width = down.stop - down.start, across.stop - across.start
        inside = down.start > 0 and down.stop < rows and across.start > 0 and across.stop < columns
        upright = _MIN_ASPECT * width <= height <= _MAX_ASPECT * width
        if inside and height >= _MIN_ROWS and upright:
            heights.append(height * cell)
    if len(heights) < _MIN_BLOBS:
        return None
    return float(np.median(heights)) - _UNFILLED_CELLS * cell


class RunningSpeed:
    """The usual speed of each row of cells, from all frames that were added so far."""

    def __init__(self, rows: int, cell: int) -> None:
        """Starts without samples, over `rows` rows of cells of `cell` pixels."""
        self._cell = cell
        self._statistics = RowStatistics.empty(rows)

    def add(self, maps: MotionMaps) -> None:
        """Adds the speeds of further frames."""
        motion = box_motion(maps, self._cell, _BOX_CELLS, _BOX_SHARE)
        _, rows, _ = np.nonzero(motion.present)
        self._statistics = self._statistics.add(rows, motion.speed[motion.present])

    def line(self) -> NDArray[np.float32]:
        """Returns the usual speed of each row, float32 [R], px/s; zeros while it is not known."""
        line = self._statistics.usual(_TRIM)
        rows = len(self._statistics.counts)
        return np.zeros(rows, np.float32) if line is None else line
