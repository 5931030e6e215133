"""Motion of the foreground averaged over boxes of cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from engine.motion.motion_maps import SPEED_UNIT, MotionMaps


@dataclass(frozen=True, eq=False)
class BoxMotion:
    """Foreground and its motion in a box around each cell.

    Attributes:
        share: float32 [n, R, C], share of foreground in the box, 0..1.
        speed: float32 [n, R, C], mean speed, px/s; 0 where there is too little foreground.
        vx: float32 [n, R, C], mean velocity to the right, px/s.
        vy: float32 [n, R, C], mean velocity downwards, px/s.
        present: bool [n, R, C], where there is enough foreground for its motion to be trusted.
    """

    share: NDArray[np.float32]
    speed: NDArray[np.float32]
    vx: NDArray[np.float32]
    vy: NDArray[np.float32]
    present: NDArray[np.bool_]


def box_motion(maps: MotionMaps, cell: int, box_cells: int, min_share: float) -> BoxMotion:
    """Averages raw maps over boxes, which reach over the picture's edge, where there is nothing.

    Args:
        maps: raw maps of n frames.
        cell: edge of a cell in analysis pixels.
        box_cells: edge of a box in cells.
        min_share: share of foreground in a box from which its motion counts, 0..1.
    """
    count = maps.foreground.astype(np.float32)
    vx = maps.vx.astype(np.float32) * np.float32(SPEED_UNIT)
    vy = maps.vy.astype(np.float32) * np.float32(SPEED_UNIT)

    def total(values: NDArray[np.float32]) -> NDArray[np.float32]:
        mean = uniform_filter(values, (0, box_cells, box_cells), mode="constant")
        return np.asarray(mean * np.float32(box_cells**2), np.float32)

    pixels = total(count)
    share = np.clip(pixels / np.float32((cell * box_cells) ** 2), 0, 1)
    present = share > min_share
    divisor = np.where(present, np.maximum(pixels, 1), np.inf).astype(np.float32)
    return BoxMotion(
        share,
        np.asarray(np.maximum(total(count * np.hypot(vx, vy)) / divisor, 0), np.float32),
        np.asarray(total(count * vx) / divisor, np.float32),
        np.asarray(total(count * vy) / divisor, np.float32),
        present,
    )
