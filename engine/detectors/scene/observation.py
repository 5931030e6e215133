"""What is observed in one block of frames, computed once and read by every attribute."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

from engine.core.settings import SceneSettings
from engine.detectors.scene.moving_blobs import Blobs, find_blobs
from engine.motion.box_motion import BoxMotion, box_motion
from engine.motion.motion_maps import MotionMaps

_STAY_SHARE = 0.15
_STAY_SPEED = 5.0
_STILL_SECONDS = 3.0
_AWAY_SECONDS = 2.0
_AWAY_FRAMES = 1.5


@dataclass(frozen=True, eq=False)
class Observation:
    """Consecutive frames as the attributes see them.

    Attributes:
        motion: averaged over boxes.
        blobs: moving blobs.
        stay: float32 [n, R, C], seconds for which someone has stayed there.
        seconds: float64 [n], stream time.
        background: uint8 [H/4, W/4], the chunk's own background.
        still: bool [n], frames in which the camera does not move.
    """

    motion: BoxMotion
    blobs: Blobs
    stay: NDArray[np.float32]
    seconds: NDArray[np.float64]
    background: NDArray[np.uint8]
    still: NDArray[np.bool_]


class Observer:
    """Observes the consecutive blocks of one piece of footage."""

    def __init__(
        self, rows: int, columns: int, cell: int, settings: SceneSettings, rate: float
    ) -> None:
        """Prepares a grid of rows x columns cells of `cell` pixels at `rate` frames a second."""
        self._cell = cell
        self._away = max(_AWAY_SECONDS, _AWAY_FRAMES / rate)
        self._settings = settings
        self._stay = np.zeros((rows, columns), np.float32)
        self._moved = np.full((rows, columns), -np.inf)
        self._seen = np.full((rows, columns), -np.inf)
        self._last: float | None = None

    def observe(self, maps: MotionMaps, seconds: NDArray[np.float64]) -> Observation:
        """Observes the next block: maps of n frames at stream times float64 [n]."""
        motion = box_motion(
            maps, self._cell, self._settings.box_cells, self._settings.foreground_share
        )
        blobs = find_blobs(maps.foreground, self._cell, motion)
        still = np.asarray(~maps.camera.any(axis=1), np.bool_)
        stays = self._stays(motion, seconds)
        return Observation(motion, blobs, stays, seconds, maps.background, still)

    def _stays(self, motion: BoxMotion, seconds: NDArray[np.float64]) -> NDArray[np.float32]:
        """Counts how long someone has stayed: there, slow, but not as still as a thing."""
        stays = np.zeros(motion.share.shape, np.float32)
        for i, second in enumerate(seconds):
            step = 0.0 if self._last is None else second - self._last
            self._last = float(second)
            if step > self._away:
                # Nobody saw what happened in a gap between spans or recordings.
                self._stay[:] = step = 0.0
            there = (motion.share[i] > _STAY_SHARE) & (motion.speed[i] < _STAY_SPEED)
            self._moved[there & (motion.speed[i] > 0)] = second
            living = there & (second - self._moved < _STILL_SECONDS)
            self._seen[maximum_filter(living, 3)] = second
            near = second - self._seen < self._away
            self._stay = np.where(near, self._stay + np.float32(step), np.float32(0))
            stays[i] = np.where(living, self._stay, 0)
        return stays
