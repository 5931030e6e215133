"""Boxes, arrows and words over one frame; the engine draws them into a still of their own."""

from __future__ import annotations

import math
from typing import Any

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QHBoxLayout,
    QInputDialog,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

_TOOLS = (("box", "&Box"), ("arrow", "&Arrow"), ("text", "&Words"))
_COLOUR, _EDGE = QColor(255, 210, 31), QColor(16, 16, 18)
_LEAST = 4.0
_HEAD = math.radians(25)
_MOST = 100

Mark = dict[str, Any]
"""As the engine process takes it: kind, x, y, to_x, to_y, text."""


class MarkedPicture(QWidget):
    """Shows a frame and takes marks by dragging; places are in decoded pixels."""

    words_wanted = Signal(QPointF)
    """Words are to be written at this place."""

    changed = Signal()
    """A mark was made or taken back."""

    def __init__(self, picture: QImage) -> None:
        super().__init__()
        self.marks: list[Mark] = []
        self.tool = "box"
        self._picture = picture
        self._begin: QPointF | None = None
        self._end = QPointF()
        self.setAccessibleName("Frame to be marked")
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setMinimumSize(320, 180)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def add(self, mark: Mark) -> None:
        """Adds a mark."""
        if len(self.marks) < _MOST:
            self.marks.append(mark)
            self.changed.emit()
            self.update()

    def take_back(self) -> None:
        """Takes the last mark back."""
        if self.marks:
            self.marks.pop()
            self.changed.emit()
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begins a mark."""
        place = self._place(event.position())
        if event.button() != Qt.MouseButton.LeftButton:
            return
        if self.tool == "text":
            self.words_wanted.emit(place)
        else:
            self._begin = self._end = place

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follows the hand."""
        if self._begin is not None:
            self._end = self._place(event.position())
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Ends a mark; one without a size is none."""
        begin, self._begin = self._begin, None
        if begin is None:
            return
        end = self._place(event.position())
        if (end - begin).manhattanLength() >= _LEAST:
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
            made = [] if self._begin is None else [_mark(self.tool, self._begin, self._end)]
            for mark in (*self.marks, *made):
                _draw(painter, mark, self._picture.height())

    def _scale(self) -> float:
        size = self._picture.size()
        return min(self.width() / size.width(), self.height() / size.height())

    def _area(self) -> QRectF:
        wide, high = (side * self._scale() for side in self._picture.size().toTuple())
        return QRectF((self.width() - wide) / 2, (self.height() - high) / 2, wide, high)

    def _place(self, point: QPointF) -> QPointF:
        inside = (point - self._area().topLeft()) / self._scale()
        wide, high = self._picture.width(), self._picture.height()
        return QPointF(min(max(0.0, inside.x()), wide), min(max(0.0, inside.y()), high))


class MarkingDialog(QDialog):
    """Lets an examiner mark a frame and export it.

    Args:
        picture: the frame in decoded size.
        said: which frame it is.
        parent: the window.
    """

    export = Signal(object)
    """list[Mark]: the frame shall be exported with these."""

    def __init__(self, picture: QImage, said: str, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Mark the frame")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.picture = MarkedPicture(picture)
        self.picture.words_wanted.connect(self._ask_words)
        self.picture.changed.connect(self._allow)
        about = QLabel(said)
        about.setProperty("role", "muted")
        self._undo = QPushButton("Take the last one back")
        self._undo.clicked.connect(self.picture.take_back)
        self._export = QPushButton("&Export…")
        self._export.setProperty("primary", True)
        self._export.clicked.connect(self._give)
        close = QPushButton("Close")
        close.clicked.connect(self.reject)
        row = QHBoxLayout()
        row.setSpacing(8)
        self._tools = QButtonGroup(self)
        for name, words in _TOOLS:
            row.addWidget(self._tool(name, words))
        row.addWidget(self._undo)
        row.addStretch(1)
        row.addWidget(close)
        row.addWidget(self._export)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(8)
        column.addWidget(about)
        column.addWidget(self.picture, 1)
        column.addLayout(row)
        self.resize(960, 680)
        self._allow()

    def write(self, place: QPointF, words: str) -> None:
        """Adds words at a place."""
        line = " ".join(words.split())
        if line:
            self.picture.add({"kind": "text", "x": place.x(), "y": place.y(), "text": line})

    def _tool(self, name: str, words: str) -> QToolButton:
        button = QToolButton()
        button.setText(words.replace("&", ""))
        button.setCheckable(True)
        button.setChecked(name == self.picture.tool)
        button.setProperty("labelled", True)
        button.clicked.connect(lambda _on=False: setattr(self.picture, "tool", name))
        self._tools.addButton(button)
        return button

    def _ask_words(self, place: QPointF) -> None:
        words, taken = QInputDialog.getText(self, "Words", "What is to be seen here?")
        if taken:
            self.write(place, words)

    def _allow(self) -> None:
        for button in (self._undo, self._export):
            button.setEnabled(bool(self.picture.marks))

    def _give(self) -> None:
        self.accept()
        self.export.emit(list(self.picture.marks))


def _mark(kind: str, begin: QPointF, end: QPointF) -> Mark:
    return {"kind": kind, "x": begin.x(), "y": begin.y(), "to_x": end.x(), "to_y": end.y()}


def _draw(painter: QPainter, mark: Mark, height: int) -> None:
    begin = QPointF(mark["x"], mark["y"])
    end = QPointF(mark.get("to_x", 0.0), mark.get("to_y", 0.0))
    wide, size = max(2.0, height / 240), max(11.0, height / 36)
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
    for colour, thickness in ((_EDGE, wide + 2), (_COLOUR, wide)):
        painter.setPen(QPen(colour, thickness, c=Qt.PenCapStyle.RoundCap))
        if mark["kind"] == "box":
            painter.drawRect(QRectF(begin, end).normalized())
            continue
        painter.drawLine(begin, end)
        along = math.atan2(begin.y() - end.y(), begin.x() - end.x())
        for angle in (along - _HEAD, along + _HEAD):
            tip = QPointF(math.cos(angle), math.sin(angle)) * size * 1.2
            painter.drawLine(end, end + tip)
