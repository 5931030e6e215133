"""The background a chunk is compared with: a median of samples chosen by index alone.

Which frames are sampled depends on the PTS index and the chunk, never on what ran before, so a
resumed run sees the same background as an uninterrupted one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Samples of the median. Keyframes around outnumber the chunk's own frames, so that someone who
# stands still for the whole chunk stays foreground; where there are fewer keyframes, more frames of
# the chunk make the median steadier. Choices.
_OWN_FRAMES = 9
_OWN_FRAMES_ALONE = 25  # where there are not more keyframes around than `_OWN_FRAMES`
_KEYFRAMES_AROUND = 16  # at most, because each is decoded by itself
# How far around a chunk keyframes are looked for: long enough for people to move on, short enough
# for the light to stay the same. More of them lie before, where a run has just been. Choices.
_BEFORE_S = 120.0
_AFTER_S = 60.0  # likewise, after it


def sample_plan(
    seconds: NDArray[np.float64], keyframe: NDArray[np.bool_], first: int, last: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Chooses the frames whose median is the background of frames first..last.

    Keyframes around the chunk are cheap to decode one by one.

    Args:
        seconds: float64 [n], stream time of each frame.
        keyframe: bool [n], which frames are keyframes.
        first: first frame of the chunk.
        last: last frame of the chunk, inclusive.

    Returns:
        Frames inside the chunk and keyframes outside it, each int64 and ascending.
    """
    low, high = np.searchsorted(seconds, (seconds[first] - _BEFORE_S, seconds[last] + _AFTER_S))
    outside = np.flatnonzero(keyframe[low:high]) + low
    outside = outside[(outside < first) | (outside > last)]
    around = _spread_evenly(outside, _KEYFRAMES_AROUND)
    own_count = _OWN_FRAMES if len(around) > _OWN_FRAMES else _OWN_FRAMES_ALONE
    return _spread_evenly(np.arange(first, last + 1), own_count), around


def median_background(samples: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Takes the median of samples uint8 [n, H, W]; returns uint8 [H, W]."""
    middle = len(samples) // 2
    return np.ascontiguousarray(np.partition(samples, middle, axis=0)[middle])


def _spread_evenly(values: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Returns at most `count` of the values, evenly spread."""
    if len(values) <= count:
        return values
    return values[np.linspace(0, len(values) - 1, count).round().astype(np.int64)]
