"""The hand on the timeline: scrubbing, zooming, panning and hovering, the same on every part."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from desktop.timeline.time_view import TimeView

_WHEEL = 1.0018  # zoom factor of an eighth of a degree of the wheel: 1.24 a notch
_PAN_SHARE = 0.0008  # of the view, for an eighth of a degree of the wheel: 0.1 a notch


class TimelineMouseHandler(QObject):
    """Watches widgets that are drawn over time and says what the hand means there."""

    pressed = Signal(object, QPointF)
    """The widget and the place where the left button went down."""

    scrubbed = Signal(float)
    """Seconds under the hand while the left button is down, also at the press itself."""

    released = Signal()
    """The left button went up."""

    hovered = Signal(float, QPointF)
    """Seconds under the hand without a button, and the place on the screen."""

    left = Signal()
    """The hand went away."""

    def __init__(self, view: TimeView) -> None:
        super().__init__()
        self._view = view
        self._scrubbing = False
        self._pan_from: float | None = None

    def watch(self, widget: QWidget) -> None:
        """Takes over the mouse on a widget."""
        widget.setMouseTracking(True)
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Turns mouse events into what they mean."""
        if not isinstance(watched, QWidget):
            return False
        if event.type() == QEvent.Type.Leave:
            self.left.emit()
        if isinstance(event, QWheelEvent):
            self._wheel(watched, event)
            return True
        if not isinstance(event, QMouseEvent):
            return False
        if event.type() == QEvent.Type.MouseButtonPress:
            return self._press(watched, event)
        if event.type() == QEvent.Type.MouseMove:
            self._move(watched, event)
            return True
        if event.type() == QEvent.Type.MouseButtonRelease:
            self._release()
            return True
        return False

    def _wheel(self, widget: QWidget, event: QWheelEvent) -> None:
        turned = event.angleDelta()
        span = self._view.end - self._view.start
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier or not turned.y():
            self._view.pan(-(turned.x() or turned.y()) * _PAN_SHARE * span)
        else:
            at = self._view.seconds(event.position().x(), widget.width())
            self._view.zoom(_WHEEL ** turned.y(), at)

    def _press(self, widget: QWidget, event: QMouseEvent) -> bool:
        seconds = self._view.seconds(event.position().x(), widget.width())
        if event.button() == Qt.MouseButton.LeftButton:
            self._scrubbing = True
            self.left.emit()
            self.pressed.emit(widget, event.position())
            self.scrubbed.emit(seconds)
            return True
        if event.button() == Qt.MouseButton.MiddleButton:
            self._pan_from = seconds
            return True
        return False

    def _move(self, widget: QWidget, event: QMouseEvent) -> None:
        seconds = self._view.seconds(event.position().x(), widget.width())
        if self._scrubbing:
            self.scrubbed.emit(seconds)
        elif self._pan_from is not None:
            self._view.pan(self._pan_from - seconds)
        else:
            self.hovered.emit(seconds, event.globalPosition())

    def _release(self) -> None:
        if self._scrubbing:
            self._scrubbing = False
            self.released.emit()
        self._pan_from = None
