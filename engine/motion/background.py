"""The background a chunk is compared with: a median of samples chosen by index alone.

Which frames are sampled depends on the PTS index and the chunk, never on what ran before, so a
resumed run sees the same background as an uninterrupted one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_OWN = 9
_OWN_ALONE = 25
_AROUND = 16
_BEFORE_S = 120.0
_AFTER_S = 60.0


def sample_plan(
    seconds: NDArray[np.float64], keyframe: NDArray[np.bool_], first: int, last: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Chooses the frames whose median is the background of frames first..last.

    Keyframes around the chunk are cheap to decode one by one; they outnumber the chunk's own
    frames so that someone who stands still for the whole chunk stays foreground.

    Args:
        seconds: float64 [n], stream time of each frame.
        keyframe: bool [n].
        first: first frame of the chunk.
        last: last frame of the chunk, inclusive.

    Returns:
        Frames inside the chunk and keyframes outside it, each int64 and ascending.
    """
    low, high = np.searchsorted(seconds, (seconds[first] - _BEFORE_S, seconds[last] + _AFTER_S))
    outside = np.flatnonzero(keyframe[low:high]) + low
    outside = outside[(outside < first) | (outside > last)]
    around = _spread(outside, _AROUND)
    own = _spread(np.arange(first, last + 1), _OWN if len(around) > _OWN else _OWN_ALONE)
    return own, around


def median_background(samples: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Takes the median of samples uint8 [n, H, W]; returns uint8 [H, W]."""
    middle = len(samples) // 2
    return np.ascontiguousarray(np.partition(samples, middle, axis=0)[middle])


def _spread(values: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    if len(values) <= count:
        return values
    return values[np.linspace(0, len(values) - 1, count).round().astype(np.int64)]
