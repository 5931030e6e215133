"""How decoded pixels lie on the screen: rotation, pixel aspect, zoom and pan."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QTransform

MAX_ZOOM = 32.0  # screen pixels of a decoded pixel; beyond it nothing more is to be seen


@dataclass(frozen=True)
class PictureGeometry:
    """A frame of decoded pixels shown in a rectangle of the screen.

    Attributes:
        width: of the frame in decoded pixels.
        height: of the frame in decoded pixels.
        rotation: degrees clockwise: 0, 90, 180 or 270.
        aspect: width / height of one pixel.
        zoom: 1 fits the whole frame into the rectangle.
        pan: shift of the frame's middle in screen pixels at zoom 1.
    """

    width: int = 16
    height: int = 9
    rotation: int = 0
    aspect: float = 1.0
    zoom: float = 1.0
    pan: QPointF = field(default_factory=lambda: QPointF(0, 0))

    def transform(self, area: QRectF) -> QTransform:
        """Returns what takes decoded pixels to the screen."""
        scale = self._fit(area) * self.zoom
        middle = area.center() + self.pan * self.zoom
        transform = QTransform()
        transform.translate(middle.x(), middle.y())
        transform.scale(scale, scale)
        transform.rotate(self.rotation)
        transform.scale(self.aspect, 1)
        transform.translate(-self.width / 2, -self.height / 2)
        return transform

    def to_pixels(self, area: QRectF, point: QPointF) -> QPointF:
        """Returns the decoded pixel under a point of the screen; may lie outside the frame."""
        inverted, _ = self.transform(area).inverted()
        return inverted.map(point)

    def zoom_at(self, area: QRectF, point: QPointF, factor: float) -> PictureGeometry:
        """Returns the geometry zoomed around a point, which stays where it is."""
        zoom = min(MAX_ZOOM, max(1.0, self.zoom * factor))
        if zoom == 1.0:
            return self.fit()
        away = point - area.center()
        pan = away / zoom - away / self.zoom + self.pan
        return replace(self, zoom=zoom, pan=pan)

    def pan_by(self, by: QPointF) -> PictureGeometry:
        """Returns the geometry moved by a way on the screen."""
        return replace(self, pan=self.pan + by / self.zoom)

    def fit(self) -> PictureGeometry:
        """Returns the geometry with the whole frame in sight."""
        return replace(self, zoom=1.0, pan=QPointF(0, 0))

    def _fit(self, area: QRectF) -> float:
        width, height = self.width * self.aspect, float(self.height)
        if self.rotation % 180:
            width, height = height, width
        return max(1e-6, min(area.width() / width, area.height() / height))
