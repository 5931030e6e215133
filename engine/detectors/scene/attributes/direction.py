"""Direction: something moves where next to nothing goes that way."""

from __future__ import annotations

import numpy as np

from engine.detectors.scene.attributes.attribute import Attribute, Excess, no_excess
from engine.detectors.scene.observation import Observation
from engine.detectors.scene.scene_calibration import SceneCalibration
from engine.detectors.scene.scene_statistics import DIRECTIONS, PLACE_CELLS, direction_sector

_LIMIT_SHARE = 0.05  # A choice: a way that less of the motion takes is unusual.
_MAX_EXCESS = 1.5  # A choice: a rare way alone makes a score of 0.84, however rare it is.
_RULE_OF_THREE = 3.0  # None in n passages bounds a share by 3 / n with 95 % confidence.
_SECTORS = 3  # The sector of a way and its two neighbours count as the same way.


class Direction(Attribute):
    """Direction of motion against the directions that are usual in that part of the frame.

    The share of motion that goes a way is the upper end of its 95 % interval (the rule of three),
    so that a part of the frame with few passages has nothing to say.
    """

    name = "direction"
    unit = "share of motion"
    wording = "against the usual direction ({value:.1%} of the motion here goes this way)"

    def __init__(self, calibration: SceneCalibration) -> None:
        counts = calibration.statistics.directions.astype(np.float64)
        same_way = counts + np.roll(counts, 1, 2) + np.roll(counts, -1, 2)
        passages = counts.sum(2, keepdims=True)
        own = 0.0 if calibration.from_normal else 1.0
        share = (np.maximum(same_way - own, 0) + _RULE_OF_THREE) / np.maximum(passages - own, 1)
        self._excess = np.minimum(_MAX_EXCESS, _LIMIT_SHARE / share).astype(np.float32)
        self._moving_speed = calibration.moving_speed()

    def excess(self, observation: Observation) -> Excess:
        """Returns how rare the direction is there, for whatever moves."""
        result = no_excess(observation)
        if self._moving_speed is None:
            return result
        motion = observation.motion
        moving = np.nonzero(motion.speed > self._moving_speed[None, :, None])
        sector = direction_sector(motion.vx[moving], motion.vy[moving])
        _, rows, columns = moving
        result[moving] = self._excess[rows // PLACE_CELLS, columns // PLACE_CELLS, sector]
        return result

    def explain(self, excess: float, row: int, column: int) -> tuple[float, float]:
        """Returns the share of motion that goes that way, and the share if all ways were alike."""
        return min(1.0, _LIMIT_SHARE / max(excess, 1e-6)), _SECTORS / DIRECTIONS
