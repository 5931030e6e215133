"""How high people are in the picture and how fast they usually go, from raw maps alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from engine.motion.box_motion import box_motion
from engine.motion.motion_maps import MotionMaps
from engine.motion.row_statistics import RowStatistics

_BOX_CELLS, _BOX_SHARE = 3, 0.02
_TRIM = 1.8
_LEAST_SHARE = 0.12
_LEAST_BLOBS = 8
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
    solid = maps.foreground > _LEAST_SHARE * cell**2
    labels, count = ndimage.label(solid, _WITHIN_FRAME)
    heights: list[float] = []
    rows, columns = solid.shape[1:]
    for _, down, across in ndimage.find_objects(labels) if count else []:
        height, width = down.stop - down.start, across.stop - across.start
        inside = down.start > 0 and down.stop < rows and across.start > 0 and across.stop < columns
        if inside and height >= 2 and 1.2 * width <= height <= 5 * width:
            heights.append(height * cell)
    if len(heights) < _LEAST_BLOBS:
        return None
    # A blob touches a cell at either end that it does not fill.
    return float(np.median(heights)) - 0.75 * cell


class RunningSpeed:
    """The usual speed of each row of cells, from the footage seen so far."""

    def __init__(self, rows: int, cell: int) -> None:
        """Starts without knowledge over `rows` rows of cells of `cell` pixels."""
        self._cell = cell
        self._statistics = RowStatistics.empty(rows)

    def add(self, maps: MotionMaps) -> None:
        """Learns from the next frames."""
        motion = box_motion(maps, self._cell, _BOX_CELLS, _BOX_SHARE)
        _, rows, _ = np.nonzero(motion.present)
        self._statistics = self._statistics.add(rows, motion.speed[motion.present])

    def line(self) -> NDArray[np.float32]:
        """Returns px/s a row, float32 [R]; zeros while nothing is known."""
        line = self._statistics.usual(_TRIM)
        rows = len(self._statistics.counts)
        return np.zeros(rows, np.float32) if line is None else line
