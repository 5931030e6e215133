"""The similarity search: moments of all files of the case, the most similar first."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Signal, SignalInstance
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QDialog, QWidget

from desktop.dialogs.dialog_parts import dialog_column, plain_button
from desktop.operations.similarity_operations import SimilarMoment, SimilarMoments
from desktop.panels.row_list import Row, RowList
from desktop.panels.short_times import span_text
from desktop.theme.controls import line_field, muted_label
from desktop.theme.layouts import row_of

_MAX_LETTERS = 120  # of a description; it becomes a prompt, which is a few words
_EMPTY = "Moments of all files of the case will be listed here."


class SimilarMomentsDialog(QDialog):
    """Asks what to search for and lists the moments; stays open beside the window."""

    description_entered = Signal(str)
    """A description to search for."""

    event_search_requested = Signal()
    """Search for what looks like the selected event."""

    mark_search_requested = Signal()
    """Search for what looks like the marked target."""

    chosen = Signal(object)
    """The `SimilarMoment` to go to."""

    event_requested = Signal(object, str)
    """An `SimilarMoment` is to become an event, with these words."""

    bookmark_requested = Signal(object, str)
    """An `SimilarMoment` is to become a bookmark, with these words."""

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Find more like this")
        self._result = SimilarMoments("", (), ())
        self._pictures: dict[int, QImage] = {}
        hint = "What does it look like? For example: person with a red bag"
        self.field = line_field("What to look for", hint, _MAX_LETTERS)
        self.field.setClearButtonEnabled(True)
        self.field.returnPressed.connect(self._search)
        self.list = RowList("Moments, most alike first")
        self.about = muted_label(_EMPTY, wraps=True)
        self.list.chosen.connect(lambda _rank: self._go())
        self.list.selectionModel().currentChanged.connect(lambda *_indexes: self._enable_buttons())
        self._lay_out()
        self._enable_buttons()

    def clear(self) -> None:
        """Empties the list, and closes."""
        self._result, self._pictures = SimilarMoments("", (), ()), {}
        self.about.setText(_EMPTY)
        self._fill()
        self.close()

    def show_result(self, result: SimilarMoments) -> None:
        """Lists the moments of a search."""
        self._result, self._pictures = result, {}
        count = len(result.moments)
        text = f"{count} moment{'' if count == 1 else 's'} {result.query}"
        if result.left_out:
            text += f". Not searched: {'; '.join(result.left_out)}"
        self.about.setText(text)
        self._fill()

    def show_pictures(self, pictures: dict[int, QImage]) -> None:
        """Shows thumbnails of moments.

        Args:
            pictures: by rank of the moment.
        """
        self._pictures |= pictures
        self._fill()

    def _fill(self) -> None:
        rows = [_row(moment) for moment in self._result.moments]
        self.list.set_rows([replace(row, picture=self._pictures.get(row.id)) for row in rows])
        self._enable_buttons()

    def _selected_moment(self) -> SimilarMoment | None:
        rank = self.list.selected_id
        return next((moment for moment in self._result.moments if moment.rank == rank), None)

    def _search(self) -> None:
        self.description_entered.emit(self.field.text())

    def _go(self) -> None:
        moment = self._selected_moment()
        if moment is not None:
            self.chosen.emit(moment)

    def _emit(self, signal: SignalInstance) -> None:
        moment = self._selected_moment()
        if moment is not None:
            signal.emit(moment, f"found as {self._result.query}")

    def _enable_buttons(self) -> None:
        enabled = self._selected_moment() is not None
        self.event_button.setEnabled(enabled)
        self.bookmark_button.setEnabled(enabled)

    def _lay_out(self) -> None:
        search = plain_button("&Search", self._search, primary=True)
        self.event_button = plain_button("Make an &event", lambda: self._emit(self.event_requested))
        self.bookmark_button = plain_button(
            "&Bookmark", lambda: self._emit(self.bookmark_requested)
        )
        query_row = row_of(self.field, search)
        example_row = row_of(
            plain_button("Like the selected e&vent", self.event_search_requested.emit),
            plain_button("Like the &marked target", self.mark_search_requested.emit),
            None,
        )
        action_row = row_of(None, self.bookmark_button, self.event_button)
        dialog_column(self, query_row, example_row, (self.list, 1), self.about, action_row)
        self.resize(560, 560)


def _row(moment: SimilarMoment) -> Row:
    example = "what was asked for" if moment.is_example else ""
    return Row(
        id=moment.rank,
        title=f"{moment.rank}  {moment.file}",
        detail=span_text(moment.start_s, moment.end_s) + (example and f" · {example}"),
        right=f"{moment.similarity:.2f}",
        icon="film",
        icon_label=example,
    )
