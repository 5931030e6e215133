"""What tracking reads: maps of consecutive analysed frames, and one frame of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CellBox = tuple[float, float, float, float]
"""x0, y0, x1, y1 in cells; the ends are exclusive, so a cell is [c, c + 1)."""


@dataclass(frozen=True, eq=False)
class TrackingBlock:
    """Maps of consecutive analysed frames; blocks may be cut anywhere.

    Attributes:
        frames: int64 [n], frame indices, ascending.
        pts: int64 [n], their PTS.
        seconds: float64 [n], their stream time.
        heat: float32 [n, R, C], calibrated score of each cell, 0..1.
        foreground: uint8 [n, R, C], foreground pixels in the cell.
        vx: int16 [n, R, C], mean velocity to the right in `SPEED_UNIT` analysis pixels a second.
        vy: int16 [n, R, C], mean velocity downwards, likewise.
        relative_speed: float32 [n, R, C], speed in times of the usual at the place.
    """

    frames: NDArray[np.int64]
    pts: NDArray[np.int64]
    seconds: NDArray[np.float64]
    heat: NDArray[np.float32]
    foreground: NDArray[np.uint8]
    vx: NDArray[np.int16]
    vy: NDArray[np.int16]
    relative_speed: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.frames)

    def __iter__(self) -> Iterator[FrameMaps]:
        for i in range(len(self)):
            yield FrameMaps(
                int(self.frames[i]),
                int(self.pts[i]),
                float(self.seconds[i]),
                self.heat[i],
                self.foreground[i],
                self.vx[i],
                self.vy[i],
                self.relative_speed[i],
            )


@dataclass(frozen=True, eq=False)
class FrameMaps:
    """The maps of one frame; see `TrackingBlock` for shapes and units."""

    frame: int
    pts: int
    seconds: float
    heat: NDArray[np.float32]
    foreground: NDArray[np.uint8]
    vx: NDArray[np.int16]
    vy: NDArray[np.int16]
    relative_speed: NDArray[np.float32]

    def kept(self) -> FrameMaps:
        """Returns a copy that does not hold the memory of the whole block."""
        return FrameMaps(
            self.frame,
            self.pts,
            self.seconds,
            self.heat.copy(),
            self.foreground.copy(),
            self.vx.copy(),
            self.vy.copy(),
            self.relative_speed.copy(),
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of cells."""
        rows, columns = self.heat.shape
        return int(rows), int(columns)

    def window(self, box: CellBox) -> tuple[slice, slice]:
        """Returns the cells that a box touches, cut off at the picture's edge."""
        rows, columns = self.shape
        x0, y0, x1, y1 = box
        return (
            slice(_clip(int(np.floor(y0)), rows), _clip(int(np.ceil(y1)), rows)),
            slice(_clip(int(np.floor(x0)), columns), _clip(int(np.ceil(x1)), columns)),
        )

    def score(self, box: CellBox) -> float:
        """Returns the largest value of the heatmap in a box; 0 outside the picture."""
        part = self.heat[self.window(box)]
        return float(part.max()) if part.size else 0.0

    def speed_ratio(self, box: CellBox) -> float:
        """Returns the mean relative speed of the foreground in a box; NaN without any."""
        window = self.window(box)
        weight = self.foreground[window].astype(np.float64)
        total = float(weight.sum())
        if total == 0:
            return float("nan")
        return float((weight * self.relative_speed[window]).sum() / total)


def _clip(value: int, limit: int) -> int:
    return min(max(value, 0), limit)


def box_size(box: CellBox) -> tuple[float, float]:
    """Returns width and height."""
    return box[2] - box[0], box[3] - box[1]


def box_centre(box: CellBox) -> tuple[float, float]:
    """Returns x and y of the centre."""
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def box_around(centre: tuple[float, float], size: tuple[float, float]) -> CellBox:
    """Returns the box of a size around a centre."""
    (x, y), (w, h) = centre, size
    return x - w / 2, y - h / 2, x + w / 2, y + h / 2


def box_area(box: CellBox) -> float:
    """Returns the area in cells."""
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def box_shared(one: CellBox, other: CellBox) -> float:
    """Returns the area of the intersection, in cells."""
    return max(0.0, min(one[2], other[2]) - max(one[0], other[0])) * max(
        0.0, min(one[3], other[3]) - max(one[1], other[1])
    )


def box_iou(one: CellBox, other: CellBox) -> float:
    """Returns intersection over union, 0..1."""
    shared = box_shared(one, other)
    union = box_area(one) + box_area(other) - shared
    return shared / union if union > 0 else 0.0
