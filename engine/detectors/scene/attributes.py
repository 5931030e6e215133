"""The attributes of motion and what each finds unusual.

An attribute turns an observation into `excess`: 1 where it is at the limit of what is usual at
that place, 0 where there is nothing to say. Given the excess at a cell it explains itself.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

from engine.detectors.scene.observation import Observation
from engine.detectors.scene.scene_calibration import Calibration
from engine.detectors.scene.scene_statistics import PLACE_CELLS, direction_sector

Excess = NDArray[np.float32]
Explained = tuple[float, float]

_DIRECTION_SHARE = 0.05
_DIRECTION_TOP = 1.5
_RULE_OF_THREE = 3.0
_PLACE_SECONDS = {True: 60.0, False: 300.0}
_PLACE_EXCESS = 1.4
_STAY_LIMIT = 60.0
_STAY_FACTOR = 1.5
_MOVING_SHARE = 0.4


class Attribute(Protocol):
    """One thing that can be unusual."""

    name: str
    unit: str

    def excess(self, observation: Observation) -> Excess:
        """Returns float32 [n, R, C], 1 = at the limit of the usual."""
        ...

    def explain(self, excess: float, row: int, column: int) -> Explained:
        """Returns the value measured and the usual value at a cell with this excess."""
        ...


def _nothing(observation: Observation) -> Excess:
    return np.zeros(observation.motion.speed.shape, np.float32)


class Speed:
    """Speed against what is usual at that row."""

    name = "speed"
    unit = "px/s"

    def __init__(self, calibration: Calibration) -> None:
        self._usual = calibration.usual_speed()
        self._limit = calibration.speed_limit()

    def excess(self, observation: Observation) -> Excess:
        """Speed divided by the limit of its row."""
        if self._limit is None:
            return _nothing(observation)
        return observation.motion.speed / self._limit[None, :, None]

    def explain(self, excess: float, row: int, column: int) -> Explained:
        """Speed and usual speed, px/s of the analysis picture."""
        if self._limit is None or self._usual is None:
            return 0.0, 0.0
        return excess * float(self._limit[row]), float(self._usual[row])


class Direction:
    """Motion where next to none of the usual motion goes that way.

    The share is the upper end of its 95 % interval (the rule of three), so that a place passed
    a few times only says nothing.
    """

    name = "direction"
    unit = "share of motion"

    def __init__(self, calibration: Calibration) -> None:
        counts = calibration.statistics.directions.astype(np.float64)
        same_way = counts + np.roll(counts, 1, 2) + np.roll(counts, -1, 2)
        times = counts.sum(2, keepdims=True)
        own = 0.0 if calibration.from_normal else 1.0
        bound = (np.maximum(same_way - own, 0) + _RULE_OF_THREE) / np.maximum(times - own, 1)
        self._excess = np.minimum(_DIRECTION_TOP, _DIRECTION_SHARE / bound).astype(np.float32)
        self._usual_speed = calibration.usual_speed()

    def excess(self, observation: Observation) -> Excess:
        """How rare the direction is at that place, for what moves at all."""
        result = _nothing(observation)
        if self._usual_speed is None:
            return result
        motion = observation.motion
        least = _MOVING_SHARE * self._usual_speed
        frames, rows, columns = np.nonzero(motion.speed > least[None, :, None])
        at = frames, rows, columns
        sector = direction_sector(motion.vx[at], motion.vy[at])
        result[at] = self._excess[rows // PLACE_CELLS, columns // PLACE_CELLS, sector]
        return result

    def explain(self, excess: float, row: int, column: int) -> Explained:
        """Share of the usual motion that goes that way, and the share if all were alike."""
        return min(1.0, _DIRECTION_SHARE / max(excess, 1e-6)), 3 / 8


class Size:
    """Moving blobs larger than what is usual on their row."""

    name = "size"
    unit = "px"

    def __init__(self, calibration: Calibration) -> None:
        self._usual = calibration.usual_size()
        self._limit = calibration.size_limit()
        self._usual_speed = calibration.usual_speed()

    def excess(self, observation: Observation) -> Excess:
        """Side of the blob divided by the limit of the row it stands on."""
        blobs = observation.blobs
        if self._limit is None or self._usual_speed is None or not len(blobs.side):
            return _nothing(observation)
        moving = blobs.speed > _MOVING_SHARE * self._usual_speed[blobs.foot]
        ratio = np.where(moving, blobs.side / self._limit[blobs.foot], 0)
        return np.concatenate([[0], ratio]).astype(np.float32)[blobs.labels]

    def explain(self, excess: float, row: int, column: int) -> Explained:
        """Side of the blob and usual side, px of the analysis picture."""
        if self._limit is None or self._usual is None:
            return 0.0, 0.0
        return excess * float(self._limit[row]), float(self._usual[row])


class Place:
    """Motion where nothing moves in footage long enough to say so."""

    name = "place"
    unit = "visits"

    def __init__(self, calibration: Calibration) -> None:
        statistics = calibration.statistics
        known = statistics.seconds >= _PLACE_SECONDS[calibration.from_normal]
        visits = maximum_filter(statistics.visits, 5)
        others = visits if calibration.from_normal else np.maximum(visits - 1, 0)
        self._empty = (others == 0) & known
        self._usual = float(np.median(visits[visits > 0])) if visits.any() else 0.0
        self._usual_speed = calibration.usual_speed()

    def excess(self, observation: Observation) -> Excess:
        """A fixed excess for whatever moves at a place without visits."""
        if self._usual_speed is None or not self._empty.any():
            return _nothing(observation)
        moving = observation.motion.speed > _MOVING_SHARE * self._usual_speed[None, :, None]
        return np.where(moving & self._empty, np.float32(_PLACE_EXCESS), np.float32(0))

    def explain(self, excess: float, row: int, column: int) -> Explained:
        """No visits there, against the median of visited places."""
        return 0.0, self._usual


class Dwelling:
    """Someone who stays much longer than is usual at that place."""

    name = "dwelling"
    unit = "s"

    def __init__(self, calibration: Calibration) -> None:
        longest = maximum_filter(calibration.statistics.dwelling, 5)
        self._usual = longest if calibration.from_normal else np.zeros_like(longest)
        self._limit = np.maximum(_STAY_LIMIT, _STAY_FACTOR * self._usual)

    def excess(self, observation: Observation) -> Excess:
        """Time of stay divided by the limit of the place."""
        return np.asarray(observation.stay / self._limit, np.float32)

    def explain(self, excess: float, row: int, column: int) -> Explained:
        """Time of stay and the longest usual stay there, in seconds."""
        return excess * float(self._limit[row, column]), float(self._usual[row, column])
