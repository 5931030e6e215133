"""A constant-velocity Kalman filter for the centre of a target.

Position and velocity are both measured (the flow inside the target gives the velocity), so two
axes that share one 2x2 covariance are all that the filter holds.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Deviations of the motion model and of what is measured; chosen, not fitted to data.
_ACCELERATION = 2.0  # Of a target's acceleration, in its own sizes a second squared.
_POSITION_NOISE = 0.08  # Of a measured centre, in sizes of the target.
_MIN_POSITION_NOISE = 0.25  # Added to that, in cells: a centre is no finer than the grid.
_VELOCITY_NOISE = 0.25  # Of a measured velocity, as a share of the speed.
_MIN_VELOCITY_NOISE = 0.3  # Added to that, in sizes of the target a second.


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
        """Predicts the state after some time.

        Args:
            dt: seconds; negative for going back in time.
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
        """Corrects the state by a measurement.

        Args:
            centre: measured centre in cells.
            velocity: measured velocity in cells a second.
            size: mean edge of the target in cells.
        """
        speed = float(np.hypot(*velocity))
        noise = np.diag(
            [
                (_POSITION_NOISE * size + _MIN_POSITION_NOISE) ** 2,
                (_VELOCITY_NOISE * speed + _MIN_VELOCITY_NOISE * size) ** 2,
            ]
        )
        gain = self._covariance @ np.linalg.inv(self._covariance + noise)
        self.state = self.state + gain @ (np.array([centre, velocity]) - self.state)
        self._covariance = (np.eye(2) - gain) @ self._covariance
