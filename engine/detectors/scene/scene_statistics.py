"""Statistics of one camera that grow with its footage: the scene channel learns nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.settings import SceneSettings
from engine.detectors.scene.observation import Observer
from engine.motion.box_motion import BoxMotion
from engine.motion.motion_maps import MotionMaps
from engine.motion.row_statistics import RowStatistics

DIRECTIONS = 8  # Sectors of 45 degrees; finer ones would have too few passages each.
PLACE_CELLS = 4  # Cells across one part of the frame whose directions are counted together.
# Choices: how far apart two motions must be to count as two.
_DIRECTION_GAP_S = 10.0  # Same part of the frame and same direction.
_VISIT_GAP_S = 20.0  # Same cell.
_MIN_MOVING_SPEED = 2.0  # Pixels a second; what is slower is at rest.


@dataclass(frozen=True, eq=False)
class SceneStatistics:
    """Statistics of one camera over a grid of R x C cells.

    Attributes:
        speed: of foreground boxes, px/s, a row of cells.
        size: side of moving blobs, px, by the row they stand on.
        directions: int64 [R/4, C/4, 8], how many times something moved there that way, at
            least 10 s apart.
        visits: int64 [R, C], how many times something moved there, at least 20 s apart.
        longest_stay: float32 [R, C], in seconds; stored as `dwelling`.
        seconds: footage learned from.
        frames: analysed frames learned from.
    """

    speed: RowStatistics
    size: RowStatistics
    directions: NDArray[np.int64]
    visits: NDArray[np.int64]
    longest_stay: NDArray[np.float32]
    seconds: float
    frames: int

    @classmethod
    def empty(cls, rows: int, columns: int) -> SceneStatistics:
        """Returns the statistics of a camera of which nothing is known."""
        shape = (-(-rows // PLACE_CELLS), -(-columns // PLACE_CELLS), DIRECTIONS)
        return cls(
            RowStatistics.empty(rows),
            RowStatistics.empty(rows),
            np.zeros(shape, np.int64),
            np.zeros((rows, columns), np.int64),
            np.zeros((rows, columns), np.float32),
            0.0,
            0,
        )

    def merge(self, other: SceneStatistics) -> SceneStatistics:
        """Returns the statistics of both pieces of footage."""
        return SceneStatistics(
            self.speed.merge(other.speed),
            self.size.merge(other.size),
            self.directions + other.directions,
            self.visits + other.visits,
            np.maximum(self.longest_stay, other.longest_stay),
            self.seconds + other.seconds,
            self.frames + other.frames,
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Returns the arrays to store."""
        return {
            "speed": self.speed.counts,
            "size": self.size.counts,
            "directions": self.directions,
            "visits": self.visits,
            "dwelling": self.longest_stay,
        }

    @classmethod
    def from_arrays(
        cls, arrays: dict[str, NDArray[Any]], seconds: float, frames: int
    ) -> SceneStatistics:
        """Restores what `arrays` gave.

        Raises:
            KeyError: an array is missing.
            ValueError: their shapes do not fit each other.
        """
        rows, columns = arrays["visits"].shape
        expected = cls.empty(rows, columns).arrays()
        if any(arrays[name].shape != array.shape for name, array in expected.items()):
            raise ValueError("the shapes of the statistics do not fit each other")
        return cls(
            RowStatistics(arrays["speed"]),
            RowStatistics(arrays["size"]),
            arrays["directions"],
            arrays["visits"],
            arrays["dwelling"],
            seconds,
            frames,
        )


class SceneLearner:
    """Learns the statistics of one piece of footage, block by block."""

    def __init__(
        self, shape: tuple[int, int], cell: int, rate: float, settings: SceneSettings
    ) -> None:
        """Starts with nothing known.

        Args:
            shape: rows and columns of cells.
            cell: edge of a cell in analysis pixels.
            rate: analysed frames a second.
            settings: of the scene channel.
        """
        self.statistics = SceneStatistics.empty(*shape)
        self._observer = Observer(*shape, cell, settings, rate)
        self._last_visit_s = np.full(shape, -np.inf)
        self._last_direction_s = np.full(self.statistics.directions.shape, -np.inf)

    def learn(self, maps: MotionMaps, seconds: NDArray[np.float64]) -> None:
        """Learns from the next block: maps of n frames at stream times float64 [n]."""
        observation = self._observer.observe(maps, seconds)
        if not len(seconds):
            return
        motion, blobs = observation.motion, observation.blobs
        old = self.statistics
        _, rows, _ = np.nonzero(motion.present)
        moving = blobs.speed > _MIN_MOVING_SPEED
        step = float(np.median(np.diff(seconds))) if len(seconds) > 1 else 0.0
        self.statistics = SceneStatistics(
            old.speed.add(rows, motion.speed[motion.present]),
            old.size.add(blobs.foot[moving], blobs.side[moving]),
            old.directions + self._directions(motion, seconds),
            old.visits + self._visits(motion, seconds),
            np.maximum(old.longest_stay, observation.stay.max(0)),
            old.seconds + float(seconds[-1] - seconds[0]) + step,
            old.frames + len(seconds),
        )

    def _directions(self, motion: BoxMotion, seconds: NDArray[np.float64]) -> NDArray[np.int64]:
        added = np.zeros_like(self.statistics.directions)
        for i, second in enumerate(seconds):
            rows, columns = np.nonzero(motion.speed[i] > _MIN_MOVING_SPEED)
            sector = direction_sector(motion.vx[i, rows, columns], motion.vy[i, rows, columns])
            present = np.zeros(added.shape, np.bool_)
            present[rows // PLACE_CELLS, columns // PLACE_CELLS, sector] = True
            added += present & (second - self._last_direction_s > _DIRECTION_GAP_S)
            self._last_direction_s[present] = second
        return added

    def _visits(self, motion: BoxMotion, seconds: NDArray[np.float64]) -> NDArray[np.int64]:
        added = np.zeros_like(self.statistics.visits)
        for i, second in enumerate(seconds):
            moving = motion.speed[i] > _MIN_MOVING_SPEED
            added += moving & (second - self._last_visit_s > _VISIT_GAP_S)
            self._last_visit_s[moving] = second
        return added


def direction_sector(vx: NDArray[np.float32], vy: NDArray[np.float32]) -> NDArray[np.int64]:
    """Returns the sector of velocities, 0..7, 45 degrees each: 0 is to the right, 2 downwards."""
    sector = np.rint(np.arctan2(vy, vx) / (np.pi / 4)).astype(np.int64)
    return np.asarray(sector % DIRECTIONS, np.int64)
