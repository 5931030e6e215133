"""A pinhole camera above a ground plane."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Camera:
    """A static camera at (0, 0, elevation) that looks along +y and down by `tilt`.

    Attributes:
        width: of the picture, in pixels.
        height: of the picture, in pixels.
        elevation: height above the ground, in metres.
        tilt: angle of the optical axis below the horizon, in radians.
        focal: focal length in pixels.
    """

    width: int
    height: int
    elevation: float
    tilt: float
    focal: float

    @property
    def axes(self) -> Floats:
        """Rows are the camera's right, down and forward axes in the world, float64 [3, 3]."""
        sine, cosine = math.sin(self.tilt), math.cos(self.tilt)
        return np.array([[1.0, 0.0, 0.0], [0.0, -sine, -cosine], [0.0, cosine, -sine]])

    def project(self, points: Floats) -> tuple[Floats, Floats]:
        """Projects world points.

        Args:
            points: float64 [..., 3], metres.

        Returns:
            Pixels float64 [..., 2] (x right, y down) and depths float64 [...] in metres along
            the optical axis. Pixels of points with a depth below 0.1 m carry no meaning.
        """
        offset = np.asarray(points, dtype=np.float64) - np.array([0.0, 0.0, self.elevation])
        axial = offset @ self.axes.T
        depth = axial[..., 2]
        safe = np.where(depth > 0.1, depth, 0.1)[..., None]
        centre = np.array([self.width / 2, self.height / 2])
        return axial[..., :2] / safe * self.focal + centre, depth

    def rays(self, pixels: Floats) -> Floats:
        """Returns the viewing ray of each pixel.

        Args:
            pixels: float64 [..., 2].

        Returns:
            World directions float64 [..., 3] whose length along the optical axis is one metre.
        """
        centre = np.array([self.width / 2, self.height / 2])
        across = (np.asarray(pixels, dtype=np.float64) - centre) / self.focal
        ahead = np.ones((*across.shape[:-1], 1))
        return np.asarray(np.concatenate([across, ahead], axis=-1) @ self.axes)

    def ground(self, pixels: Floats) -> Floats:
        """Projects pixels back to the ground.

        Args:
            pixels: float64 [..., 2].

        Returns:
            Ground points float64 [..., 2] in metres; NaN at and above the horizon.
        """
        rays = self.rays(pixels)
        fall = -rays[..., 2]
        reach = np.where(fall > 1e-6, self.elevation / np.where(fall > 1e-6, fall, 1.0), np.nan)
        return rays[..., :2] * reach[..., None]

    def pixels_per_metre(self, rows: Floats) -> Floats:
        """Returns the scale of things that stand on the ground at a pixel row.

        Args:
            rows: float64 [...], pixel rows.

        Returns:
            Pixels per metre across the view, float64 [...]; 0 at and above the horizon.
        """
        offset = np.asarray(rows, dtype=np.float64) - self.height / 2
        scale = self.focal * math.sin(self.tilt) + offset * math.cos(self.tilt)
        return np.maximum(scale / self.elevation, 0.0)
