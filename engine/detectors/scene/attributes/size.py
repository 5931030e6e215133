"""Size: something that moves is larger than is usual on its row of the frame."""

from __future__ import annotations

import numpy as np

from engine.detectors.scene.attributes.attribute import Attribute, Excess, no_excess
from engine.detectors.scene.observation import Observation
from engine.detectors.scene.scene_calibration import SceneCalibration


class Size(Attribute):
    """Side of a moving blob against the limit of the row that it stands on."""

    name = "size"
    unit = "px"
    wording = "{ratio:.1f} times the usual size here"

    def __init__(self, calibration: SceneCalibration) -> None:
        self._usual = calibration.usual_size()
        self._limit = calibration.size_limit()
        self._moving_speed = calibration.moving_speed()

    def excess(self, observation: Observation) -> Excess:
        """Returns the side of the blob divided by the limit of the row that it stands on."""
        blobs = observation.blobs
        if self._limit is None or self._moving_speed is None or not len(blobs.side):
            return no_excess(observation)
        is_moving = blobs.speed > self._moving_speed[blobs.foot]
        ratio = np.where(is_moving, blobs.side / self._limit[blobs.foot], 0)
        return np.concatenate([[0], ratio]).astype(np.float32)[blobs.labels]

    def explain(self, excess: float, row: int, column: int) -> tuple[float, float]:
        """Returns the side of the blob and the usual side, px at analysis size."""
        if self._limit is None or self._usual is None:
            return 0.0, 0.0
        return excess * float(self._limit[row]), float(self._usual[row])
