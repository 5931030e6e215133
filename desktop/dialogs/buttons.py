"""Buttons of dialogs that stay open: Enter in a field does not press them."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QPushButton


def plain_button(text: str, act: Callable[[], object]) -> QPushButton:
    """Makes a button that does something and is nobody's default."""
    button = QPushButton(text)
    button.setAutoDefault(False)
    button.clicked.connect(lambda: act())
    return button
