"""The chat: facts of the case first, then what the language model says, with what it rests on."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QAction, QTextCursor
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QStackedWidget,
    QTextBrowser,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from desktop.panels.chat_text import conversation_html, question_html
from desktop.panels.panel import EmptyState, offered
from desktop.panels.short_times import span_text
from desktop.state.conversation import ConversationView, ShownTurn
from desktop.state.evidence_view import EvidenceView
from desktop.state.view_state import ViewState
from desktop.theme.icons import icon
from desktop.theme.stylesheet import figures
from desktop.theme.theme_tokens import DARK, Tokens
from engine.core.questions import INTERVIEW, MOST_LETTERS

_EMPTY = (
    "Questions and answers will stand here: facts measured in the case first, and apart from them "
    "what a language model says, each with the frames it rests on.\n\nSelect an event, or set in "
    "and out marks, then ask below, or begin here:"
)


class ChatPanel(QWidget):
    """Shows the conversation about the selected event or span, and takes questions."""

    asked = Signal(str)
    """A question, as typed or chosen."""

    facts_asked = Signal()
    """The facts alone are wanted."""

    stopped = Signal()
    """The answer under way shall stop."""

    again = Signal(object)
    """A `ShownTurn` whose question shall be asked again."""

    copied = Signal(object)
    """A `ShownTurn` to be put on the clipboard."""

    packs_wanted = Signal()
    """The menu of packs is about to be shown; `set_packs` fills it."""

    pack_chosen = Signal(str)
    """Name of the pack that shall answer from now on."""

    cited = Signal(float, int)
    """A citation was chosen: stream time of its first frame, and trajectory or 0."""

    def __init__(
        self, state: ViewState, add: QAction, analyse: QAction, interview: QAction
    ) -> None:
        super().__init__()
        self._state = state
        self._add, self._analyse, self._interview = add, analyse, interview
        self._tokens = DARK
        self._shown: object = None
        self.about = QLabel()
        self.about.setProperty("role", "muted")
        self.about.setFont(figures(self.about.font()))
        self.about.setContentsMargins(8, 4, 8, 4)
        self.text = QTextBrowser()
        self.text.setOpenLinks(False)
        self.text.setAccessibleName("Conversation")
        self.text.anchorClicked.connect(self._follow)
        self.empty = EmptyState(_EMPTY, add)
        self.field = QLineEdit()
        self.field.setPlaceholderText("Ask about this event or span")
        self.field.setAccessibleName("Question")
        self.field.setMaxLength(MOST_LETTERS)
        self.field.returnPressed.connect(self._ask)
        self._button = QPushButton("Ask")
        self._button.setToolTip("Ask the question (Enter)")
        self._button.clicked.connect(self._ask_or_stop)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.empty)
        self._pages.addWidget(self.text)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.about)
        column.addWidget(self._pages, 1)
        column.addLayout(self._below(interview))
        state.conversation.changed.connect(self._refresh)
        state.evidence.changed.connect(self._offer)
        self._offer(state.evidence.value)
        self._refresh(state.conversation.value)

    def set_tokens(self, tokens: Tokens) -> None:
        """Takes the colours of a theme."""
        self._tokens, self._shown = tokens, None
        self._refresh(self._state.conversation.value)

    def hear(self, piece: str) -> None:
        """Adds the next piece of the answer under way."""
        end = QTextCursor(self.text.document())
        end.movePosition(QTextCursor.MoveOperation.End)
        end.insertText(piece)
        self._to_end()

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
        more = QToolButton()
        more.setIcon(icon("list"))
        more.setToolTip("Questions to choose from")
        more.setAccessibleName("Questions to choose from")
        more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(more)
        for one in INTERVIEW:
            menu.addAction(one.text).triggered.connect(
                lambda _on=False, text=one.text: self.asked.emit(text)
            )
        menu.addSeparator()
        menu.addAction("Facts only").triggered.connect(lambda _on=False: self.facts_asked.emit())
        self._packs = menu.addMenu("Answered by")
        self._packs.aboutToShow.connect(self.packs_wanted)
        more.setMenu(menu)
        self.progress = QLabel()
        self.progress.setProperty("role", "muted")
        self.progress.setWordWrap(True)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(ask)
        row.addWidget(more)
        row.addWidget(self.field, 1)
        row.addWidget(self._button)
        below = QVBoxLayout()
        below.setContentsMargins(8, 4, 8, 8)
        below.setSpacing(4)
        below.addWidget(self.progress)
        below.addLayout(row)
        return below

    def _refresh(self, now: ConversationView) -> None:
        subject = now.subject
        self.about.setVisible(subject is not None)
        if subject is not None:
            what = "a span" if subject.event_id is None else f"event {subject.event_id}"
            self.about.setText(f"About {what}, {span_text(subject.start_s, subject.end_s)}")
        self._button.setText("Stop" if now.busy else "Ask")
        self._button.setToolTip("Stop the answer" if now.busy else "Ask the question (Enter)")
        self.progress.setText(now.progress or self._elsewhere(now))
        self.progress.setVisible(bool(self.progress.text()))
        # The partial answer is added piece by piece; only what stands above it is set anew.
        key = (subject, now.turns, now.asking)
        if key != self._shown:
            self._shown = key
            self._set_text(now)

    def _offer(self, view: EvidenceView | None) -> None:
        self.empty.offer(offered(view, self._add, self._analyse) or self._interview)

    def _elsewhere(self, now: ConversationView) -> str:
        if not now.busy:
            return ""
        if not now.asking:
            return "Another event is being asked about."
        return "" if now.partial else "Reading the evidence…"

    def _set_text(self, now: ConversationView) -> None:
        view = self._state.evidence.value
        numbers = {} if view is None else {one.id: one.number for one in view.trajectories}
        # What is being answered now is shown from what is heard, not from what was kept so far.
        done = [
            one
            for one in now.turns
            if not (now.asking and one is now.turns[-1] and one.row.said.state == "answering")
        ]
        said = conversation_html(done, numbers, self._tokens)
        if now.asking:
            said += question_html(now.asking, self._tokens)
        self.text.setHtml(said)
        if now.asking:
            end = QTextCursor(self.text.document())
            end.movePosition(QTextCursor.MoveOperation.End)
            end.insertBlock()
            end.insertText(now.partial)
        self._pages.setCurrentWidget(self.text if said else self.empty)
        self._to_end()

    def _to_end(self) -> None:
        bar = self.text.verticalScrollBar()
        bar.setValue(bar.maximum())

    def _ask_or_stop(self) -> None:
        if self._state.conversation.value.busy:
            self.stopped.emit()
        else:
            self._ask()

    def _ask(self) -> None:
        if self.field.text().strip():
            self.asked.emit(self.field.text())

    def taken(self) -> None:
        """Empties the field after its question was taken."""
        self.field.clear()

    def _follow(self, link: QUrl) -> None:
        kind, _, rest = link.toString().partition(":")
        first, _, second = rest.partition(":")
        if kind == "at":
            self.cited.emit(float(first), int(second))
            return
        turn = self._turn(int(first))
        if turn is None:
            return
        if kind == "edit":
            self.field.setText(turn.row.said.question)
            self.begin()
        else:
            {"again": self.again, "copy": self.copied}[kind].emit(turn)

    def _turn(self, turn_id: int) -> ShownTurn | None:
        turns = self._state.conversation.value.turns
        return next((one for one in turns if one.row.id == turn_id), None)
