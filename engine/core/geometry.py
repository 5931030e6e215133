"""Boxes, cells and directions in decoded pixels: x right, y down, before rotation and aspect."""

from __future__ import annotations

import math
from dataclasses import dataclass

_ROWS = ("top", "middle", "bottom")
_COLUMNS = ("left", "centre", "right")
_DIRECTIONS = (
    "right", "down-right", "down", "down-left", "left", "up-left", "up", "up-right",
)  # fmt: skip

CELLS: tuple[str, ...] = tuple(f"{row} {column}" for row in _ROWS for column in _COLUMNS)
"""The nine cells in raster order: `top left` … `bottom right`; the fifth is `middle centre`."""


Edges = tuple[float, float, float, float]
"""x0, y0, x1, y1 of a box in pixels or cells; the ends are exclusive, so a cell is [c, c + 1)."""


@dataclass(frozen=True)
class Box:
    """A rectangle of whole pixels; `w = x_max - x_min + 1` (inclusive corners)."""

    x: int
    y: int
    w: int
    h: int

    @classmethod
    def from_corners(cls, x_min: int, y_min: int, x_max: int, y_max: int) -> Box:
        """Makes a box from inclusive corners, as benchmark files have them."""
        return cls(x_min, y_min, x_max - x_min + 1, y_max - y_min + 1)

    @property
    def corners(self) -> tuple[int, int, int, int]:
        """Inclusive corners `x_min, y_min, x_max, y_max`."""
        return self.x, self.y, self.x + self.w - 1, self.y + self.h - 1

    @property
    def area(self) -> int:
        """Number of pixels."""
        return self.w * self.h

    @property
    def centre(self) -> tuple[float, float]:
        """Centre in pixels."""
        return self.x + (self.w - 1) / 2, self.y + (self.h - 1) / 2

    @property
    def edges(self) -> Edges:
        """Its left, upper, right and lower edge; the last two are exclusive."""
        return self.x, self.y, self.x + self.w, self.y + self.h

    def as_list(self) -> list[int]:
        """Returns `[x, y, w, h]`."""
        return [self.x, self.y, self.w, self.h]


def box_area(box: Edges) -> float:
    """Returns the area of a box; 0 where it is turned inside out."""
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def shared_area(box: Edges, other: Edges) -> float:
    """Returns the area of the intersection of two boxes."""
    return max(0.0, min(box[2], other[2]) - max(box[0], other[0])) * max(
        0.0, min(box[3], other[3]) - max(box[1], other[1])
    )


def box_iou(box: Edges, other: Edges) -> float:
    """Returns the intersection over union of two boxes, 0..1."""
    shared = shared_area(box, other)
    union = box_area(box) + box_area(other) - shared
    return shared / union if union > 0 else 0.0


def cell_name(x: float, y: float, width: float, height: float) -> str:
    """Names the cell of the 3x3 grid that holds the point (x, y) of a width x height frame."""
    column = min(2, max(0, int(3 * x / width)))
    row = min(2, max(0, int(3 * y / height)))
    return CELLS[3 * row + column]


def direction_name(dx: float, dy: float) -> str:
    """Names the direction of a displacement on screen (y down), in eight sectors."""
    sector = round(math.atan2(dy, dx) / (math.pi / 4)) % 8
    return _DIRECTIONS[sector]
