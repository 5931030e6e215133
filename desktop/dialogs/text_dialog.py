"""Text to be read, copied and sent on."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPlainTextEdit, QVBoxLayout, QWidget

from desktop.theme.stylesheet import mono


class TextDialog(QDialog):
    """Shows a text with a button that copies it.

    Args:
        title: of the window.
        text: to be shown.
        parent: window it belongs to.
        columns: whether the text is laid out in columns, so that it needs letters of one width.

    Attributes:
        text: shows it.
        buttons: below it, for more of them.
    """

    def __init__(self, title: str, text: str, parent: QWidget, columns: bool = False) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.text = QPlainTextEdit(text)
        self.text.setReadOnly(True)
        self.text.setAccessibleName(title)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        copy = self.buttons.addButton("Copy", QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.text.toPlainText()))
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(8)
        layout.addWidget(self.text)
        layout.addWidget(self.buttons)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(640, 480)
        if columns:
            self.text.setFont(mono())
            self.resize(760, 560)
