"""The offset between stream time and the clock burned into the picture."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from engine.core.errors import SightlineError
from engine.core.times import format_time, parse_time

_FORMS = ("%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%d/%m/%Y %H:%M:%S")


def clock_seconds(text: str) -> float | None:
    """Reads a time of day, or a date and time as seconds since 1970; None when it is neither."""
    wanted = text.strip()
    for form in _FORMS:
        try:
            return datetime.strptime(wanted, form).replace(tzinfo=UTC).timestamp()
        except ValueError:
            continue
    try:
        return parse_time(wanted)
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
        self._field = QLineEdit()
        self._field.setPlaceholderText("14:03:21   or   2026-03-01 14:03:21")
        self._field.setAccessibleName("What the burned-in clock reads")
        self._wrong = QLabel()
        self._wrong.setProperty("role", "danger")
        self._wrong.hide()
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        if known:
            clear = buttons.addButton("Forget it", QDialogButtonBox.ButtonRole.ResetRole)
            clear.clicked.connect(self._clear)
        buttons.accepted.connect(self._try)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(8)
        layout.addWidget(
            QLabel(
                f"The frame on screen is at stream time {format_time(seconds)}.\n"
                "What does the clock in the picture read? It is shown beside stream time\n"
                "and recorded; it changes no result."
            )
        )
        layout.addWidget(self._field)
        layout.addWidget(self._wrong)
        layout.addWidget(buttons)

    def _try(self) -> None:
        read = clock_seconds(self._field.text())
        if read is None:
            self._wrong.setText("Not a time: type 14:03:21 or 2026-03-01 14:03:21.")
            self._wrong.show()
        else:
            self._set(read - self._seconds)
            self.accept()

    def _clear(self) -> None:
        self._set(None)
        self.accept()
