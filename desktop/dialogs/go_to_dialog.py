"""Go to a time or a frame."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QDialog, QLabel, QLineEdit, QVBoxLayout, QWidget

from engine.core.errors import SightlineError


class GoToDialog(QDialog):
    """Takes `12.4`, `01:02.5`, `1:02:03` or `#310`; Enter goes there."""

    def __init__(self, go: Callable[[str], SightlineError | None], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Go to")
        self._go = go
        self._field = QLineEdit()
        self._field.setPlaceholderText("12.4   01:02.5   1:02:03   #310")
        self._field.setAccessibleName("Time or frame")
        self._wrong = QLabel()
        self._wrong.setProperty("role", "danger")
        self._wrong.setWordWrap(True)
        self._wrong.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(8)
        layout.addWidget(QLabel("Stream time in seconds or [HH:]MM:SS, or # and the frame number:"))
        layout.addWidget(self._field)
        layout.addWidget(self._wrong)
        self._field.returnPressed.connect(self._try)

    def _try(self) -> None:
        wrong = self._go(self._field.text())
        if wrong is None:
            self.accept()
        else:
            self._wrong.setText(wrong.line())
            self._wrong.show()
            self._field.selectAll()
