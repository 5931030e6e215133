"""What every attribute of the scene channel has: a measure, its limit, and words for both."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from engine.detectors.scene.observation import Observation
from engine.detectors.scene.scene_calibration import SceneCalibration

Excess = NDArray[np.float32]
"""Float32 [n, R, C], measured values divided by the limit of the usual at each cell; 0 where an
attribute does not apply."""


class Attribute(ABC):
    """One property of what is observed that can be unusual.

    What it measures is in the `Observation`; new measurements are added in `observation.py`.

    Attributes:
        name: under which settings and reasons store it.
        unit: of the measured and of the usual value.
        wording: the reason in words, with the arguments of `describe` to be filled in.
        is_motion: whether it is about what moves, which motion rules and harmless targets can
            suppress; otherwise it is about what stands still.
        allows_moving_camera: whether it still holds while the camera moves.
    """

    name: ClassVar[str]
    unit: ClassVar[str]
    wording: ClassVar[str]
    is_motion: ClassVar[bool] = True
    allows_moving_camera: ClassVar[bool] = False

    @abstractmethod
    def __init__(self, calibration: SceneCalibration) -> None:
        """Prepares the limits that follow from a calibration."""

    @abstractmethod
    def excess(self, observation: Observation) -> Excess:
        """Returns the excess in every cell of the observed frames."""

    @abstractmethod
    def explain(self, excess: float, row: int, column: int) -> tuple[float, float]:
        """Returns the measured and the usual value at a cell with this excess, in `unit`."""

    @classmethod
    def describe(cls, value: float, usual: float, ratio: float) -> str:
        """Returns the reason in words.

        Args:
            value: measured, in `unit`.
            usual: likewise.
            ratio: `value` divided by `usual`; the excess where nothing is usual.
        """
        return cls.wording.format(value=value, usual=usual, ratio=ratio)


def no_excess(observation: Observation) -> Excess:
    """Returns the excess of an attribute that has nothing to say."""
    return np.zeros(observation.motion.speed.shape, np.float32)
