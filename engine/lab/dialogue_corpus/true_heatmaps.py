"""The heatmap that a perfect detector would give."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.settings import MotionSettings
from engine.motion.grid import Grid

_PEAK_HEAT = 0.95  # of a cell that is full of target; measured heatmaps hardly ever reach 1
_HEAT_PER_COVER = 3.0  # from a third of its area on, a cell is as hot as it gets; a choice


def analysis_grid(size: tuple[int, int]) -> Grid:
    """Returns the grid of an analysis at default settings.

    Args:
        size: width and height of the frame in pixels.
    """
    settings = MotionSettings()
    return Grid.fit(*size, settings.analysis_area, settings.cell)


def true_heatmap(mask: NDArray[np.float32], grid: Grid) -> NDArray[np.float32]:
    """Returns the heatmap float32 [R, C], 0..1, of what a mask shows.

    Args:
        mask: float32 [height, width], 1 inside abnormal targets and 0 elsewhere.
        grid: over the frame, of R rows and C columns.
    """
    cover = cv2.resize(mask, (grid.columns, grid.rows), interpolation=cv2.INTER_AREA)
    return np.asarray(np.minimum(1, cover * _HEAT_PER_COVER) * _PEAK_HEAT, np.float32)
