"""Dialogs and fields of the review: going to a moment, case search, bookmarks, notes."""

from __future__ import annotations

from desktop.dialog_actions.subject_dialogs import SubjectDialogs
from desktop.dialogs.go_to_dialog import GoToDialog
from engine.case.case_search import CaseText, texts_of
from engine.core.errors import BadInputError


class ReviewDialogs(SubjectDialogs):
    """Asks while the examiner looks at evidence."""

    def find(self, here: bool = False) -> None:
        """Searches the notes, bookmarks, events and turns of the case.

        Args:
            here: whether to list only what is about the moment on screen.
        """

        def show(texts: tuple[CaseText, ...]) -> None:
            # Imported here because the window opens without it.
            from desktop.dialogs.search_dialog import CaseSearchDialog

            names = {item.id: item.name for item in self._workspace.session.items}
            dialog = CaseSearchDialog(texts, names, self._moment, self._window)
            dialog.chosen.connect(self._workspace.search.go_to_hit)
            dialog.here.setChecked(here)
            dialog.show()

        self._workspace.session.read(texts_of, show)

    def go_to(self) -> None:
        """Asks for a time or a frame."""
        GoToDialog(self._workspace.review.go_to, self._window).open()

    def name_bookmark(self) -> None:
        """Bookmarks, and lets the examiner type what is to be seen."""
        self._window.reveal(self._window.bookmarks)
        self._window.bookmarks.name_next()
        self._workspace.review.bookmark()

    def write_note(self) -> None:
        """Lets the examiner type a note."""
        self._window.reveal(self._window.notes)
        self._window.notes.begin()

    def amend_note(self) -> None:
        """Lets the examiner amend the selected note."""
        selection = self._workspace.state.selection.value
        if selection is None or selection.kind != "note":
            self._window.notice.error(
                BadInputError("no note is selected", "", "select one in the list of notes")
            )
            return
        self._window.reveal(self._window.notes)
        self._window.notes.amend(selection.id)

    def _moment(self) -> tuple[int, float] | None:
        on_screen = self._frame_on_screen()
        return on_screen and (on_screen[0].evidence.id, on_screen[1].seconds)
