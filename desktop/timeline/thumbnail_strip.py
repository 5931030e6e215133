"""Pictures side by side over time, with a tick at every keyframe."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen

from desktop.state.delayed_call import delayed_call
from desktop.state.evidence_view import EvidenceView
from desktop.timeline.thumbnails import ThumbnailServer
from desktop.timeline.time_strip import TimeStrip
from desktop.timeline.time_view import GUTTER, MARGIN, TimeView

_HEIGHT = 44  # pixels of the pictures
_TICKS = 6  # pixels of the ticks below them
_SETTLE_MS = 80  # pause in zooming after which pictures are asked for
_MAX_TICKS = 400  # keyframes beyond which their ticks would touch each other
_NONE = np.zeros(0, np.float64)


class ThumbnailStrip(TimeStrip):
    """Asks for the pictures in sight once the view has settled."""

    def __init__(self, view: TimeView, server: ThumbnailServer) -> None:
        super().__init__(view, "Thumbnails over time")
        self._server = server
        self._evidence: EvidenceView | None = None
        self._keyframes = _NONE
        self._pictures: dict[int, QImage] = {}
        self._stopped = False
        self._settled = delayed_call(self, _SETTLE_MS, self._ask)
        view.changed.connect(self._on_view_change)
        server.thumbnail_ready.connect(self._on_thumbnail)

    def sizeHint(self) -> QSize:
        """One row of pictures and the ticks."""
        return QSize(400, _HEIGHT + _TICKS)

    def set_evidence(self, view: EvidenceView | None) -> None:
        """Turns to evidence; the same evidence keeps its pictures."""
        before = self._evidence
        self._evidence = view
        if view is None or before is None or before.index is not view.index:
            self._pictures = {}
            self._keyframes = _NONE if view is None else view.seconds[view.index.keyframe]
            self._on_view_change()

    def stop(self) -> None:
        """Asks for nothing more, whatever changes from now on."""
        self._stopped = True
        self._settled.stop()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draws pictures, ticks and playhead."""
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), QColor(self._tokens.panel))
            if self._evidence is not None:
                self._paint(painter, event)

    def _paint(self, painter: QPainter, event: QPaintEvent) -> None:
        painter.setClipRect(GUTTER, 0, self.width() - GUTTER - MARGIN, self.height())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        for frame, box in self._slots():
            if not box.intersects(QRectF(event.rect())):
                continue
            picture = self._pictures.get(frame)
            if picture is None or picture.isNull():
                painter.fillRect(box.adjusted(0, 0, -1, 0), QColor(self._tokens.raised))
            else:
                painter.drawImage(_within(picture, box.adjusted(0, 0, -1, 0)), picture)
        self._paint_ticks(painter, event.rect())
        self._paint_playhead(painter)

    def _paint_ticks(self, painter: QPainter, part: QRect) -> None:
        first, last = np.searchsorted(self._keyframes, [self._view.start, self._view.end])
        if last - first > _MAX_TICKS:
            return
        painter.setPen(QPen(QColor(self._tokens.muted), 1))
        for moment in self._keyframes[first:last].tolist():
            x = self._view.x(moment, self.width())
            if part.left() - 1 <= x <= part.right() + 1:
                painter.drawLine(QPointF(x, _HEIGHT + 1), QPointF(x, _HEIGHT + _TICKS))

    def _slots(self) -> list[tuple[int, QRectF]]:
        """Returns the frame and the place of each picture; places are fixed in time."""
        view = self._evidence
        if view is None:
            return []
        shape = view.width * view.pixel_aspect / view.height
        wide = min(160.0, max(28.0, _HEIGHT * shape)) + 2
        scale = (self._view.x(self._view.end, self.width()) - GUTTER) / (
            self._view.end - self._view.start
        )
        step = wide / scale
        numbers = np.arange(int(self._view.start // step), int(self._view.end // step) + 1)
        frames = np.searchsorted(view.seconds, numbers * step)
        last = len(view.seconds) - 1
        return [
            (
                min(int(frame), last),
                QRectF(self._view.x(float(number * step), self.width()), 0, wide, _HEIGHT),
            )
            for number, frame in zip(numbers, frames, strict=True)
        ]

    def _on_view_change(self) -> None:
        self.update()
        if not self._stopped:
            self._settled.start()

    def _ask(self) -> None:
        frames = [frame for frame, _box in self._slots()]
        self._pictures = {
            frame: picture for frame, picture in self._pictures.items() if frame in set(frames)
        }
        missing = [frame for frame in frames if frame not in self._pictures]
        if missing:
            spacing = int(np.median(np.diff(frames))) if len(frames) > 1 else 0
            self._server.ask(missing, spacing)

    def _on_thumbnail(self, frame: int, picture: QImage) -> None:
        if self._evidence is not None:
            self._pictures[frame] = picture
            self.update()


def _within(picture: QImage, box: QRectF) -> QRectF:
    size = picture.size().scaled(box.size().toSize(), Qt.AspectRatioMode.KeepAspectRatio)
    return QRectF(box.left(), box.top(), size.width(), size.height())
