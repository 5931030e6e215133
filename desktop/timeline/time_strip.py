"""The base of what is drawn over time from edge to edge: its height, its colours, the playhead."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.theme.theme_tokens import DARK, Tokens
from desktop.timeline.time_view import TimeView


class TimeStrip(QWidget):
    """As wide as there is room, as high as `sizeHint` says."""

    def __init__(self, view: TimeView, name: str) -> None:
        super().__init__()
        self._view = view
        self._tokens = DARK
        self._playhead = 0.0
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def minimumSizeHint(self) -> QSize:
        """The same as the preferred size."""
        return self.sizeHint()

    def set_tokens(self, tokens: Tokens) -> None:
        """Sets the colours of a theme."""
        self._tokens = tokens
        self.redraw()

    def redraw(self) -> None:
        """Draws the strip anew: what it shows has changed."""
        self.update()

    def set_playhead(self, seconds: float) -> None:
        """Moves the playhead."""
        before, self._playhead = self._playhead, seconds
        for moment in (before, seconds):
            self.update(round(self._view.x(moment, self.width())) - 2, 0, 5, self.height())

    def _paint_playhead(self, painter: QPainter) -> None:
        if self._view.start <= self._playhead <= self._view.end:
            painter.setPen(QPen(QColor(self._tokens.accent), 1))
            x = self._view.x(self._playhead, self.width())
            painter.drawLine(QPointF(x, 0), QPointF(x, self.height()))
