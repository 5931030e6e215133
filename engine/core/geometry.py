"""Boxes in decoded pixels: x right, y down, before rotation and pixel aspect."""

from __future__ import annotations

from dataclasses import dataclass


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
    def foot(self) -> tuple[float, float]:
        """Middle of the lower edge: where a standing target meets the ground."""
        return self.x + (self.w - 1) / 2, float(self.y + self.h - 1)

    def iou(self, other: Box) -> float:
        """Intersection over union, 0..1."""
        width = min(self.x + self.w, other.x + other.w) - max(self.x, other.x)
        height = min(self.y + self.h, other.y + other.h) - max(self.y, other.y)
        if width <= 0 or height <= 0:
            return 0.0
        shared = width * height
        return shared / (self.area + other.area - shared)

    def as_list(self) -> list[int]:
        """Returns `[x, y, w, h]`."""
        return [self.x, self.y, self.w, self.h]
