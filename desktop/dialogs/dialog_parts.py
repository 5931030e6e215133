"""Widgets and layouts that many dialogs share."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QDialog, QLabel, QPushButton, QVBoxLayout

from desktop.theme.controls import push_button
from desktop.theme.layouts import Part, column_of


def plain_button(
    text: str, act: Callable[[], object], tip: str = "", primary: bool = False
) -> QPushButton:
    """Makes a button that calls `act`; Enter in a field of the dialog does not press it."""
    button = push_button(text, act, tip, primary)
    button.setAutoDefault(False)
    return button


def error_label(text: str = "") -> QLabel:
    """Makes a hidden label in the colour of errors."""
    label = QLabel(text)
    label.setProperty("role", "danger")
    label.hide()
    return label


def dialog_column(dialog: QDialog, *parts: Part, spacing: int = 8) -> QVBoxLayout:
    """Lays the dialog out as a column with the margins of all dialogs; spacing in pixels."""
    return column_of(*parts, parent=dialog, margins=(16, 16, 16, 16), spacing=spacing)
