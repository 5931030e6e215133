"""Dense optical flow, computed only where the picture changes."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError

_PRESETS = {
    "ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
    "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
}
_MARGIN = 24
_LEAST_SIDE = 128
_ALIGN = 16
_PYRAMID_SIDE = 32


class Flow:
    """Dense inverse search (Kroeger et al., ECCV 2016) on the changing part of a picture.

    One object belongs to one thread.
    """

    def __init__(self, preset: str, finest_scale: int) -> None:
        if preset not in _PRESETS:
            raise BadInputError("unknown flow preset", preset, f"use one of {', '.join(_PRESETS)}")
        self._dis = cv2.DISOpticalFlow.create(_PRESETS[preset])
        self._dis.setFinestScale(finest_scale)
        self._least = _PYRAMID_SIDE << finest_scale

    def between(
        self,
        previous: NDArray[np.uint8],
        current: NDArray[np.uint8],
        active: tuple[int, int, int, int] | None,
    ) -> NDArray[np.float32]:
        """Flow from `previous` to `current`.

        Args:
            previous: uint8 [H, W], grey.
            current: uint8 [H, W], grey.
            active: x0, y0, x1, y1 (exclusive) of what changed, or None when nothing did.

        Returns:
            float32 [H, W, 2], pixels a frame; zero outside the changed part.
        """
        height, width = current.shape
        field = np.zeros((height, width, 2), np.float32)
        if active is None:
            return field
        x0, y0, x1, y1 = _padded(active, width, height)
        flow = self._dis.calc(
            self._large_enough(previous[y0:y1, x0:x1]),
            self._large_enough(current[y0:y1, x0:x1]),
            np.zeros((max(y1 - y0, self._least), max(x1 - x0, self._least), 2), np.float32),
        )
        field[y0:y1, x0:x1] = flow[: y1 - y0, : x1 - x0]
        return field

    def _large_enough(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Repeats the border of a picture below which OpenCV reads beyond its pyramid."""
        below, right = (max(0, self._least - side) for side in picture.shape)
        if below or right:
            return np.pad(picture, ((0, below), (0, right)), mode="edge")
        return np.ascontiguousarray(picture)


def changed_part(
    previous: NDArray[np.uint8], current: NDArray[np.uint8], threshold: float
) -> tuple[tuple[int, int, int, int] | None, float]:
    """Finds where two pictures differ by more than noise.

    Args:
        previous: uint8 [H, W].
        current: uint8 [H, W].
        threshold: grey levels.

    Returns:
        The rectangle x0, y0, x1, y1 (exclusive) that holds all of it, or None, and the share
        of 8x8 blocks that changed, 0..1.
    """
    difference = cv2.blur(cv2.absdiff(previous, current), (3, 3))
    blocks = cv2.resize(
        (difference > threshold).astype(np.uint8) * 255,
        (max(1, current.shape[1] // 8), max(1, current.shape[0] // 8)),
        interpolation=cv2.INTER_AREA,
    )
    hot = blocks > 12
    if not hot.any():
        return None, 0.0
    rows, columns = np.flatnonzero(hot.any(1)), np.flatnonzero(hot.any(0))
    rectangle = (
        int(columns[0]) * 8,
        int(rows[0]) * 8,
        int(columns[-1] + 1) * 8,
        int(rows[-1] + 1) * 8,
    )
    return rectangle, float(hot.mean())


def _padded(part: tuple[int, int, int, int], width: int, height: int) -> tuple[int, int, int, int]:
    x0, x1 = _padded_side(part[0], part[2], width)
    y0, y1 = _padded_side(part[1], part[3], height)
    return x0, y0, x1, y1


def _padded_side(low: int, high: int, limit: int) -> tuple[int, int]:
    low, high = low - _MARGIN, high + _MARGIN
    missing = max(0, _LEAST_SIDE - (high - low))
    low, high = low - missing // 2, high + missing - missing // 2
    low = max(0, low // _ALIGN * _ALIGN)
    high = min(limit, -(-high // _ALIGN) * _ALIGN)
    return max(0, min(low, high - _LEAST_SIDE)), high
