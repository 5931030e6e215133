"""A dialog with a text to be read and copied."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPlainTextEdit, QWidget

from desktop.dialogs.dialog_parts import dialog_column
from desktop.theme.stylesheet import mono


class TextDialog(QDialog):
    """Shows a text with a button that copies it.

    Args:
        title: of the window.
        text: shown in the dialog.
        parent: window it belongs to.
        columns: whether the text is laid out in columns and needs a font of fixed width.

    Attributes:
        text: the widget that shows the text.
        buttons: below the text; more can be added.
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
        dialog_column(self, self.text, self.buttons)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(640, 480)
        if columns:
            self.text.setFont(mono())
            self.resize(760, 560)
