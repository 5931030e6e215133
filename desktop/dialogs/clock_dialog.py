"""The offset between stream time and the clock burned into the picture."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QWidget

from desktop.dialogs.dialog_parts import dialog_column, error_label
from desktop.theme.controls import line_field
from engine.core.errors import SightlineError
from engine.core.times import format_time, parse_time

_FORMS = ("%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%d/%m/%Y %H:%M:%S")


def clock_seconds(text: str) -> float | None:
    """Reads a time of day, or a date and time as seconds since 1970; None when it is neither."""
    text = text.strip()
    for form in _FORMS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC).timestamp()
        except ValueError:
            continue
    try:
        return parse_time(text)
    except SightlineError:
        return None


class ClockDialog(QDialog):
    """Asks what the burned-in clock reads at the frame on screen."""

    def __init__(
        self, seconds: float, known: bool, set_offset: Callable[[float | None], None],
        parent: QWidget,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self.setWindowTitle("Burned-in clock")
        self._seconds = seconds
        self._set = set_offset
        self._field = line_field(
            "What the burned-in clock reads", "14:03:21   or   2026-03-01 14:03:21"
        )
        self._error = error_label()
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        if known:
            clear = buttons.addButton("Clear clock", QDialogButtonBox.ButtonRole.ResetRole)
            clear.clicked.connect(self._clear)
        buttons.accepted.connect(self._try)
        buttons.rejected.connect(self.reject)
        about = QLabel(
            f"The frame on screen is at stream time {format_time(seconds)}.\n"
            "What does the clock in the picture read? It is shown beside stream time\n"
            "and recorded; it changes no result."
        )
        dialog_column(self, about, self._field, self._error, buttons)

    def _try(self) -> None:
        read = clock_seconds(self._field.text())
        if read is None:
            self._error.setText("Not a time: type 14:03:21 or 2026-03-01 14:03:21.")
            self._error.show()
        else:
            self._set(read - self._seconds)
            self.accept()

    def _clear(self) -> None:
        self._set(None)
        self.accept()
