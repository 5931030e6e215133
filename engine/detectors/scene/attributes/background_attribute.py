"""What the attributes share that look at changes of the background."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from engine.detectors.scene.attributes.attribute import Attribute, Excess
from engine.detectors.scene.observation import Observation
from engine.detectors.scene.scene_calibration import SceneCalibration

_LIMIT_S = 30.0  # A choice: someone who puts a bag down and picks it up again is quicker.
_MAX_S = 90.0  # Bounds the excess: after three times the limit the score hardly rises.


class BackgroundAttribute(Attribute):
    """A change of the background that lasts; nothing of it is learned for a camera.

    Attributes:
        is_about_abandoned: whether it looks for abandoned objects; otherwise for removed ones.
    """

    unit = "s"
    is_motion = False
    is_about_abandoned: ClassVar[bool]

    def __init__(self, calibration: SceneCalibration) -> None:
        """Needs nothing of the calibration."""

    def excess(self, observation: Observation) -> Excess:
        """Returns for how long the change has lasted, divided by the limit."""
        change = observation.change
        is_own = change.is_abandoned == self.is_about_abandoned
        seconds = np.minimum(np.where(is_own, change.seconds, 0), _MAX_S)
        excess = (seconds / _LIMIT_S).astype(np.float32)
        return np.broadcast_to(excess, observation.motion.speed.shape)

    def explain(self, excess: float, row: int, column: int) -> tuple[float, float]:
        """Returns the seconds for which the change has lasted, against none."""
        return excess * _LIMIT_S, 0.0
