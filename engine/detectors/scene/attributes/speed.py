"""Speed: something moves faster than is usual on its row of the frame."""

from __future__ import annotations

from engine.detectors.scene.attributes.attribute import Attribute, Excess, no_excess
from engine.detectors.scene.observation import Observation
from engine.detectors.scene.scene_calibration import SceneCalibration


class Speed(Attribute):
    """Speed of foreground against the limit of its row.

    It is the only attribute that holds while the camera moves, as speed against the moving frame.
    """

    name = "speed"
    unit = "px/s"
    wording = "{ratio:.1f} times the usual speed here"
    allows_moving_camera = True

    def __init__(self, calibration: SceneCalibration) -> None:
        self._usual = calibration.usual_speed()
        self._limit = calibration.speed_limit()

    def excess(self, observation: Observation) -> Excess:
        """Returns speed divided by the limit of its row."""
        if self._limit is None:
            return no_excess(observation)
        return observation.motion.speed / self._limit[None, :, None]

    def explain(self, excess: float, row: int, column: int) -> tuple[float, float]:
        """Returns speed and usual speed, px/s at analysis size."""
        if self._limit is None or self._usual is None:
            return 0.0, 0.0
        return excess * float(self._limit[row]), float(self._usual[row])
