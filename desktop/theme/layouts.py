"""Widgets and layouts in a row or in a column, with the spacing of the window."""

from __future__ import annotations

from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLayout, QVBoxLayout, QWidget

Margins = tuple[int, int, int, int]
"""Pixels kept free at the left, the top, the right and the bottom."""

Part = QWidget | QLayout | tuple[QWidget | QLayout, int] | None
"""What a row or a column holds.

A pair also gives the stretch factor of its widget or layout; None stands for space that grows.
"""

_NO_MARGINS = (0, 0, 0, 0)  # pixels: what stands around decides the room


def row_of(
    *parts: Part, parent: QWidget | None = None, margins: Margins = _NO_MARGINS, spacing: int = 8
) -> QHBoxLayout:
    """Lays parts out from left to right.

    Args:
        parts: in order.
        parent: widget that is laid out as this row; None for a row within another layout.
        margins: around the row.
        spacing: pixels between the parts; -1 for as many as Qt's style has.
    """
    row = QHBoxLayout() if parent is None else QHBoxLayout(parent)
    _fill(row, parts, margins, spacing)
    return row


def column_of(
    *parts: Part, parent: QWidget | None = None, margins: Margins = _NO_MARGINS, spacing: int = 8
) -> QVBoxLayout:
    """Lays parts out from top to bottom; the arguments are those of `row_of`."""
    column = QVBoxLayout() if parent is None else QVBoxLayout(parent)
    _fill(column, parts, margins, spacing)
    return column


def _fill(box: QBoxLayout, parts: tuple[Part, ...], margins: Margins, spacing: int) -> None:
    box.setContentsMargins(*margins)
    box.setSpacing(spacing)
    for part in parts:
        content, stretch = part if isinstance(part, tuple) else (part, 0)
        if content is None:
            box.addStretch(1)
        elif isinstance(content, QLayout):
            box.addLayout(content, stretch)
        else:
            box.addWidget(content, stretch)
