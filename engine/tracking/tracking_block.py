"""The maps that tracking reads, frame by frame, and boxes measured in their cells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Edges

CellBox = Edges
"""A box in cells."""


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
        relative_speed: float32 [n, R, C], speed in multiples of the usual speed of that row.
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

    def copy(self) -> FrameMaps:
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
        """Returns the rows and columns of the cells that a box touches, inside the frame."""
        rows, columns = self.shape
        x0, y0, x1, y1 = box
        return (
            slice(_clamp(int(np.floor(y0)), rows), _clamp(int(np.ceil(y1)), rows)),
            slice(_clamp(int(np.floor(x0)), columns), _clamp(int(np.ceil(x1)), columns)),
        )

    def score(self, box: CellBox) -> float:
        """Returns the largest value of the heatmap in a box; 0 outside the frame."""
        part = self.heat[self.window(box)]
        return float(part.max()) if part.size else 0.0

    def speed_ratio(self, box: CellBox) -> float:
        """Returns the mean relative speed of the foreground in a box; NaN where there is none."""
        window = self.window(box)
        weight = self.foreground[window].astype(np.float64)
        total = float(weight.sum())
        if total == 0:
            return float("nan")
        return float((weight * self.relative_speed[window]).sum() / total)


def _clamp(value: int, limit: int) -> int:
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
