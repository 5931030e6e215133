"""The calibration of a decoder: the log-odds that one region in a hundred normal frames exceeds."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from engine.core.errors import BadInputError

FALSE_REGIONS = 0.01
"""Regions that a normal frame has at the threshold; a choice, which the model card states."""

_USUAL_SCORE_LOGIT = float(np.log(9))
_MIN_SCALE = 0.05  # of the score, so that a decoder without any spread divides by no zero


def calibration(maps: Iterable[NDArray[np.float32]]) -> tuple[float, float]:
    """Finds threshold and scale of the calibrated score.

    Args:
        maps: float32 [h, w] of each frame of normal footage, the largest log-odds over all
            prompts of the pack.

    Returns:
        Threshold: the log-odds above which there is one connected region per 100 frames. Scale:
        so that the median of the frames' largest log-odds gets a score of 0.1.

    Raises:
        BadInputError: there are no maps.
    """
    peaks: list[float] = []
    best: list[float] = []
    for heat in maps:
        best.append(float(heat.max()))
        peaks += _peaks(heat)
    if not best:
        raise BadInputError(
            "no normal footage to calibrate on", "", "render more validation videos"
        )
    allowed = int(FALSE_REGIONS * len(best))
    ordered = np.sort(np.array(peaks))[::-1]
    threshold = float(ordered[min(allowed, len(ordered) - 1)])
    scale = (threshold - float(np.median(best))) / _USUAL_SCORE_LOGIT
    return threshold, max(_MIN_SCALE, scale)


def _peaks(heat: NDArray[np.float32]) -> list[float]:
    """Returns the value of each local maximum of a map, which is a region at any cut below it."""
    top = ndimage.maximum_filter(heat, 5, mode="nearest")
    labels, count = ndimage.label(heat == top)
    if not count:
        return []
    return [float(peak) for peak in ndimage.maximum(heat, labels, np.arange(1, count + 1))]
