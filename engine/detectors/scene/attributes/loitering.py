"""Loitering: someone stays for over a minute, and for longer than is usual there."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import maximum_filter

from engine.detectors.scene.attributes.attribute import Attribute, Excess
from engine.detectors.scene.observation import Observation
from engine.detectors.scene.scene_calibration import SceneCalibration

_MIN_LIMIT_S = 60.0  # The usual meaning of the word: whoever stays for a minute only waits.
_USUAL_FACTOR = 1.5  # A choice: how far beyond the longest usual stay the limit lies.
_NEIGHBOURHOOD = 5  # Cells across: a stay counts for the cells within two of it as well.


class Loitering(Attribute):
    """Time for which someone stays against the longest usual stay there."""

    name = "dwelling"
    unit = "s"
    wording = "stayed for {value:.0f} s"

    def __init__(self, calibration: SceneCalibration) -> None:
        longest = maximum_filter(calibration.statistics.longest_stay, _NEIGHBOURHOOD)
        self._usual = longest if calibration.from_normal else np.zeros_like(longest)
        self._limit = np.maximum(_MIN_LIMIT_S, _USUAL_FACTOR * self._usual)

    def excess(self, observation: Observation) -> Excess:
        """Returns the time of stay divided by the limit of the cell."""
        return np.asarray(observation.stay / self._limit, np.float32)

    def explain(self, excess: float, row: int, column: int) -> tuple[float, float]:
        """Returns the time of stay and the longest usual stay there, in seconds."""
        return excess * float(self._limit[row, column]), float(self._usual[row, column])

    @classmethod
    def describe(cls, value: float, usual: float, ratio: float) -> str:
        """Returns for how long someone stayed, and the longest usual stay where there is one."""
        longest = f", the longest usual stay here is {usual:.0f} s" if usual > 0 else ""
        return super().describe(value, usual, ratio) + longest
