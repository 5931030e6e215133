"""Icons of one family (Lucide), recoloured to the theme and crisp at every scale."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QIconEngine, QImage, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from engine.core.resources import RESOURCES

FOLDER = RESOURCES / "icons"

_colours = {"normal": "#ececec", "disabled": "#7c7c7c"}


def set_colours(normal: str, disabled: str) -> None:
    """Recolours all icons, also those already given out, when they are painted next."""
    _colours.update(normal=normal, disabled=disabled)


@lru_cache(maxsize=256)
def icon(name: str, colour: str = "") -> QIcon:
    """Returns an icon by its Lucide name.

    Args:
        name: of the file in `resources/icons`, without ending.
        colour: `#rrggbb` for an icon that carries meaning; empty follows the theme.

    Raises:
        FileNotFoundError: there is no such icon.
    """
    source = (FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    return QIcon(_SvgEngine(source, colour))


def pixmap(name: str, size: int, colour: str = "", ratio: float = 1.0) -> QPixmap:
    """Returns an icon as a pixmap of a size in logical pixels."""
    return icon(name, colour).pixmap(QSize(size, size), ratio)


class _SvgEngine(QIconEngine):
    """Draws an SVG in the colour of the theme at whatever size is asked for."""

    def __init__(self, source: str, colour: str) -> None:
        super().__init__()
        self._source = source
        self._colour = colour

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        """Draws the icon into a rectangle."""
        disabled = mode == QIcon.Mode.Disabled
        colour = _colours["disabled"] if disabled else self._colour or _colours["normal"]
        drawn = self._source.replace("currentColor", colour)
        QSvgRenderer(QByteArray(drawn.encode())).render(painter, QRectF(rect))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """Returns the icon as a pixmap of a size in device pixels."""
        image = QImage(size, QImage.Format.Format_ARGB32_Premultiplied)
        image.fill(Qt.GlobalColor.transparent)
        with QPainter(image) as painter:
            self.paint(painter, QRect(QPointF(0, 0).toPoint(), size), mode, state)
        return QPixmap.fromImage(image)

    def clone(self) -> QIconEngine:
        """Returns a copy."""
        return _SvgEngine(self._source, self._colour)
