"""From analysed frames to all frames: what was skipped is interpolated over stream time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


def expand_scores(
    scores: NDArray[np.float32], analysed: NDArray[np.float64], every: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Interpolates frame scores.

    Args:
        scores: float32 [m], of the analysed frames.
        analysed: float64 [m], their stream times, ascending.
        every: float64 [n], stream times of all frames.

    Returns:
        float32 [n].
    """
    if len(analysed) == len(every):
        return scores
    return np.interp(every, analysed, scores).astype(np.float32)


def expand_heat(
    heat: NDArray[np.float32], analysed: NDArray[np.float64], every: NDArray[np.float64]
) -> Iterator[NDArray[np.float32]]:
    """Yields a heatmap for every frame, interpolated between analysed ones.

    Args:
        heat: float32 [m, R, C], of the analysed frames.
        analysed: float64 [m], their stream times, ascending.
        every: float64 [n], stream times of the frames to interpolate.

    Yields:
        float32 [R, C].
    """
    after = np.clip(np.searchsorted(analysed, every), 0, len(analysed) - 1)
    for second, high in zip(every, after, strict=True):
        low = max(0, high - 1)
        span = analysed[high] - analysed[low]
        if second >= analysed[high] or span <= 0:
            yield heat[high]
        else:
            part = np.float32(max(0.0, second - analysed[low]) / span)
            yield heat[low] * (1 - part) + heat[high] * part
