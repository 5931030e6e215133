"""The reasons of the selected event, and buttons for its state."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLabel, QToolButton, QWidget

from desktop.state.visibility_filters import EXAMINER
from desktop.theme.controls import figures_label
from desktop.theme.layouts import column_of, row_of
from engine.case import EventRow, TrajectorySummary
from engine.core.times import format_time


class EventDetail(QWidget):
    """Shows all reasons of one event, with a button for each state.

    Args:
        actions: by state, the action that sets it for the selected event.
    """

    def __init__(self, actions: dict[str, QAction]) -> None:
        super().__init__()
        self._text = figures_label()
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._state = QLabel()
        self._buttons: dict[str, QToolButton] = {}
        for state, action in actions.items():
            button = QToolButton()
            button.setDefaultAction(action)
            button.setAccessibleName(action.text().replace("&", ""))
            self._buttons[state] = button
        row = row_of((self._state, 1), *self._buttons.values())
        column_of(self._text, row, parent=self, margins=(8, 8, 8, 4))
        self.hide()

    @property
    def text(self) -> str:
        """The words on screen about the event."""
        return self._text.text()

    def show_event(self, row: EventRow | None, trajectories: Sequence[TrajectorySummary]) -> None:
        """Shows an event; None hides the widget.

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
    """Returns the span, the reasons, the trajectories and the score of an event, one line each.

    Args:
        row: the event.
        trajectories: of its evidence.
    """
    event = row.event
    lines = [f"{format_time(event.start_s)} – {format_time(event.end_s)}"]
    lines += [reason.text for reason in event.reasons] or [event.summary]
    by_number = {trajectory.number: trajectory for trajectory in trajectories}
    for number in event.trajectories:
        trajectory = by_number.get(number)
        if trajectory is not None:
            lines.append(f"#{number}: {trajectory.from_cell} → {trajectory.to_cell}")
    if event.channel != EXAMINER:
        lines.append(f"{event.channel}, highest score {event.peak_score:.2f}")
    return lines


def event_line(row: EventRow) -> str:
    """Returns the reasons of an event in one line, without its times."""
    return ", ".join(reason.text for reason in row.event.reasons) or row.event.summary
