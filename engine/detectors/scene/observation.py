"""Observes blocks of frames: everything that attributes measure is computed here, once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

from engine.core.settings import SceneSettings
from engine.detectors.scene.background_changes import BackgroundChange, BackgroundComparison
from engine.detectors.scene.moving_blobs import Blobs, find_blobs
from engine.motion.box_motion import BoxMotion, box_motion
from engine.motion.motion_maps import MotionMaps

# Choices, each to be judged by the benchmarks; none was measured by itself.
_MIN_STAY_SHARE = 0.15  # Share of foreground in a box from which on someone is there.
_MAX_STAY_SPEED = 5.0  # Pixels a second: who is faster passes.
_MAX_STILL_S = 3.0  # People shift from foot to foot; what keeps still for longer is a thing.
_MAX_AWAY_S = 2.0  # Who is back within this time has stayed,
_MAX_AWAY_FRAMES = 1.5  # or within so many frames where frames are further apart.

MotionBlock = tuple[MotionMaps, NDArray[np.float64]]
"""Raw maps of n consecutive analysed frames and their stream times, float64 [n]."""


@dataclass(frozen=True, eq=False)
class Observation:
    """Consecutive frames as the attributes see them.

    Attributes:
        motion: averaged over boxes.
        blobs: moving blobs.
        stay: float32 [n, R, C], seconds for which someone has stayed there.
        change: of the background, at the end of the block.
        still: bool [n], frames in which the camera does not move.
    """

    motion: BoxMotion
    blobs: Blobs
    stay: NDArray[np.float32]
    change: BackgroundChange
    still: NDArray[np.bool_]


class Observer:
    """Observes the consecutive blocks of one piece of footage."""

    def __init__(
        self, rows: int, columns: int, cell: int, settings: SceneSettings, rate: float
    ) -> None:
        """Prepares a grid of rows x columns cells of `cell` pixels at `rate` frames a second."""
        self._cell = cell
        self._max_away_s = max(_MAX_AWAY_S, _MAX_AWAY_FRAMES / rate)
        self._settings = settings
        self._backgrounds = BackgroundComparison(rows, columns)
        self._stay = np.zeros((rows, columns), np.float32)
        self._last_moved_s = np.full((rows, columns), -np.inf)
        self._last_present_s = np.full((rows, columns), -np.inf)
        self._last_frame_s: float | None = None

    def observe(self, maps: MotionMaps, seconds: NDArray[np.float64]) -> Observation:
        """Observes the next block: maps of n frames at stream times float64 [n]."""
        motion = box_motion(
            maps, self._cell, self._settings.box_cells, self._settings.foreground_share
        )
        blobs = find_blobs(maps.foreground, self._cell, motion)
        change = self._backgrounds.compare(maps.background, seconds)
        still = np.asarray(~maps.camera.any(axis=1), np.bool_)
        return Observation(motion, blobs, self._stays(motion, seconds), change, still)

    def _stays(self, motion: BoxMotion, seconds: NDArray[np.float64]) -> NDArray[np.float32]:
        """Returns how long someone has stayed: slow foreground, but not as still as a thing."""
        stays = np.zeros(motion.share.shape, np.float32)
        for i, second in enumerate(seconds):
            step = 0.0 if self._last_frame_s is None else second - self._last_frame_s
            self._last_frame_s = float(second)
            if step > self._max_away_s:
                # Nobody knows what happened in a gap between spans or recordings.
                self._stay[:] = step = 0.0
            is_slow = (motion.share[i] > _MIN_STAY_SHARE) & (motion.speed[i] < _MAX_STAY_SPEED)
            self._last_moved_s[is_slow & (motion.speed[i] > 0)] = second
            is_person = is_slow & (second - self._last_moved_s < _MAX_STILL_S)
            self._last_present_s[maximum_filter(is_person, 3)] = second
            is_present = second - self._last_present_s < self._max_away_s
            self._stay = np.where(is_present, self._stay + np.float32(step), np.float32(0))
            stays[i] = np.where(is_person, self._stay, 0)
        return stays
