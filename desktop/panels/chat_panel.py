"""The chat panel: facts of the case, then the answers of the language model, with citations."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QAction, QTextCursor
from PySide6.QtWidgets import QMenu, QStackedWidget, QTextBrowser, QToolButton, QVBoxLayout, QWidget

from desktop.panels.chat_text import conversation_html, question_html
from desktop.panels.panel import EmptyState, next_action
from desktop.panels.short_times import span_text
from desktop.state.conversation import ConversationView, ShownTurn
from desktop.state.evidence_view import EvidenceView
from desktop.state.view_state import ViewState
from desktop.theme.controls import (
    figures_label,
    icon_button,
    line_field,
    muted_label,
    push_button,
)
from desktop.theme.layouts import column_of, row_of
from desktop.theme.theme_tokens import DARK, Tokens
from engine.core.questions import INTERVIEW, MAX_LETTERS

_EMPTY = (
    "Questions and answers will stand here: facts measured in the case first, and apart from them "
    "what a language model says, each with the frames it rests on.\n\nSelect an event, or set in "
    "and out marks, then ask below, or begin here:"
)


class ChatPanel(QWidget):
    """Shows the conversation about the selected event or span, and takes questions."""

    question_asked = Signal(str)
    """A question, as typed or chosen."""

    facts_requested = Signal()
    """Only the facts are requested."""

    stop_requested = Signal()
    """The answer under way is to be stopped."""

    repeat_requested = Signal(object)
    """A `ShownTurn` whose question is to be asked again."""

    copy_requested = Signal(object)
    """A `ShownTurn` to be put on the clipboard."""

    packs_requested = Signal()
    """The menu of packs is about to be shown; `set_packs` fills it."""

    pack_chosen = Signal(str)
    """Name of the pack that is to answer from now on."""

    citation_clicked = Signal(float, int)
    """Stream time of the first frame of a citation, and id of its trajectory or 0."""

    def __init__(
        self, state: ViewState, add: QAction, analyse: QAction, interview: QAction
    ) -> None:
        super().__init__()
        self._state = state
        self._add, self._analyse, self._interview = add, analyse, interview
        self._tokens = DARK
        self._shown_key: object = None
        self.about = figures_label()
        self.about.setProperty("role", "muted")
        self.about.setContentsMargins(8, 4, 8, 4)
        self.text = QTextBrowser()
        self.text.setOpenLinks(False)
        self.text.setAccessibleName("Conversation")
        self.text.anchorClicked.connect(self._follow_link)
        self.empty = EmptyState(_EMPTY, add)
        self.field = line_field("Question", "Ask about this event or span", MAX_LETTERS)
        self.field.returnPressed.connect(self._ask)
        self._button = push_button("Ask", self._ask_or_stop, "Ask the question (Enter)")
        self._pages = QStackedWidget()
        self._pages.addWidget(self.empty)
        self._pages.addWidget(self.text)
        below = self._below(interview)
        column_of(self.about, (self._pages, 1), below, parent=self, spacing=0)
        state.conversation.changed.connect(self._refresh)
        state.evidence.changed.connect(self._set_empty_action)
        self._set_empty_action(state.evidence.value)
        self._refresh(state.conversation.value)

    def set_tokens(self, tokens: Tokens) -> None:
        """Sets the colours of a theme."""
        self._tokens, self._shown_key = tokens, None
        self._refresh(self._state.conversation.value)

    def add_piece(self, piece: str) -> None:
        """Adds the next piece of the answer under way."""
        end = QTextCursor(self.text.document())
        end.movePosition(QTextCursor.MoveOperation.End)
        end.insertText(piece)
        self._scroll_to_end()

    def set_packs(self, names: Sequence[str], chosen: str) -> None:
        """Fills the menu of the packs that can answer."""
        self._packs.clear()
        for name in names:
            action = self._packs.addAction(name)
            action.setCheckable(True)
            action.setChecked(name == chosen)
            action.triggered.connect(lambda _on=False, name=name: self.pack_chosen.emit(name))

    def begin(self) -> None:
        """Lets the examiner type a question."""
        self.field.setFocus()
        self.field.selectAll()

    def _below(self, interview: QAction) -> QVBoxLayout:
        ask = QToolButton()
        ask.setDefaultAction(interview)
        ask.setAccessibleName("Interview this event")
        more = icon_button("list", "Questions to choose from")
        more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(more)
        for question in INTERVIEW:
            menu.addAction(question.text).triggered.connect(
                lambda _on=False, text=question.text: self.question_asked.emit(text)
            )
        menu.addSeparator()
        menu.addAction("Facts only").triggered.connect(
            lambda _on=False: self.facts_requested.emit()
        )
        self._packs = menu.addMenu("Answered by")
        self._packs.aboutToShow.connect(self.packs_requested)
        more.setMenu(menu)
        self.progress = muted_label(wraps=True)
        row = row_of(ask, more, (self.field, 1), self._button)
        return column_of(self.progress, row, margins=(8, 4, 8, 8), spacing=4)

    def _refresh(self, now: ConversationView) -> None:
        subject = now.subject
        self.about.setVisible(subject is not None)
        if subject is not None:
            what = "a span" if subject.event_id is None else f"event {subject.event_id}"
            self.about.setText(f"About {what}, {span_text(subject.start_s, subject.end_s)}")
        self._button.setText("Stop" if now.busy else "Ask")
        self._button.setToolTip("Stop the answer" if now.busy else "Ask the question (Enter)")
        self.progress.setText(now.progress or self._waiting_text(now))
        self.progress.setVisible(bool(self.progress.text()))
        # The partial answer is added piece by piece; only what stands above it is replaced.
        key = (subject, now.turns, now.question_under_way)
        if key != self._shown_key:
            self._shown_key = key
            self._set_text(now)

    def _set_empty_action(self, view: EvidenceView | None) -> None:
        action = next_action(view, self._add, self._analyse)
        self.empty.set_action(action or self._interview)

    def _waiting_text(self, now: ConversationView) -> str:
        if not now.busy:
            return ""
        if not now.question_under_way:
            return "Another event is being asked about."
        return "" if now.partial else "Reading the evidence…"

    def _set_text(self, now: ConversationView) -> None:
        view = self._state.evidence.value
        numbers = {} if view is None else {row.id: row.number for row in view.trajectories}
        # The answer under way is shown from the pieces that arrive, not from the stored turn.
        done = [
            turn
            for turn in now.turns
            if not (
                now.question_under_way and turn is now.turns[-1] and turn.row.state == "answering"
            )
        ]
        html = conversation_html(done, numbers, self._tokens)
        if now.question_under_way:
            html += question_html(now.question_under_way, self._tokens)
        self.text.setHtml(html)
        if now.question_under_way:
            end = QTextCursor(self.text.document())
            end.movePosition(QTextCursor.MoveOperation.End)
            end.insertBlock()
            end.insertText(now.partial)
        self._pages.setCurrentWidget(self.text if html else self.empty)
        self._scroll_to_end()

    def _scroll_to_end(self) -> None:
        bar = self.text.verticalScrollBar()
        bar.setValue(bar.maximum())

    def _ask_or_stop(self) -> None:
        if self._state.conversation.value.busy:
            self.stop_requested.emit()
        else:
            self._ask()

    def _ask(self) -> None:
        if self.field.text().strip():
            self.question_asked.emit(self.field.text())

    def clear_question(self) -> None:
        """Empties the field after its question was accepted."""
        self.field.clear()

    def _follow_link(self, link: QUrl) -> None:
        kind, _, rest = link.toString().partition(":")
        first, _, second = rest.partition(":")
        if kind == "at":
            self.citation_clicked.emit(float(first), int(second))
            return
        turn = self._turn(int(first))
        if turn is None:
            return
        if kind == "edit":
            self.field.setText(turn.row.question)
            self.begin()
        else:
            {"again": self.repeat_requested, "copy": self.copy_requested}[kind].emit(turn)

    def _turn(self, turn_id: int) -> ShownTurn | None:
        turns = self._state.conversation.value.turns
        return next((turn for turn in turns if turn.row.id == turn_id), None)
