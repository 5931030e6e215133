"""A constant-velocity Kalman filter for the centre of a target.

Position and velocity are both measured (the flow inside the target gives the velocity), so two
axes with a 2x2 covariance in common are all there is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_ACCELERATION = 2.0
"""Deviation of a target's acceleration, in its own sizes per second squared."""

_POSITION_NOISE = 0.08
_POSITION_LEAST = 0.25
_VELOCITY_NOISE = 0.25
_VELOCITY_LEAST = 0.3


class CentreFilter:
    """Position and velocity of a centre, in cells and cells a second.

    Attributes:
        state: float64 [2, 2], rows position and velocity, columns x and y.
    """

    def __init__(self, centre: tuple[float, float], velocity: tuple[float, float]) -> None:
        self.state: NDArray[np.float64] = np.array([centre, velocity], np.float64)
        self._covariance = np.diag([0.5, max(1.0, 0.3 * float(np.hypot(*velocity))) ** 2])

    @property
    def centre(self) -> tuple[float, float]:
        """The estimated centre, in cells."""
        return float(self.state[0, 0]), float(self.state[0, 1])

    @property
    def velocity(self) -> tuple[float, float]:
        """The estimated velocity, in cells a second."""
        return float(self.state[1, 0]), float(self.state[1, 1])

    def predict(self, dt: float, size: float) -> None:
        """Moves on by dt seconds (negative: back in time).

        Args:
            dt: seconds.
            size: mean edge of the target in cells; larger targets change their speed more.
        """
        step = np.array([[1.0, dt], [0.0, 1.0]])
        q = (_ACCELERATION * size) ** 2
        noise = q * np.array([[dt**4 / 4, dt**3 / 2], [dt**3 / 2, dt**2]])
        self.state = step @ self.state
        self._covariance = step @ self._covariance @ step.T + noise

    def update(
        self, centre: tuple[float, float], velocity: tuple[float, float], size: float
    ) -> None:
        """Takes a measurement in.

        Args:
            centre: measured centre in cells.
            velocity: measured velocity in cells a second.
            size: mean edge of the target in cells.
        """
        speed = float(np.hypot(*velocity))
        noise = np.diag(
            [
                (_POSITION_NOISE * size + _POSITION_LEAST) ** 2,
                (_VELOCITY_NOISE * speed + _VELOCITY_LEAST * size) ** 2,
            ]
        )
        gain = self._covariance @ np.linalg.inv(self._covariance + noise)
        self.state = self.state + gain @ (np.array([centre, velocity]) - self.state)
        self._covariance = (np.eye(2) - gain) @ self._covariance
