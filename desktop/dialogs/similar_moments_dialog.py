"""More like this: moments of all files of the case, most alike first, with small pictures."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Signal, SignalInstance
from PySide6.QtGui import QImage
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from desktop.dialogs.buttons import plain_button
from desktop.operations.similarity_operations import Alike, AlikeMoment
from desktop.panels.row_list import Row, RowList
from desktop.panels.short_times import span_text

_MOST_LETTERS = 120
_EMPTY = "Moments of all files of the case will be listed here."


class AlikeDialog(QDialog):
    """Asks what to look for and lists what was found; stays open beside the window."""

    words = Signal(str)
    """This description shall be looked for."""

    like_event = Signal()
    """What is like the selected event shall be looked for."""

    like_marks = Signal()
    """What is like the marked target shall be looked for."""

    chosen = Signal(object)
    """The `AlikeMoment` to go to."""

    event_wanted = Signal(object, str)
    """An `AlikeMoment` shall become an event, with these words."""

    bookmark_wanted = Signal(object, str)
    """An `AlikeMoment` shall become a bookmark, with these words."""

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Find more like this")
        self._alike = Alike("", (), ())
        self._pictures: dict[int, QImage] = {}
        self.field = QLineEdit()
        self.field.setMaxLength(_MOST_LETTERS)
        self.field.setPlaceholderText("What does it look like? For example: person with a red bag")
        self.field.setAccessibleName("What to look for")
        self.field.setClearButtonEnabled(True)
        self.field.returnPressed.connect(lambda: self.words.emit(self.field.text()))
        self.list = RowList("Moments, most alike first")
        self.about = QLabel(_EMPTY)
        self.about.setWordWrap(True)
        self.about.setProperty("role", "muted")
        self.list.chosen.connect(lambda _rank: self._go())
        self.list.selectionModel().currentChanged.connect(lambda *_places: self._allow())
        self._lay_out()
        self._allow()

    def forget(self) -> None:
        """Lists nothing any more, and closes."""
        self._alike, self._pictures = Alike("", (), ()), {}
        self.about.setText(_EMPTY)
        self._fill()
        self.close()

    def show_found(self, alike: Alike) -> None:
        """Lists what was found."""
        self._alike, self._pictures = alike, {}
        count = len(alike.moments)
        said = f"{count} moment{'' if count == 1 else 's'} {alike.asked}"
        if alike.left_out:
            said += f". Not searched: {'; '.join(alike.left_out)}"
        self.about.setText(said)
        self._fill()

    def show_pictures(self, pictures: dict[int, QImage]) -> None:
        """Shows small pictures of moments, by rank."""
        self._pictures |= pictures
        self._fill()

    def _fill(self) -> None:
        rows = [_row(one) for one in self._alike.moments]
        self.list.set_rows([replace(one, picture=self._pictures.get(one.id)) for one in rows])
        self._allow()

    def _selected(self) -> AlikeMoment | None:
        return next((one for one in self._alike.moments if one.rank == self.list.selected), None)

    def _go(self) -> None:
        moment = self._selected()
        if moment is not None:
            self.chosen.emit(moment)

    def _keep(self, signal: SignalInstance) -> None:
        moment = self._selected()
        if moment is not None:
            signal.emit(moment, f"found as {self._alike.asked}")

    def _allow(self) -> None:
        there = self._selected() is not None
        self.event_button.setEnabled(there)
        self.bookmark_button.setEnabled(there)

    def _lay_out(self) -> None:
        search = plain_button("&Search", lambda: self.words.emit(self.field.text()))
        search.setProperty("primary", True)
        self.event_button = plain_button("Make an &event", lambda: self._keep(self.event_wanted))
        self.bookmark_button = plain_button("&Bookmark", lambda: self._keep(self.bookmark_wanted))
        rows = (
            (self.field, search),
            (
                plain_button("Like the selected e&vent", self.like_event.emit),
                plain_button("Like the &marked target", self.like_marks.emit),
                None,
            ),
            (None, self.bookmark_button, self.event_button),
        )
        made = [_in_a_row(*one) for one in rows]
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(8)
        column.addLayout(made[0])
        column.addLayout(made[1])
        column.addWidget(self.list, 1)
        column.addWidget(self.about)
        column.addLayout(made[2])
        self.resize(560, 560)


def _in_a_row(*widgets: QWidget | None) -> QHBoxLayout:
    """Returns widgets side by side; None is room that grows."""
    row = QHBoxLayout()
    row.setSpacing(8)
    for one in widgets:
        if one is None:
            row.addStretch(1)
        else:
            row.addWidget(one)
    return row


def _row(one: AlikeMoment) -> Row:
    itself = " · what was asked for" if one.itself else ""
    return Row(
        id=one.rank,
        title=f"{one.rank}  {one.file}",
        detail=f"{span_text(one.start_s, one.end_s)}{itself}",
        right=f"{one.likeness:.2f}",
        icon="film",
        said="what was asked for" if one.itself else "",
    )
