"""The tags of one thing, as words between commas."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit


class TagField(QLineEdit):
    """Shows the tags of what is selected; leaving it sets what changed."""

    changed = Signal(str, str, bool)
    """What it is about (`event:3`), the tag, and whether it is put on or taken off."""

    def __init__(self) -> None:
        super().__init__()
        self._about = ""
        self._tags: tuple[str, ...] = ()
        self.setPlaceholderText("Tags, between commas")
        self.setAccessibleName("Tags")
        self.setToolTip("Tags, between commas; what is tagged can go into the report by itself")
        self.editingFinished.connect(self._tell)
        self.show_tags("", ())

    def show_tags(self, about: str, tags: tuple[str, ...]) -> None:
        """Shows the tags of a thing; nothing is selected when `about` is empty."""
        if (about, tags) == (self._about, self._tags) and self.hasFocus():
            return
        self._about, self._tags = about, tags
        self.setEnabled(bool(about))
        self.setText(", ".join(tags))

    def _tell(self) -> None:
        wanted = dict.fromkeys(one.strip() for one in self.text().split(",") if one.strip())
        about, before = self._about, self._tags
        if not about or tuple(wanted) == before:
            return
        self._tags = tuple(wanted)
        for name in wanted:
            if name not in before:
                self.changed.emit(about, name, True)
        for name in before:
            if name not in wanted:
                self.changed.emit(about, name, False)
