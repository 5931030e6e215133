"""A field for the tags of a bookmark, an event or a note, as words between commas."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit


class TagField(QLineEdit):
    """Shows the tags of the selection; leaving the field adds and removes what was changed."""

    changed = Signal(str, str, bool)
    """What the tag is about (`event:3`), the tag, and whether it is added or removed."""

    def __init__(self) -> None:
        super().__init__()
        self._about = ""
        self._tags: tuple[str, ...] = ()
        self.setPlaceholderText("Tags, between commas")
        self.setAccessibleName("Tags")
        self.setToolTip("Tags, between commas; what is tagged can go into the report by itself")
        self.editingFinished.connect(self._emit_changes)
        self.show_tags("", ())

    def show_tags(self, about: str, tags: tuple[str, ...]) -> None:
        """Shows the tags of the selection; nothing is selected when `about` is empty."""
        if (about, tags) == (self._about, self._tags) and self.hasFocus():
            return
        self._about, self._tags = about, tags
        self.setEnabled(bool(about))
        self.setText(", ".join(tags))

    def _emit_changes(self) -> None:
        names = (name.strip() for name in self.text().split(","))
        tags = tuple(dict.fromkeys(name for name in names if name))
        about, before = self._about, self._tags
        if not about or tags == before:
            return
        self._tags = tags
        for name in tags:
            if name not in before:
                self.changed.emit(about, name, True)
        for name in before:
            if name not in tags:
                self.changed.emit(about, name, False)
