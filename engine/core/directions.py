"""Places and directions in words: the 3x3 grid of the frame and eight directions on screen."""

from __future__ import annotations

import math

_ROWS = ("top", "middle", "bottom")
_COLUMNS = ("left", "centre", "right")
_DIRECTIONS = (
    "right", "down-right", "down", "down-left", "left", "up-left", "up", "up-right",
)  # fmt: skip

CELLS: tuple[str, ...] = tuple(f"{row} {column}" for row in _ROWS for column in _COLUMNS)
"""The nine cells in raster order: `top left` … `bottom right`; the fifth is `middle centre`."""


def cell_name(x: float, y: float, width: float, height: float) -> str:
    """Names the cell of the 3x3 grid that holds the point (x, y) of a width x height frame."""
    column = min(2, max(0, int(3 * x / width)))
    row = min(2, max(0, int(3 * y / height)))
    return CELLS[3 * row + column]


def direction_name(dx: float, dy: float) -> str:
    """Names the direction of a displacement on screen (y down), in eight sectors."""
    sector = round(math.atan2(dy, dx) / (math.pi / 4)) % 8
    return _DIRECTIONS[sector]
