"""Smoothing of frame scores over time."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError


def smooth(scores: NDArray[np.floating], sigma: float) -> NDArray[np.float32]:
    """Smooths the scores of one video with a Gaussian over time, mirrored at both ends.

    Args:
        scores: float [n], the frames of one video; never several videos in a row.
        sigma: standard deviation in frames; 0 leaves the scores as they are.

    Returns:
        float32 [n], within the range of the given scores.

    Raises:
        BadInputError: sigma is negative or not finite.
    """
    if not (math.isfinite(sigma) and sigma >= 0):
        raise BadInputError(f"a smoothing of {sigma} frames", "smoothing", "choose 0 or more")
    if sigma == 0 or scores.size == 0:
        return scores.astype(np.float32)
    from scipy.ndimage import gaussian_filter1d

    smoothed = np.asarray(gaussian_filter1d(scores.astype(np.float64), sigma, mode="reflect"))
    # A weighted mean cannot leave the range; rounding could by the last digit.
    return np.asarray(np.clip(smoothed, scores.min(), scores.max()), np.float32)
