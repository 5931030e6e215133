"""Spans laid out in as few rows as possible, none over another."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def pack(spans: Sequence[tuple[float, float]]) -> NDArray[np.int64]:
    """Returns the row of each span, int64 [n], from 0.

    Args:
        spans: (start, end) in any order; a span that begins where another ends goes below it.
    """
    rows = np.zeros(len(spans), np.int64)
    busy: list[tuple[float, int]] = []
    free: list[int] = []
    count = 0
    for index in sorted(range(len(spans)), key=lambda index: spans[index]):
        start, end = spans[index]
        while busy and busy[0][0] < start:
            heapq.heappush(free, heapq.heappop(busy)[1])
        if free:
            row = heapq.heappop(free)
        else:
            row, count = count, count + 1
        rows[index] = row
        heapq.heappush(busy, (end, row))
    return rows
