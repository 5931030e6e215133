"""The timeline of a review: what a target did, and the spans of its dialogues."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPen

from desktop.theme.theme_tokens import Tokens
from desktop.timeline.lane_stack import LaneStack
from desktop.timeline.lanes import Lane
from desktop.timeline.time_view import TimeView

LaneStatement = tuple[float, float, str]
"""Start and end in seconds, and what is said of the time between."""

_PAD = 4  # pixels between the words of a statement and the ends of its bar


class StatementLane(Lane):
    """Statements about stretches of time, each with its words where there is room."""

    height = 20

    def __init__(self, name: str) -> None:
        self.name = name
        self.statements: Sequence[LaneStatement] = ()
        self.chosen: tuple[float, float] | None = None

    def paint(
        self, painter: QPainter, view: TimeView, width: int, top: int, tokens: Tokens
    ) -> None:
        """Draws the statements in sight."""
        for start, end, words in self.statements:
            if end < view.start or start > view.end:
                continue
            left = view.x(start, width)
            box = QRectF(left, top + 3, max(3.0, view.x(end, width) - left), self.height - 6)
            painter.fillRect(box, QColor(tokens.raised))
            here = self.chosen == (start, end)
            painter.setPen(QPen(QColor(tokens.accent if here else tokens.line), 2 if here else 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(box)
            if painter.fontMetrics().horizontalAdvance(words) + 2 * _PAD <= box.width():
                painter.setPen(QColor(tokens.text))
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)


class ReviewLanes(LaneStack):
    """Lanes that say where they were clicked."""

    sought = Signal(float)
    """Stream time to go to, in seconds."""

    def __init__(self, view: TimeView, lanes: Sequence[Lane]) -> None:
        super().__init__(view, lanes)
        self.time = view
        self.setAccessibleName("What the target did, over time")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Goes to where it was clicked."""
        self.sought.emit(self.time.seconds(event.position().x(), self.width()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follows the hand while the button is down."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.sought.emit(self.time.seconds(event.position().x(), self.width()))
