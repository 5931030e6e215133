"""The marks from which a variant is taught, with name and side of the next one."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QButtonGroup, QToolButton

from desktop.panels.panel import Panel
from desktop.panels.row_list import Row
from desktop.state.target_mark import TargetMark
from desktop.state.view_state import ViewState
from desktop.theme.controls import labelled_button, line_field
from desktop.theme.layouts import column_of, row_of
from engine.core.times import format_time

_EMPTY = (
    "Targets you mark will be listed here. Type what the target is, say whether that is abnormal "
    "or normal, and mark it in two or three frames: click it, draw a box, or brush over it."
)
_TOOLS = {"point": "Click", "box": "Box", "brush": "Brush"}
_ICONS = {"point": "crosshair", "box": "square", "brush": "pencil"}
_MAX_TARGET_LETTERS = 120  # of a target; its name becomes a prompt, which is a few words
_MAX_NAME_LETTERS = 60  # of a variant, so that lists show the name whole; a choice


class TeachPanel(Panel):
    """Lists the marks so far, and asks for name and side of the next one.

    Args:
        state: shared by the panels.
        tools: the action that begins to mark, by shape.
        teach: teaches a variant by the marks.
        variants: shows the variants.
    """

    removed = Signal(int)
    """Index of the mark to be removed."""

    def __init__(
        self, state: ViewState, tools: Mapping[str, QAction], teach: QAction, variants: QAction
    ) -> None:
        super().__init__("Marked targets", _EMPTY)
        self._state = state
        self.field = line_field(
            "What the target is", "What is it? For example: golf cart", _MAX_TARGET_LETTERS
        )
        self._abnormal = _side_button("Abnormal", "What is marked shall stand out (X)")
        self._normal = _side_button("Normal", "What is marked shall not stand out (X)")
        self._abnormal.setChecked(True)
        self._sides = QButtonGroup(self)
        for side in (self._abnormal, self._normal):
            self._sides.addButton(side)
        tool_buttons = [_icon_button(action) for action in tools.values()]
        row = row_of(self._abnormal, self._normal, None, *tool_buttons, spacing=4)
        self.column.insertLayout(0, column_of(self.field, row, margins=(8, 8, 8, 4)))
        self.variant = line_field("Name of the variant", "Name of the variant", _MAX_NAME_LETTERS)
        self.variant.returnPressed.connect(teach.trigger)
        buttons = _text_button("Teach", teach), _text_button("Variants…", variants)
        self.column.addLayout(row_of((self.variant, 1), *buttons, margins=(8, 4, 8, 8)))
        self.set_row_menu({"Remove": self.removed.emit})
        state.targets.changed.connect(self._show_marks)
        self._show_marks(state.targets.value)

    @property
    def name(self) -> str:
        """Name of the next target."""
        return self.field.text()

    @property
    def normal(self) -> bool:
        """Whether the next target is normal."""
        return self._normal.isChecked()

    @property
    def selected_index(self) -> int:
        """Index of the selected mark; -1 when no mark is selected."""
        index = self.list.selected_id
        return -1 if index is None else index

    def needs_name(self) -> bool:
        """Whether a name must be typed first; the cursor is set into its field then."""
        if self.name.strip():
            return False
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        return True

    def toggle_side(self) -> None:
        """Switches the next mark from abnormal to normal and back."""
        (self._abnormal if self.normal else self._normal).setChecked(True)

    def _show_marks(self, marks: tuple[TargetMark, ...]) -> None:
        has_new = len(marks) > len(self.list.rows.rows)
        self.list.set_rows([_row(index, mark) for index, mark in enumerate(marks)])
        if has_new:
            self.list.select(len(marks) - 1)


def _row(index: int, mark: TargetMark) -> Row:
    return Row(
        id=index,
        title=mark.name,
        detail=f"{mark.side} · {_TOOLS[mark.shape].lower()} · {mark.file}",
        right=format_time(mark.seconds),
        icon=_ICONS[mark.shape],
        icon_label=mark.side,
    )


def _side_button(text: str, tip: str) -> QToolButton:
    button = labelled_button(text, tip)
    button.setCheckable(True)
    return button


def _icon_button(action: QAction) -> QToolButton:
    button = QToolButton()
    button.setIcon(action.icon())
    return _connect(button, action)


def _text_button(text: str, action: QAction) -> QToolButton:
    return _connect(labelled_button(text), action)


def _connect(button: QToolButton, action: QAction) -> QToolButton:
    button.setToolTip(action.toolTip())
    button.setAccessibleName(action.toolTip().partition(" (")[0])
    button.setEnabled(action.isEnabled())
    button.clicked.connect(action.trigger)
    action.changed.connect(lambda: button.setEnabled(action.isEnabled()))
    return button
