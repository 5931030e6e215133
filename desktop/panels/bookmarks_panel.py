"""The bookmarks of the evidence."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLineEdit, QMenu

from desktop.panels.panel import Panel
from desktop.panels.row_list import Row
from desktop.panels.short_times import span_text
from desktop.panels.tag_field import TagField
from desktop.state.evidence_view import EvidenceView
from desktop.state.view_state import Selection, ViewState

_EMPTY = (
    "Bookmarks will be listed here: moments and spans to come back to, with a few words and tags."
    "\n\nBookmark the frame you see:"
)


class BookmarksPanel(Panel):
    """Lists the bookmarks; the fields below belong to the selected one."""

    amended = Signal(int, str)
    """Bookmark and its new text."""

    removed = Signal(int)
    """Bookmark that is to be taken out of sight."""

    tagged = Signal(str, str, bool)
    """What, which tag, on or off."""

    def __init__(self, state: ViewState, bookmark: QAction) -> None:
        super().__init__("Bookmarks", _EMPTY, bookmark)
        self._state = state
        self._text = QLineEdit()
        self._text.setPlaceholderText("What is to be seen here")
        self._text.setAccessibleName("Text of the bookmark")
        self._text.editingFinished.connect(self._amend)
        self._tags = TagField()
        self._tags.changed.connect(self.tagged)
        self._known: frozenset[int] | None = None
        self._naming = False
        self._shown: int | None = None
        self.add_below(self._text, self._tags)
        self.show_with_rows(self._text, self._tags)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._menu)
        state.evidence.changed.connect(self._refresh)
        state.selection.changed.connect(self._select)
        self._refresh(state.evidence.value)

    def name_next(self) -> None:
        """Lets the examiner type the text of the bookmark that is about to be made."""
        self._naming = True

    def _refresh(self, view: EvidenceView | None) -> None:
        marks = () if view is None else view.bookmarks
        tags = {} if view is None else view.tags
        self.list.set_rows(
            [
                Row(
                    id=one.id,
                    title=f"{span_text(one.start_s, one.end_s)}  {one.text}",
                    detail=", ".join(tags.get(f"bookmark:{one.id}", ())) or f"by {one.author}",
                    icon="bookmark",
                )
                for one in marks
            ]
        )
        ids = frozenset(one.id for one in marks)
        fresh = ids - self._known if self._known is not None else frozenset()
        self._known = None if view is None else ids
        if len(fresh) == 1:
            (new,) = fresh
            selection = self._state.selection.value
            # An event that is being judged stays selected: its keys must go on to work.
            judging = selection is not None and selection.kind in ("event", "trajectory")
            if self._naming or not judging:
                self._state.selection.set(Selection("bookmark", new))
            if self._naming:
                self._text.setFocus()
        self._naming = self._naming and not fresh
        self._select(self._state.selection.value)

    def _select(self, selection: Selection | None) -> None:
        chosen = selection.id if selection and selection.kind == "bookmark" else None
        self.list.select(chosen)
        view = self._state.evidence.value
        marks = () if view is None else view.bookmarks
        text = next((one.text for one in marks if one.id == chosen), None)
        self._text.setEnabled(text is not None)
        if chosen != self._shown or not self._text.hasFocus():
            self._text.setText(text or "")
        self._shown = chosen
        about = f"bookmark:{chosen}" if text is not None else ""
        self._tags.show_tags(about, () if view is None else view.tags.get(about, ()))

    def _amend(self) -> None:
        view, chosen = self._state.evidence.value, self._shown
        if view is None or chosen is None:
            return
        before = next((one.text for one in view.bookmarks if one.id == chosen), None)
        if before is not None and before != self._text.text().strip():
            self.amended.emit(chosen, self._text.text().strip())

    def _menu(self, place: QPoint) -> None:
        row = self.list.indexAt(place).data(Qt.ItemDataRole.UserRole)
        if isinstance(row, Row):
            menu = QMenu(self)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.addAction("Remove").triggered.connect(lambda: self.removed.emit(row.id))
            menu.popup(self.list.viewport().mapToGlobal(place))
