"""Which frames of a stream a run analyses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def analysed_frames(frames: int, stride: int) -> NDArray[np.int64]:
    """Returns the indices of the analysed frames, int64 [m], ascending; at least one.

    Args:
        frames: in the stream, from 1.
        stride: every how many frames one is analysed, from 1.
    """
    return np.arange(0, frames, min(stride, frames), dtype=np.int64)
