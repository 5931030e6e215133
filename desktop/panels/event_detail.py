"""What the selected event is about, and the four states it can be given."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from desktop.state.visibility_filters import EXAMINER
from desktop.theme.stylesheet import figures
from engine.case import EventRow, TrajectorySummary
from engine.core.times import format_time


class EventDetail(QWidget):
    """Says all reasons of one event; a button a state does what its key does.

    Args:
        actions: what gives the selected event a state, by state.
    """

    def __init__(self, actions: dict[str, QAction]) -> None:
        super().__init__()
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setFont(figures(self._text.font()))
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._state = QLabel()
        self._buttons: dict[str, QToolButton] = {}
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._state, 1)
        for state, action in actions.items():
            button = QToolButton()
            button.setDefaultAction(action)
            button.setAccessibleName(action.text().replace("&", ""))
            row.addWidget(button)
            self._buttons[state] = button
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 4)
        column.setSpacing(8)
        column.addWidget(self._text)
        column.addLayout(row)
        self.hide()

    @property
    def text(self) -> str:
        """What it says about the event."""
        return self._text.text()

    def show_event(self, row: EventRow | None, trajectories: Sequence[TrajectorySummary]) -> None:
        """Shows an event; None hides the whole.

        Args:
            row: the event.
            trajectories: of its evidence.
        """
        self.setVisible(row is not None)
        if row is None:
            return
        self._text.setText("\n".join(event_lines(row, trajectories)))
        reason = f": {row.state_reason}" if row.state_reason else ""
        self._state.setText(f"{row.state}{reason}")
        for state, button in self._buttons.items():
            button.setProperty("current", state == row.state)
            button.style().unpolish(button)
            button.style().polish(button)


def event_lines(row: EventRow, trajectories: Sequence[TrajectorySummary]) -> list[str]:
    """Returns what is known of an event, a line each: span, reasons, ways.

    Args:
        row: the event.
        trajectories: of its evidence.
    """
    event = row.event
    lines = [f"{format_time(event.start_s)} – {format_time(event.end_s)}"]
    lines += [one.text for one in event.reasons] or [event.summary]
    by_number = {one.number: one for one in trajectories}
    for number in event.trajectories:
        one = by_number.get(number)
        if one is not None:
            lines.append(f"#{number}: {one.from_cell} → {one.to_cell}")
    if event.channel != EXAMINER:
        lines.append(f"{event.channel}, highest score {event.peak_score:.2f}")
    return lines


def event_line(row: EventRow) -> str:
    """Returns the reasons of an event in one line, without its times."""
    return ", ".join(one.text for one in row.event.reasons) or row.event.summary
