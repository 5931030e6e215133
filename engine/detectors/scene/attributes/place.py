"""Place: something moves where nothing moves in footage that is long enough to tell."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import maximum_filter

from engine.detectors.scene.attributes.attribute import Attribute, Excess, no_excess
from engine.detectors.scene.observation import Observation
from engine.detectors.scene.scene_calibration import SceneCalibration

# Choices: how much footage tells that nothing moves somewhere. Of other footage it takes more,
# because there the motion in question may itself be among what was learned.
_MIN_NORMAL_S = 60.0
_MIN_OTHER_S = 300.0  # See above.
_EXCESS = 1.4  # A choice: visits cannot be measured against a limit of none; a score of 0.79.
_NEIGHBOURHOOD = 5  # Cells across: a visit counts for the cells within two of it as well.


class Place(Attribute):
    """Motion where no motion is usual."""

    name = "place"
    unit = "visits"
    wording = "at a place where nothing usually moves"

    def __init__(self, calibration: SceneCalibration) -> None:
        statistics = calibration.statistics
        is_known = statistics.seconds >= (
            _MIN_NORMAL_S if calibration.from_normal else _MIN_OTHER_S
        )
        visits = maximum_filter(statistics.visits, _NEIGHBOURHOOD)
        others = visits if calibration.from_normal else np.maximum(visits - 1, 0)
        self._unvisited = (others == 0) & is_known
        self._usual = float(np.median(visits[visits > 0])) if visits.any() else 0.0
        self._moving_speed = calibration.moving_speed()

    def excess(self, observation: Observation) -> Excess:
        """Returns a fixed excess for whatever moves in a cell without visits."""
        if self._moving_speed is None or not self._unvisited.any():
            return no_excess(observation)
        is_moving = observation.motion.speed > self._moving_speed[None, :, None]
        return np.where(is_moving & self._unvisited, np.float32(_EXCESS), np.float32(0))

    def explain(self, excess: float, row: int, column: int) -> tuple[float, float]:
        """Returns no visits, against the median of the cells that have some."""
        return 0.0, self._usual
