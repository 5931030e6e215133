"""What the scene channel learns about a camera: statistics that grow frame by frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.detectors.scene.moving_blobs import Blobs
from engine.motion.box_motion import BoxMotion
from engine.motion.row_statistics import RowStatistics

DIRECTIONS = 8
PLACE_CELLS = 4
_DIRECTION_GAP = 10.0
_VISIT_GAP = 20.0
_REST_SPEED = 2.0


@dataclass(frozen=True, eq=False)
class SceneStatistics:
    """Statistics of one camera over a grid of R x C cells.

    Attributes:
        speed: of foreground boxes, px/s, a row of cells.
        size: side of moving blobs, px, by the row they stand on.
        directions: int64 [R/4, C/4, 8], how many times something moved there that way, at
            least 10 s apart.
        visits: int64 [R, C], how many times something moved there, at least 20 s apart.
        dwelling: float32 [R, C], longest stay seen there, in seconds.
        seconds: footage learned from.
        frames: analysed frames learned from.
    """

    speed: RowStatistics
    size: RowStatistics
    directions: NDArray[np.int64]
    visits: NDArray[np.int64]
    dwelling: NDArray[np.float32]
    seconds: float
    frames: int

    @classmethod
    def empty(cls, rows: int, columns: int) -> SceneStatistics:
        """Statistics of a camera of which nothing is known."""
        place = (-(-rows // PLACE_CELLS), -(-columns // PLACE_CELLS), DIRECTIONS)
        return cls(
            RowStatistics.empty(rows),
            RowStatistics.empty(rows),
            np.zeros(place, np.int64),
            np.zeros((rows, columns), np.int64),
            np.zeros((rows, columns), np.float32),
            0.0,
            0,
        )

    def merged(self, other: SceneStatistics) -> SceneStatistics:
        """Returns the statistics of both pieces of footage."""
        return SceneStatistics(
            self.speed.merged(other.speed),
            self.size.merged(other.size),
            self.directions + other.directions,
            self.visits + other.visits,
            np.maximum(self.dwelling, other.dwelling),
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
            "dwelling": self.dwelling,
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
    """Gathers statistics from consecutive blocks of one piece of footage."""

    def __init__(self, rows: int, columns: int) -> None:
        self.statistics = SceneStatistics.empty(rows, columns)
        self._last_visit = np.full((rows, columns), -np.inf)
        self._last_direction = np.full(self.statistics.directions.shape, -np.inf)

    def add(
        self,
        motion: BoxMotion,
        blobs: Blobs,
        stay: NDArray[np.float32],
        seconds: NDArray[np.float64],
    ) -> None:
        """Learns from one block.

        Args:
            motion: of n frames.
            blobs: of the same frames.
            stay: float32 [n, R, C], how long something has stayed there, seconds.
            seconds: float64 [n], stream time.
        """
        if not len(seconds):
            return
        old = self.statistics
        _, rows, _ = np.nonzero(motion.present)
        moving = blobs.speed > _REST_SPEED
        step = float(np.median(np.diff(seconds))) if len(seconds) > 1 else 0.0
        self.statistics = SceneStatistics(
            old.speed.add(rows, motion.speed[motion.present]),
            old.size.add(blobs.foot[moving], blobs.side[moving]),
            old.directions + self._directions(motion, seconds),
            old.visits + self._visits(motion, seconds),
            np.maximum(old.dwelling, stay.max(0)),
            old.seconds + float(seconds[-1] - seconds[0]) + step,
            old.frames + len(seconds),
        )

    def _directions(self, motion: BoxMotion, seconds: NDArray[np.float64]) -> NDArray[np.int64]:
        added = np.zeros_like(self.statistics.directions)
        for i, second in enumerate(seconds):
            rows, columns = np.nonzero(motion.speed[i] > _REST_SPEED)
            sector = direction_sector(motion.vx[i, rows, columns], motion.vy[i, rows, columns])
            seen = np.zeros(added.shape, np.bool_)
            seen[rows // PLACE_CELLS, columns // PLACE_CELLS, sector] = True
            added += seen & (second - self._last_direction > _DIRECTION_GAP)
            self._last_direction[seen] = second
        return added

    def _visits(self, motion: BoxMotion, seconds: NDArray[np.float64]) -> NDArray[np.int64]:
        added = np.zeros_like(self.statistics.visits)
        for i, second in enumerate(seconds):
            moving = motion.speed[i] > _REST_SPEED
            added += moving & (second - self._last_visit > _VISIT_GAP)
            self._last_visit[moving] = second
        return added


def direction_sector(vx: NDArray[np.float32], vy: NDArray[np.float32]) -> NDArray[np.int64]:
    """Numbers the direction of velocities 0..7, from right over down, each 45 degrees wide."""
    sector = np.rint(np.arctan2(vy, vx) / (np.pi / 4)).astype(np.int64)
    return np.asarray(sector % DIRECTIONS, np.int64)
