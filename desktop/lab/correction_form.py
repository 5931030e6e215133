"""The fields in which a record or a sentence is corrected."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QComboBox, QFormLayout, QLineEdit, QWidget

_NAMES = {
    "upper": "Colour &above", "lower": "Colour &below", "kind": "&Kind",
    "appearance": "A&ppearance", "action": "A&ction", "answer": "A&nswer",
}  # fmt: skip
_COLOURS = ("upper", "lower")
_MAX_LETTERS = 400  # letters of a corrected field; the longest generated sentence has 160

Field = QLineEdit | QComboBox


class Correction(QWidget):
    """Fields of one item; Enter keeps what was changed."""

    saved = Signal(object)
    """dict[str, str]: field -> what it should say, of those that were changed."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, Field] = {}
        self._before: Mapping[str, str] = {}
        self._form = QFormLayout(self)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setSpacing(8)

    @property
    def active(self) -> bool:
        """Whether the examiner is in one of the fields, or has changed one."""
        return bool(self._changed_fields()) or any(
            field.hasFocus() for field in self.fields.values()
        )

    def show_fields(self, fields: Mapping[str, str]) -> None:
        """Shows what is said now."""
        self._before = dict(fields)
        while self._form.rowCount():
            self._form.removeRow(0)
        self.fields = {}
        for name, value in fields.items():
            field = self._colours(value) if name in _COLOURS else self._line(value)
            field.setAccessibleName(_NAMES[name].replace("&", ""))
            self.fields[name] = field
            self._form.addRow(_NAMES[name], field)

    def begin(self) -> None:
        """Puts the cursor into the first field."""
        for field in self.fields.values():
            field.setFocus(Qt.FocusReason.ShortcutFocusReason)
            if isinstance(field, QLineEdit):
                field.selectAll()
            break

    def give_up(self) -> None:
        """Shows again what was said before."""
        self.show_fields(self._before)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keeps what was changed with Enter."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.keep()
        else:
            super().keyPressEvent(event)

    def keep(self) -> None:
        """Tells what was changed; nothing where nothing was."""
        changed = self._changed_fields()
        if changed:
            self.saved.emit(changed)

    def _changed_fields(self) -> dict[str, str]:
        now = {name: _text(field) for name, field in self.fields.items()}
        return {name: text for name, text in now.items() if text != self._before[name]}

    def _line(self, value: str) -> QLineEdit:
        line = QLineEdit(value)
        line.setMaxLength(_MAX_LETTERS)
        line.setCursorPosition(0)
        return line

    def _colours(self, value: str) -> QComboBox:
        # Imported here because OpenCV comes with it and a start does not need it.
        from engine.render.colour_names import COLOUR_NAMES

        box = QComboBox()
        box.addItem("not known", "")
        for name in COLOUR_NAMES:
            box.addItem(name, name)
        box.setCurrentIndex(max(0, box.findData(value)))
        return box


def _text(field: Field) -> str:
    return (
        " ".join(field.text().split()) if isinstance(field, QLineEdit) else str(field.currentData())
    )
