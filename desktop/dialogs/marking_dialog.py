"""Boxes, arrows and words over one frame, which the engine draws into an exported still."""

from __future__ import annotations

import math
from typing import Any

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QInputDialog,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from desktop.dialogs.dialog_parts import dialog_column
from desktop.theme.controls import labelled_button, muted_label, push_button
from desktop.theme.layouts import row_of

_TOOLS = (("box", "&Box"), ("arrow", "&Arrow"), ("text", "&Words"))
_COLOUR, _EDGE = QColor(255, 210, 31), QColor(16, 16, 18)
_MIN_LENGTH = 4.0  # decoded pixels; a shorter drag is a slip of the hand
_ARROW_ANGLE = math.radians(25)
_MAX_MARKS = 100  # a choice; more would hide the frame

StillMark = dict[str, Any]
"""A mark of an exported still, as the engine process takes it: kind, x, y, to_x, to_y, text."""


class MarkedPicture(QWidget):
    """Shows a frame and adds marks by dragging; positions are in decoded pixels."""

    words_requested = Signal(QPointF)
    """Words are to be written at this position."""

    changed = Signal()
    """A mark was added or removed."""

    def __init__(self, picture: QImage) -> None:
        super().__init__()
        self.marks: list[StillMark] = []
        self.tool = "box"
        self._picture = picture
        self._begin: QPointF | None = None
        self._end = QPointF()
        self.setAccessibleName("Frame to be marked")
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setMinimumSize(320, 180)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def add(self, mark: StillMark) -> None:
        """Adds a mark."""
        if len(self.marks) < _MAX_MARKS:
            self.marks.append(mark)
            self.changed.emit()
            self.update()

    def undo(self) -> None:
        """Removes the last mark."""
        if self.marks:
            self.marks.pop()
            self.changed.emit()
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begins a mark."""
        position = self._in_frame(event.position())
        if event.button() != Qt.MouseButton.LeftButton:
            return
        if self.tool == "text":
            self.words_requested.emit(position)
        else:
            self._begin = self._end = position

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Stretches the mark to the mouse."""
        if self._begin is not None:
            self._end = self._in_frame(event.position())
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Ends a mark; one without a size is dropped."""
        begin, self._begin = self._begin, None
        if begin is None:
            return
        end = self._in_frame(event.position())
        if (end - begin).manhattanLength() >= _MIN_LENGTH:
            self.add(_mark(self.tool, begin, end))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draws the frame and the marks, about as the engine will."""
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            area = self._area()
            painter.drawImage(area, self._picture)
            painter.translate(area.topLeft())
            painter.scale(self._scale(), self._scale())
            begun = [] if self._begin is None else [_mark(self.tool, self._begin, self._end)]
            for mark in (*self.marks, *begun):
                _draw(painter, mark, self._picture.height())

    def _scale(self) -> float:
        size = self._picture.size()
        return min(self.width() / size.width(), self.height() / size.height())

    def _area(self) -> QRectF:
        width, height = (side * self._scale() for side in self._picture.size().toTuple())
        return QRectF((self.width() - width) / 2, (self.height() - height) / 2, width, height)

    def _in_frame(self, point: QPointF) -> QPointF:
        inside = (point - self._area().topLeft()) / self._scale()
        width, height = self._picture.width(), self._picture.height()
        return QPointF(min(max(0.0, inside.x()), width), min(max(0.0, inside.y()), height))


class MarkingDialog(QDialog):
    """Lets an examiner mark a frame and export it.

    Args:
        picture: the frame in decoded size.
        description: which frame it is.
        parent: the window.
    """

    export = Signal(object)
    """list[StillMark]: the frame is to be exported with these marks."""

    def __init__(self, picture: QImage, description: str, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Mark the frame")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.picture = MarkedPicture(picture)
        self.picture.words_requested.connect(self._ask_words)
        self.picture.changed.connect(self._enable_buttons)
        self._undo = push_button("Undo last mark", self.picture.undo)
        self._export = push_button("&Export…", self._finish, primary=True)
        close = push_button("Close", self.reject)
        self._tools = QButtonGroup(self)
        tools = [self._tool(name, words) for name, words in _TOOLS]
        row = row_of(*tools, self._undo, None, close, self._export)
        dialog_column(self, muted_label(description), (self.picture, 1), row)
        self.resize(960, 680)
        self._enable_buttons()

    def write(self, position: QPointF, words: str) -> None:
        """Adds words at a position."""
        line = " ".join(words.split())
        if line:
            self.picture.add({"kind": "text", "x": position.x(), "y": position.y(), "text": line})

    def _tool(self, name: str, words: str) -> QToolButton:
        button = labelled_button(words.replace("&", ""))
        button.setCheckable(True)
        button.setChecked(name == self.picture.tool)
        button.clicked.connect(lambda _on=False: setattr(self.picture, "tool", name))
        self._tools.addButton(button)
        return button

    def _ask_words(self, position: QPointF) -> None:
        words, accepted = QInputDialog.getText(self, "Words", "What is to be seen here?")
        if accepted:
            self.write(position, words)

    def _enable_buttons(self) -> None:
        for button in (self._undo, self._export):
            button.setEnabled(bool(self.picture.marks))

    def _finish(self) -> None:
        self.accept()
        self.export.emit(list(self.picture.marks))


def _mark(kind: str, begin: QPointF, end: QPointF) -> StillMark:
    return {"kind": kind, "x": begin.x(), "y": begin.y(), "to_x": end.x(), "to_y": end.y()}


def _draw(painter: QPainter, mark: StillMark, height: int) -> None:
    begin = QPointF(mark["x"], mark["y"])
    end = QPointF(mark.get("to_x", 0.0), mark.get("to_y", 0.0))
    # Lines and letters keep their share of the height, so that every frame shows them alike.
    line_width, size = max(2.0, height / 240), max(11.0, height / 36)
    if mark["kind"] == "text":
        font = painter.font()
        font.setPixelSize(round(size))
        painter.setFont(font)
        box = painter.fontMetrics().boundingRect(mark["text"]).adjusted(-3, -2, 3, 2)
        box.moveTopLeft(begin.toPoint())
        painter.fillRect(box, _EDGE)
        painter.setPen(_COLOUR)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, mark["text"])
        return
    for colour, thickness in ((_EDGE, line_width + 2), (_COLOUR, line_width)):
        painter.setPen(QPen(colour, thickness, c=Qt.PenCapStyle.RoundCap))
        if mark["kind"] == "box":
            painter.drawRect(QRectF(begin, end).normalized())
            continue
        painter.drawLine(begin, end)
        along = math.atan2(begin.y() - end.y(), begin.x() - end.x())
        for angle in (along - _ARROW_ANGLE, along + _ARROW_ANGLE):
            tip = QPointF(math.cos(angle), math.sin(angle)) * size * 1.2
            painter.drawLine(end, end + tip)
