"""Changes of the background that last: where an object was abandoned or removed."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

# Choices, each to be judged by the benchmarks; none was measured by itself.
_MAX_MEMORY = 30  # Backgrounds compared with: the last five minutes in chunks of 10 s.
_MIN_MEMORY = 3  # Fewer do not tell what was there before.
_MIN_DIFFERENCE = 24  # Grey levels by which a pixel must differ from what was there.
_MIN_PIXELS = 6  # Smaller parts, in pixels of the quarter-size background, are noise.
_MAX_AREA_SHARE = 0.1  # Larger parts of the frame are another light or another view.
_MIN_CHANGED_SHARE = 0.2  # Share of a cell's pixels that makes the whole cell changed.
_MIN_ABANDONED_SHARE = 0.1  # Share of them that makes the change an abandoned object.


@dataclass(frozen=True, eq=False)
class BackgroundChange:
    """How the background differs from what was there in the minutes before.

    Attributes:
        seconds: float32 [R, C], for how long a cell has been changed at the chunk's end; 0 where
            it has not.
        is_abandoned: bool [R, C], whether an object was put down there; otherwise it was removed.
    """

    seconds: NDArray[np.float32]
    is_abandoned: NDArray[np.bool_]


class BackgroundComparison:
    """Compares each chunk's background with those of the minutes before.

    A part that stays changed is an object: abandoned when its outline shows in the background
    now, removed when its outline showed before.
    """

    def __init__(self, rows: int, columns: int) -> None:
        self._shape = (rows, columns)
        self._memory: deque[NDArray[np.uint8]] = deque(maxlen=_MAX_MEMORY)
        self._since = np.full((rows, columns), np.nan)
        nothing = np.zeros((rows, columns), np.float32)
        self._change = BackgroundChange(nothing, np.zeros((rows, columns), np.bool_))

    def compare(
        self, background: NDArray[np.uint8], seconds: NDArray[np.float64]
    ) -> BackgroundChange:
        """Compares the next chunk's background uint8 [H/4, W/4]; stream times float64 [n]."""
        if len(seconds) and len(self._memory) >= _MIN_MEMORY:
            usual = np.median(np.stack(self._memory), axis=0).astype(np.uint8)
            is_changed, is_abandoned = self._changed_cells(background, usual)
            since = np.where(np.isnan(self._since), seconds[0], self._since)
            self._since = np.where(is_changed, since, np.nan)
            duration = np.nan_to_num(seconds[-1] - self._since).astype(np.float32)
            self._change = BackgroundChange(duration, is_abandoned)
        self._memory.append(background)
        return self._change

    def _changed_cells(
        self, background: NDArray[np.uint8], usual: NDArray[np.uint8]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Returns which cells are changed and in which an object was abandoned, bool [R, C]."""
        difference = background.astype(np.int16) - usual
        difference -= np.int16(np.median(difference))
        labels, count = ndimage.label(np.abs(difference) > _MIN_DIFFERENCE, np.ones((3, 3)))
        changed = np.zeros(background.shape, np.uint8)
        abandoned = np.zeros(background.shape, np.uint8)
        edges_now, edges_before = _edges(background), _edges(usual)
        for label in range(1, count + 1):
            part = labels == label
            pixels = int(part.sum())
            if pixels < _MIN_PIXELS or pixels > _MAX_AREA_SHARE * part.size:
                continue
            outline = ndimage.binary_dilation(part) & ~ndimage.binary_erosion(part)
            changed[part] = 1
            abandoned[part] = edges_now[outline].sum() >= edges_before[outline].sum()
        return (
            self._share_of_cells(changed) > _MIN_CHANGED_SHARE,
            self._share_of_cells(abandoned) > _MIN_ABANDONED_SHARE,
        )

    def _share_of_cells(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        size = (self._shape[1], self._shape[0])
        cells = cv2.resize(pixels.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        return np.asarray(cells, np.float32)


def _edges(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    gradient = cv2.morphologyEx(image, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    return np.asarray(gradient, np.uint8)
