"""The notes of the case."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QPlainTextEdit

from desktop.panels.panel import Panel
from desktop.panels.row_list import Row
from desktop.panels.short_times import short_time
from desktop.panels.tag_field import TagField
from desktop.state.evidence_view import EvidenceView
from desktop.state.view_state import Selection, ViewState
from desktop.theme.controls import choice_field, push_button
from desktop.theme.layouts import row_of
from engine.case import NoteRow

_EMPTY = (
    "Notes will be listed here, with author and time. An amendment never erases what was said "
    "before.\n\nWrite the first one below."
)
_ABOUT = ("this frame", "this event", "this evidence", "the case")
_VISIBLE_LINES = 3  # of the field in which a note is typed; longer notes scroll


class NotesPanel(Panel):
    """Lists the notes and takes new ones and amendments."""

    written = Signal(str, str)
    """What a new note is about, and its text."""

    amended = Signal(int, str)
    """Id of a note, and its new text."""

    removed = Signal(int)
    """Id of the note that is to be removed."""

    tagged = Signal(str, str, bool)
    """What the tag is about (`note:3`), the tag, and whether it is added or removed."""

    def __init__(self, state: ViewState) -> None:
        super().__init__("Notes", _EMPTY)
        self._state = state
        self._amending: int | None = None
        self._field = QPlainTextEdit()
        self._field.setPlaceholderText("A note: what you see, what you did")
        self._field.setAccessibleName("Text of the note")
        self._field.setTabChangesFocus(True)
        line = self._field.fontMetrics().lineSpacing()
        self._field.setMaximumHeight(line * _VISIBLE_LINES + 16)
        self._about = choice_field("What the note is about", _ABOUT)
        self._add = push_button("Add note", self.flush, "Add the note (Ctrl+Enter)")
        self._tags = TagField()
        self._tags.changed.connect(self.tagged)
        for keys in ("Ctrl+Return", "Ctrl+Enter"):
            shortcut = QShortcut(QKeySequence(keys), self._field, self.flush)
            shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
        self.add_below(self._tags, self._field)
        self.column.addLayout(row_of((self._about, 1), self._add, margins=(8, 0, 8, 8)))
        self.show_with_rows(self._tags)
        self.set_row_menu({"Amend": self.amend, "Remove": self.removed.emit})
        state.evidence.changed.connect(self._refresh)
        state.selection.changed.connect(self._select)
        self._refresh(state.evidence.value)

    def begin(self) -> None:
        """Lets the examiner type a note."""
        self._field.setFocus()

    def flush(self) -> None:
        """Adds the note or the amendment that was typed, if any."""
        text = self._field.toPlainText().strip()
        if text and self._amending is not None:
            self.amended.emit(self._amending, text)
        elif text:
            self.written.emit(self._about_key(), text)
        self._field.clear()
        self._set_amending(None)

    def _about_key(self) -> str:
        view, selection = self._state.evidence.value, self._state.selection.value
        choice = self._about.currentText()
        if view is None or choice == "the case":
            return "case"
        if choice == "this event" and selection is not None and selection.kind == "event":
            return f"event:{selection.id}"
        return f"evidence:{view.evidence.id}"

    def _refresh(self, view: EvidenceView | None) -> None:
        notes = () if view is None else view.notes
        tags = {} if view is None else view.tags
        self.list.set_rows([_row(note, tags.get(f"note:{note.first_id}", ())) for note in notes])
        self._select(self._state.selection.value)

    def _select(self, selection: Selection | None) -> None:
        selected_id = selection.id if selection and selection.kind == "note" else None
        self.list.select(selected_id)
        view = self._state.evidence.value
        about = f"note:{selected_id}" if selected_id else ""
        self._tags.show_tags(about, () if view is None else view.tags.get(about, ()))

    def amend(self, first_id: int) -> None:
        """Lets the examiner amend a note."""
        view = self._state.evidence.value
        notes = () if view is None else view.notes
        note = next((note for note in notes if note.first_id == first_id), None)
        if note is not None:
            self.flush()
            self._field.setPlainText(note.text)
            self._set_amending(note.id)
            self._field.setFocus()

    def _set_amending(self, note_id: int | None) -> None:
        self._amending = note_id
        self._add.setText("Add note" if note_id is None else "Amend note")
        self._about.setEnabled(note_id is None)


def _row(note: NoteRow, tags: tuple[str, ...]) -> Row:
    where = "" if note.note.seconds is None else f" · at {short_time(note.note.seconds)}"
    amended = f" · amended {note.versions - 1} times" if note.versions > 1 else ""
    tagged = f" · {', '.join(tags)}" if tags else ""
    return Row(
        id=note.first_id,
        title=" ".join(note.text.split()),
        detail=f"{note.note.object}{where} · {note.author}{amended}{tagged}",
        icon="sticky-note",
        tip=f"{note.text}\n\n{note.utc}",
    )
