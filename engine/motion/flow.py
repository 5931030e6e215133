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
# The part of a picture in which flow is computed, in analysis pixels; choices.
_MARGIN = 24  # around what changed, so that flow finds where it came from
_MIN_SIDE = 128  # of the part, so that its pyramid has enough levels for large motion
_MULTIPLE = 16  # to which the part is rounded, so that its size changes rarely
_PYRAMID_SIDE = 32  # of the finest level that is searched: below, OpenCV reads beyond the picture
_BLOCK = 8  # edge of a block in which change is looked for
_CHANGED_LEVEL = 12  # of 255: a block counts as changed where about a twentieth of it changed


class Flow:
    """Dense inverse search (Kroeger et al., ECCV 2016) on the changing part of a picture.

    One object belongs to one thread.
    """

    def __init__(self, preset: str, finest_scale: int) -> None:
        if preset not in _PRESETS:
            raise BadInputError("unknown flow preset", preset, f"use one of {', '.join(_PRESETS)}")
        self._dis = cv2.DISOpticalFlow.create(_PRESETS[preset])
        self._dis.setFinestScale(finest_scale)
        self._min_side = _PYRAMID_SIDE << finest_scale

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
        x0, y0, x1, y1 = _pad(active, width, height)
        rows, columns = max(y1 - y0, self._min_side), max(x1 - x0, self._min_side)
        flow = self._dis.calc(
            self._enlarge(previous[y0:y1, x0:x1]),
            self._enlarge(current[y0:y1, x0:x1]),
            np.zeros((rows, columns, 2), np.float32),
        )
        field[y0:y1, x0:x1] = flow[: y1 - y0, : x1 - x0]
        return field

    def _enlarge(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Repeats the border of a picture that is so small that OpenCV would read beyond it."""
        below, right = (max(0, self._min_side - side) for side in picture.shape)
        if below or right:
            return np.pad(picture, ((0, below), (0, right)), mode="edge")
        return np.ascontiguousarray(picture)


def changed_part(
    previous: NDArray[np.uint8], current: NDArray[np.uint8], threshold: float
) -> tuple[tuple[int, int, int, int] | None, float]:
    """Finds where two pictures differ by more than noise.

    Args:
        previous: uint8 [H, W], grey.
        current: uint8 [H, W], grey.
        threshold: grey levels by which a pixel must differ.

    Returns:
        The rectangle x0, y0, x1, y1 (exclusive) that holds all of it, or None, and the share
        of 8x8 blocks that changed, 0..1.
    """
    difference = cv2.blur(cv2.absdiff(previous, current), (3, 3))
    blocks = cv2.resize(
        (difference > threshold).astype(np.uint8) * 255,
        (max(1, current.shape[1] // _BLOCK), max(1, current.shape[0] // _BLOCK)),
        interpolation=cv2.INTER_AREA,
    )
    changed = blocks > _CHANGED_LEVEL
    if not changed.any():
        return None, 0.0
    rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
    rectangle = (
        int(columns[0]) * _BLOCK,
        int(rows[0]) * _BLOCK,
        int(columns[-1] + 1) * _BLOCK,
        int(rows[-1] + 1) * _BLOCK,
    )
    return rectangle, float(changed.mean())


def _pad(part: tuple[int, int, int, int], width: int, height: int) -> tuple[int, int, int, int]:
    """Widens a rectangle x0, y0, x1, y1 for the search, within a picture."""
    x0, x1 = _pad_side(part[0], part[2], width)
    y0, y1 = _pad_side(part[1], part[3], height)
    return x0, y0, x1, y1


def _pad_side(low: int, high: int, size: int) -> tuple[int, int]:
    low, high = low - _MARGIN, high + _MARGIN
    missing = max(0, _MIN_SIDE - (high - low))
    low, high = low - missing // 2, high + missing - missing // 2
    low = max(0, low // _MULTIPLE * _MULTIPLE)
    high = min(size, -(-high // _MULTIPLE) * _MULTIPLE)
    return max(0, min(low, high - _MIN_SIDE)), high
