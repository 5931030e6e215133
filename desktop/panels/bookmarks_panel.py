"""The bookmarks of the evidence."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction

from desktop.panels.panel import Panel
from desktop.panels.row_list import Row
from desktop.panels.short_times import span_text
from desktop.panels.tag_field import TagField
from desktop.state.evidence_view import EvidenceView
from desktop.state.view_state import Selection, ViewState
from desktop.theme.controls import line_field

_EMPTY = (
    "Bookmarks will be listed here: moments and spans to come back to, with a few words and tags."
    "\n\nBookmark the frame you see:"
)


class BookmarksPanel(Panel):
    """Lists the bookmarks; text and tags of the selected one stand below."""

    amended = Signal(int, str)
    """Id of a bookmark, and its new text."""

    removed = Signal(int)
    """Id of the bookmark that is to be removed."""

    tagged = Signal(str, str, bool)
    """What the tag is about (`bookmark:3`), the tag, and whether it is added or removed."""

    def __init__(self, state: ViewState, bookmark: QAction) -> None:
        super().__init__("Bookmarks", _EMPTY, bookmark)
        self._state = state
        self._text = line_field("Text of the bookmark", "What is to be seen here")
        self._text.editingFinished.connect(self._amend)
        self._tags = TagField()
        self._tags.changed.connect(self.tagged)
        self._listed_ids: frozenset[int] | None = None
        self._naming = False
        self._edited_id: int | None = None
        self.add_below(self._text, self._tags)
        self.show_with_rows(self._text, self._tags)
        self.set_row_menu({"Remove": self.removed.emit})
        state.evidence.changed.connect(self._refresh)
        state.selection.changed.connect(self._select)
        self._refresh(state.evidence.value)

    def name_next(self) -> None:
        """Lets the examiner type the text of the bookmark that is about to be made."""
        self._naming = True

    def _refresh(self, view: EvidenceView | None) -> None:
        bookmarks = () if view is None else view.bookmarks
        tags = {} if view is None else view.tags
        self.list.set_rows(
            [
                Row(
                    id=row.id,
                    title=f"{span_text(row.start_s, row.end_s)}  {row.text}",
                    detail=", ".join(tags.get(f"bookmark:{row.id}", ())) or f"by {row.author}",
                    icon="bookmark",
                )
                for row in bookmarks
            ]
        )
        ids = frozenset(row.id for row in bookmarks)
        new_ids = ids - self._listed_ids if self._listed_ids is not None else frozenset()
        self._listed_ids = None if view is None else ids
        if len(new_ids) == 1:
            (new_id,) = new_ids
            selection = self._state.selection.value
            # An event under triage stays selected, so that its keys go on working.
            in_triage = selection is not None and selection.kind in ("event", "trajectory")
            if self._naming or not in_triage:
                self._state.selection.set(Selection("bookmark", new_id))
            if self._naming:
                self._text.setFocus()
        self._naming = self._naming and not new_ids
        self._select(self._state.selection.value)

    def _select(self, selection: Selection | None) -> None:
        selected_id = selection.id if selection and selection.kind == "bookmark" else None
        self.list.select(selected_id)
        view = self._state.evidence.value
        bookmarks = () if view is None else view.bookmarks
        text = next((row.text for row in bookmarks if row.id == selected_id), None)
        self._text.setEnabled(text is not None)
        if selected_id != self._edited_id or not self._text.hasFocus():
            self._text.setText(text or "")
        self._edited_id = selected_id
        about = f"bookmark:{selected_id}" if text is not None else ""
        self._tags.show_tags(about, () if view is None else view.tags.get(about, ()))

    def _amend(self) -> None:
        view, bookmark_id = self._state.evidence.value, self._edited_id
        if view is None or bookmark_id is None:
            return
        before = next((row.text for row in view.bookmarks if row.id == bookmark_id), None)
        if before is not None and before != self._text.text().strip():
            self.amended.emit(bookmark_id, self._text.text().strip())
