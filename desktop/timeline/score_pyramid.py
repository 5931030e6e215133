"""A curve of millions of scores as a line of as many points as the screen has columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_FACTOR = 4  # samples that a sample of the next level stands for
_SMALLEST = 512  # samples of the coarsest level, fewer than a screen has columns


class ScorePyramid:
    """Smallest and largest score of ever longer blocks, so that no peak is lost at any zoom.

    Args:
        seconds: float64 [n], ascending, stream time of each score.
        scores: float32 [n].
    """

    def __init__(self, seconds: NDArray[np.float64], scores: NDArray[np.float32]) -> None:
        self._seconds = seconds
        self._levels = [(scores, scores)]
        while len(self._levels[-1][0]) > _SMALLEST:
            low, high = self._levels[-1]
            self._levels.append((_reduce(low, np.minimum), _reduce(high, np.maximum)))

    def line(
        self, start_s: float, end_s: float, columns: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Returns the line between two times.

        Args:
            start_s: seconds.
            end_s: seconds.
            columns: of the screen.

        Returns:
            float64 [m] seconds and float32 [m] scores; blocks give two points each, smallest and
            largest; m is at most 8 * columns + 8.
        """
        first = max(0, int(np.searchsorted(self._seconds, start_s)) - 1)
        last = min(len(self._seconds), int(np.searchsorted(self._seconds, end_s, "right")) + 1)
        if last <= first:
            return np.zeros(0, np.float64), np.zeros(0, np.float32)
        level = 0
        while level + 1 < len(self._levels) and (last - first) / _FACTOR**level > columns * _FACTOR:
            level += 1
        if not level:
            return self._seconds[first:last], self._levels[0][0][first:last]
        block = _FACTOR**level
        low, high = self._levels[level]
        from_block, to_block = first // block, min(len(low), -(-last // block))
        times = self._seconds[np.arange(from_block, to_block) * block]
        pairs = np.stack([low[from_block:to_block], high[from_block:to_block]], axis=1)
        return np.repeat(times, 2), pairs.reshape(-1)


def _reduce(values: NDArray[np.float32], reduce: np.ufunc) -> NDArray[np.float32]:
    return np.asarray(reduce.reduceat(values, np.arange(0, len(values), _FACTOR)), np.float32)
