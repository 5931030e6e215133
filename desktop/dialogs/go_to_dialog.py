"""Asks for a time or a frame to go to."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QDialog, QLabel, QWidget

from desktop.dialogs.dialog_parts import dialog_column, error_label
from desktop.theme.controls import line_field
from engine.core.errors import SightlineError


class GoToDialog(QDialog):
    """Accepts `12.4`, `01:02.5`, `1:02:03` or `#310`; Enter goes there."""

    def __init__(self, go: Callable[[str], SightlineError | None], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Go to")
        self._go = go
        self._field = line_field("Time or frame", "12.4   01:02.5   1:02:03   #310")
        self._error = error_label()
        self._error.setWordWrap(True)
        about = QLabel("Stream time in seconds or [HH:]MM:SS, or # and the frame number:")
        dialog_column(self, about, self._field, self._error)
        self._field.returnPressed.connect(self._try)

    def _try(self) -> None:
        error = self._go(self._field.text())
        if error is None:
            self.accept()
        else:
            self._error.setText(error.line())
            self._error.show()
            self._field.selectAll()
