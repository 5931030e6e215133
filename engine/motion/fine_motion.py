"""Motion in finer cells and with its spread: what the text channel sees beside the picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

DETAIL_CELL = 4
"""Edge of a cell in pixels of the analysis picture: half of that of the raw maps, because people
may be only a few cells high. Packs were trained with it."""


def frame_detail(
    velocities: list[NDArray[np.float32]],
    count: int,
    earlier: NDArray[np.uint8],
    picture: NDArray[np.uint8],
    foreground: NDArray[np.uint8],
) -> NDArray[np.float32]:
    """Sums up the motion around one frame.

    Args:
        velocities: float32 [H, W, 2] each, the flow between neighbouring frames, px/s; those
            in which nothing moved may be left out.
        count: number of flows around the frame, those left out included.
        earlier: uint8 [H, W], the picture at the start of that span.
        picture: uint8 [H, W], the frame itself.
        foreground: uint8 [H, W], 1 = foreground.

    Returns:
        float32 [6, H/4, W/4]: mean velocity to the right and downwards, mean magnitude and the
        deviation of the vector from its mean, px/s; difference to the earlier picture and share
        of foreground, both 0..1.
    """
    size = (picture.shape[1] // DETAIL_CELL, picture.shape[0] // DETAIL_CELL)

    def cells(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)

    out = np.zeros((6, size[1], size[0]), np.float32)
    if velocities:
        total = np.zeros_like(velocities[0])
        magnitude = np.zeros(total.shape[:2], np.float32)
        square = np.zeros_like(magnitude)
        for field in velocities:
            # Not OpenCV's magnitude: its last bit depends on where the array lies in memory.
            power = field[..., 0] ** 2 + field[..., 1] ** 2
            total += field
            magnitude += np.sqrt(power)
            square += power
        factor = np.float32(1 / count)
        total *= factor
        spread = square * factor - total[..., 0] ** 2 - total[..., 1] ** 2
        out[0], out[1] = cells(total[..., 0]), cells(total[..., 1])
        out[2] = cells(magnitude * factor)
        out[3] = cells(np.sqrt(np.maximum(spread, 0)))
    out[4] = cells(cv2.absdiff(picture, earlier).astype(np.float32)) / 255
    out[5] = cells(foreground.astype(np.float32))
    return out
