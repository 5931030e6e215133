"""The labels, fields and buttons of which panels and dialogs are made."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QPushButton, QToolButton

from desktop.theme.icons import icon
from desktop.theme.stylesheet import figures


def muted_label(text: str = "", wraps: bool = False) -> QLabel:
    """Makes a label in the colour of text of less weight."""
    label = QLabel(text)
    label.setProperty("role", "muted")
    label.setWordWrap(wraps)
    return label


def figures_label(widest: str = "") -> QLabel:
    """Makes a label for numbers that change, at least as wide as a text."""
    label = QLabel()
    label.setFont(figures(label.font()))
    label.setMinimumWidth(label.fontMetrics().horizontalAdvance(widest))
    return label


def line_field(name: str, hint: str, max_letters: int | None = None) -> QLineEdit:
    """Makes a field for one line.

    Args:
        name: read out by a screen reader.
        hint: shown while the field is empty.
        max_letters: that can be typed; None for as many as Qt allows.
    """
    field = QLineEdit()
    field.setPlaceholderText(hint)
    field.setAccessibleName(name)
    if max_letters is not None:
        field.setMaxLength(max_letters)
    return field


def choice_field(name: str, texts: Sequence[str]) -> QComboBox:
    """Makes a field that offers texts to choose from; a screen reader says its name."""
    field = QComboBox()
    field.addItems(texts)
    field.setAccessibleName(name)
    return field


def push_button(
    text: str, act: Callable[[], object], tip: str = "", primary: bool = False
) -> QPushButton:
    """Makes a button that calls `act`; a primary one stands out."""
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setProperty("primary", primary)
    button.clicked.connect(lambda: act())
    return button


def icon_button(
    icon_name: str, tip: str, act: Callable[[], object] | None = None, name: str = ""
) -> QToolButton:
    """Makes a button with an icon.

    Args:
        icon_name: Lucide name.
        tip: what the button does, with its keys in parentheses.
        act: called by the button; None when a menu or another signal is connected.
        name: read out by a screen reader; empty for the tip without the keys.
    """
    button = QToolButton()
    button.setIcon(icon(icon_name))
    button.setToolTip(tip)
    button.setAccessibleName(name or tip.partition(" (")[0])
    if act is not None:
        button.clicked.connect(lambda: act())
    return button


def labelled_button(text: str, tip: str = "") -> QToolButton:
    """Makes a button of a toolbar with words instead of an icon."""
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tip)
    button.setProperty("labelled", True)
    return button
