"""Regions of a heatmap at several thresholds, as region-based evaluation wants them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Box
from engine.motion.grid import Grid
from engine.tracking.regions import cut_cells


def cut_many(
    heat: NDArray[np.float32], cuts: Sequence[float], grid: Grid
) -> list[tuple[Box, float]]:
    """Cuts a heatmap at several thresholds, as region-based evaluation wants it.

    A wide box of a low cut and a tight one of a high cut may both meet the truth; each keeps
    the largest value inside as its score.

    Args:
        heat: float32 [R, C].
        cuts: thresholds; a cell belongs to a cut when its value is at least that high.
        grid: how cells lie on decoded pixels.

    Returns:
        Boxes in decoded pixels with scores, cut by cut; equal boxes of one score come once.
    """
    boxes: dict[tuple[Box, float], None] = {}
    for cut in cuts:
        for part in cut_cells(heat, cut):
            boxes.setdefault((part.box(grid), part.score))
    return list(boxes)
