"""Objects left or taken: a part of the background that has become another one."""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from engine.detectors.scene.attributes import Excess, Explained
from engine.detectors.scene.observation import Observation

LIMIT_SECONDS = 30.0
_MEMORY = 30
_LEAST_MEMORY = 3
_DIFFERENCE = 24
_LEAST_PIXELS = 6
_MOST_SHARE = 0.1
_TOP_SECONDS = 90.0


class StandingObjects:
    """Compares each chunk's background with what was there in the minutes before.

    A changed part that keeps is an object: `left` when its outline is now in the picture,
    `taken` when its outline was in the picture before.
    """

    def __init__(self, rows: int, columns: int) -> None:
        self._shape = (rows, columns)
        self._past: deque[NDArray[np.uint8]] = deque(maxlen=_MEMORY)
        self._since = np.full((rows, columns), np.nan)
        self.standing = np.zeros((rows, columns), np.float32)
        self.left = np.zeros((rows, columns), np.bool_)

    def update(self, observation: Observation) -> None:
        """Takes the next chunk.

        Sets `standing`, float32 [R, C], seconds for which a change has stood there at the
        chunk's end (0 = none), and `left`, bool [R, C], whether an object was left there
        (otherwise taken).
        """
        picture = observation.background
        if len(self._past) >= _LEAST_MEMORY:
            usual = np.median(np.stack(self._past), axis=0).astype(np.uint8)
            changed, self.left = self._changed(picture, usual)
            start, end = float(observation.seconds[0]), float(observation.seconds[-1])
            since = np.where(np.isnan(self._since), start, self._since)
            self._since = np.where(changed, since, np.nan)
            self.standing = np.nan_to_num(end - self._since).astype(np.float32)
        self._past.append(picture)

    def _changed(
        self, picture: NDArray[np.uint8], usual: NDArray[np.uint8]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        difference = picture.astype(np.int16) - usual
        difference -= np.int16(np.median(difference))
        labels, count = ndimage.label(np.abs(difference) > _DIFFERENCE, np.ones((3, 3)))
        changed = np.zeros(picture.shape, np.uint8)
        left = np.zeros(picture.shape, np.uint8)
        edges_now, edges_before = _edges(picture), _edges(usual)
        for label in range(1, count + 1):
            part = labels == label
            pixels = int(part.sum())
            if pixels < _LEAST_PIXELS or pixels > _MOST_SHARE * part.size:
                continue
            outline = ndimage.binary_dilation(part) & ~ndimage.binary_erosion(part)
            changed[part] = 1
            left[part] = edges_now[outline].sum() >= edges_before[outline].sum()
        return self._cells(changed) > 0.2, self._cells(left) > 0.1

    def _cells(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        size = (self._shape[1], self._shape[0])
        cells = cv2.resize(picture.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        return np.asarray(cells, np.float32)


class Standing:
    """One of the two attributes of standing objects: `left` or `taken`."""

    unit = "s"

    def __init__(self, name: str, objects: StandingObjects) -> None:
        self.name = name
        self._objects = objects

    def excess(self, observation: Observation) -> Excess:
        """Time for which the object has stood, or been gone, divided by 30 s."""
        objects = self._objects
        mine = objects.left if self.name == "left" else ~objects.left
        seconds = np.minimum(np.where(mine, objects.standing, 0), _TOP_SECONDS)
        excess = (seconds / LIMIT_SECONDS).astype(np.float32)
        return np.broadcast_to(excess, observation.motion.speed.shape)

    def explain(self, excess: float, row: int, column: int) -> Explained:
        """Seconds for which it has stood or been gone, against none."""
        return excess * LIMIT_SECONDS, 0.0


def _edges(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    gradient = cv2.morphologyEx(picture, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    return np.asarray(gradient, np.uint8)
