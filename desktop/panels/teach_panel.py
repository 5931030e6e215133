"""The targets that were marked to teach by, and what the next one is."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QToolButton,
    QVBoxLayout,
)

from desktop.panels.panel import Panel
from desktop.panels.row_list import Row
from desktop.state.target_mark import TargetMark
from desktop.state.view_state import ViewState
from engine.core.times import format_time

_EMPTY = (
    "Targets you mark will be listed here. Type what the target is, say whether that is abnormal "
    "or normal, and mark it in two or three frames: click it, draw a box, or brush over it."
)
_TOOLS = {"point": "Click", "box": "Box", "brush": "Brush"}
_ICONS = {"point": "crosshair", "box": "square", "brush": "pencil"}
_MOST_LETTERS, _MOST_NAME = 120, 60


class TeachPanel(Panel):
    """Lists the marks so far; says name and side of the next one.

    Args:
        state: shared by the panels.
        tools: by shape, the action that begins to point.
        teach: teaches by the marks.
        variants: shows what was taught.
    """

    removed = Signal(int)
    """Place of the mark to be removed."""

    def __init__(
        self, state: ViewState, tools: Mapping[str, QAction], teach: QAction, variants: QAction
    ) -> None:
        super().__init__("Marked targets", _EMPTY)
        self._state = state
        self.field = QLineEdit()
        self.field.setMaxLength(_MOST_LETTERS)
        self.field.setPlaceholderText("What is it? For example: golf cart")
        self.field.setAccessibleName("What the target is")
        self._abnormal = _side("Abnormal", "What is marked shall stand out (X)")
        self._normal = _side("Normal", "What is marked shall not stand out (X)")
        self._abnormal.setChecked(True)
        self._sides = QButtonGroup(self)
        row = QHBoxLayout()
        row.setSpacing(4)
        for side in (self._abnormal, self._normal):
            self._sides.addButton(side)
            row.addWidget(side)
        row.addStretch(1)
        for action in tools.values():
            row.addWidget(_tool(action))
        top = QVBoxLayout()
        top.setContentsMargins(8, 8, 8, 4)
        top.setSpacing(8)
        top.addWidget(self.field)
        top.addLayout(row)
        self.column.insertLayout(0, top)
        self.variant = QLineEdit()
        self.variant.setMaxLength(_MOST_NAME)
        self.variant.setPlaceholderText("Name of the variant")
        self.variant.setAccessibleName("Name of the variant")
        self.variant.returnPressed.connect(teach.trigger)
        below = QHBoxLayout()
        below.setContentsMargins(8, 4, 8, 8)
        below.setSpacing(8)
        below.addWidget(self.variant, 1)
        for text, action in (("Teach", teach), ("Variants…", variants)):
            below.addWidget(_does(text, action))
        self.column.addLayout(below)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._menu)
        state.targets.changed.connect(self._show)
        self._show(state.targets.value)

    @property
    def name(self) -> str:
        """What the next target is."""
        return self.field.text()

    @property
    def normal(self) -> bool:
        """Whether the next target is normal."""
        return self._normal.isChecked()

    @property
    def place(self) -> int:
        """Place of the selected mark; -1 when none is."""
        selected = self.list.selected
        return -1 if selected is None else selected

    def wants_name(self) -> bool:
        """Whether a name must be typed first; the cursor stands in its field then."""
        if self.name.strip():
            return False
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        return True

    def turn_side(self) -> None:
        """Turns the next mark from abnormal to normal and back."""
        (self._abnormal if self.normal else self._normal).setChecked(True)

    def _show(self, marks: tuple[TargetMark, ...]) -> None:
        grown = len(marks) > len(self.list.rows.rows)
        self.list.set_rows([_row(place, mark) for place, mark in enumerate(marks)])
        if grown:
            self.list.select(len(marks) - 1)

    def _menu(self, at: QPoint) -> None:
        row = self.list.indexAt(at).data(Qt.ItemDataRole.UserRole)
        if isinstance(row, Row):
            menu = QMenu(self)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.addAction("Remove").triggered.connect(lambda: self.removed.emit(row.id))
            menu.popup(self.list.viewport().mapToGlobal(at))


def _row(place: int, mark: TargetMark) -> Row:
    return Row(
        id=place,
        title=mark.name,
        detail=f"{mark.side} · {_TOOLS[mark.shape].lower()} · {mark.file}",
        right=format_time(mark.seconds),
        icon=_ICONS[mark.shape],
        said=mark.side,
    )


def _side(text: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tip)
    button.setCheckable(True)
    button.setProperty("labelled", True)
    return button


def _tool(action: QAction) -> QToolButton:
    button = QToolButton()
    button.setIcon(action.icon())
    return _triggering(button, action)


def _does(text: str, action: QAction) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setProperty("labelled", True)
    return _triggering(button, action)


def _triggering(button: QToolButton, action: QAction) -> QToolButton:
    button.setToolTip(action.toolTip())
    button.setAccessibleName(action.toolTip().partition(" (")[0])
    button.setEnabled(action.isEnabled())
    button.clicked.connect(action.trigger)
    action.changed.connect(lambda: button.setEnabled(action.isEnabled()))
    return button
