"""The lanes under the score, drawn once and kept until something changes."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPixmap, QResizeEvent

from desktop.state.view_state import Selection
from desktop.timeline.lanes import Lane
from desktop.timeline.time_strip import TimeStrip
from desktop.timeline.time_view import GUTTER, MARGIN, TimeView

_SLACK_PIXELS = 3  # how far beside a thin bar a click still counts for it


class LaneStack(TimeStrip):
    """Lanes from top to bottom over the same time."""

    def __init__(self, view: TimeView, lanes: Sequence[Lane]) -> None:
        super().__init__(view, "Events, trajectories and marks over time")
        self._lanes = tuple(lanes)
        self._drawn: QPixmap | None = None
        view.changed.connect(self.redraw)

    def sizeHint(self) -> QSize:
        """As high as the lanes together."""
        return QSize(400, sum(lane.height for lane in self._lanes))

    def redraw(self) -> None:
        """Draws the lanes anew: what they hold has changed."""
        self._drawn = None
        self.updateGeometry()
        self.update()

    def hit(self, point: QPointF) -> Selection | None:
        """Returns what lies at a place."""
        top = 0
        seconds = self._view.seconds(point.x(), self.width())
        slack = self._view.seconds(point.x() + _SLACK_PIXELS, self.width()) - seconds
        for lane in self._lanes:
            if top <= point.y() < top + lane.height:
                return lane.hit(seconds, int(point.y() - top), slack)
            top += lane.height
        return None

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Draws the lanes anew."""
        self._drawn = None

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draws lanes and playhead."""
        if self._drawn is None:
            self._drawn = self._draw()
        with QPainter(self) as painter:
            painter.drawPixmap(0, 0, self._drawn)
            self._paint_playhead(painter)

    def _draw(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        pixmap = QPixmap(self.size() * ratio)
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(QColor(self._tokens.panel))
        with QPainter(pixmap) as painter:
            self._paint(painter)
        return pixmap

    def _paint(self, painter: QPainter) -> None:
        top = 0
        for lane in self._lanes:
            painter.setPen(QColor(self._tokens.muted))
            painter.setFont(self.font())
            flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(0, top, GUTTER - 10, lane.height, flags, lane.name)
            painter.save()
            painter.setClipRect(GUTTER - 2, top, self.width() - GUTTER - MARGIN + 4, lane.height)
            lane.paint(painter, self._view, self.width(), top, self._tokens)
            painter.restore()
            painter.setPen(QPen(QColor(self._tokens.line), 1))
            painter.drawLine(GUTTER, top, self.width() - MARGIN, top)
            top += lane.height
