"""Calibrated scores as rows, in blocks of frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from engine.case.store.database import Value
from engine.core.arrays import pack_arrays

COLUMNS = ("run_id", "channel", "first_frame", "last_frame", "data")
"""Columns of the table `score` in the order of `to_rows`."""

_BLOCK_FRAMES = 1 << 15
"""Frames of scores in one row, 22 minutes at 25 frames a second; it bounds the size of a row."""


def to_rows(run_id: int, scores: Mapping[str, NDArray[np.float32]]) -> Iterator[list[Value]]:
    """Yields the rows of score arrays, in blocks of frames."""
    for channel in sorted(scores):
        array = np.asarray(scores[channel], np.float32)
        for first in range(0, len(array), _BLOCK_FRAMES):
            block = array[first : first + _BLOCK_FRAMES]
            yield [run_id, channel, first, first + len(block) - 1, pack_arrays({"scores": block})]
