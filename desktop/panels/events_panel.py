"""The events of the evidence and what the examiner made of them."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.panels.event_detail import EventDetail, event_line, event_lines
from desktop.panels.panel import Panel, offered
from desktop.panels.row_list import Row
from desktop.panels.short_times import short_time
from desktop.panels.tag_field import TagField
from desktop.state.evidence_view import EvidenceView, highest
from desktop.state.view_state import Selection, ViewState
from desktop.state.visibility_filters import EXAMINER, visible_events
from desktop.theme.stylesheet import figures
from desktop.theme.theme_tokens import DARK, Tokens
from engine.case import EventRow

_NOTHING_YET = (
    "The events will be listed here: spans that stand out, each with its time, its score and "
    "one line of reasons.\n\nAdd evidence and analyse it:"
)
_HIDDEN = "The threshold or the channels chosen hide all {count} events."
_NONE_FOUND = (
    "Nothing in this evidence stands out enough for an event.{highest}\n\nWhat stands out most "
    "may still be worth a look:"
)
_STATES = {
    "unseen": ("circle-dot", "score"),
    "seen": ("eye", "muted"),
    "relevant": ("circle-check", "relevant"),
    "dismissed": ("circle-x", "muted"),
}
_CHOICE_LETTERS = 6
_REASONS = ("authorised activity", "animal", "weather or light", "camera moves", "picture error")


class ReasonStrip(QWidget):
    """Asks in place why events are dismissed."""

    answered = Signal(object, str)
    """tuple[int, ...] of events, and the reason."""

    def __init__(self) -> None:
        super().__init__()
        self._events: tuple[int, ...] = ()
        self._label = QLabel("Why is it dismissed?")
        self._field = QComboBox()
        self._field.setEditable(True)
        self._field.addItems(list(_REASONS))
        self._field.setAccessibleName("Reason for dismissing")
        dismiss = QPushButton("Dismiss")
        dismiss.setProperty("primary", True)
        dismiss.clicked.connect(self._answer)
        keep = QPushButton("Keep")
        keep.clicked.connect(self.hide)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(dismiss)
        row.addWidget(keep)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(8)
        column.addWidget(self._label)
        column.addWidget(self._field)
        column.addLayout(row)
        edit = self._field.lineEdit()
        assert edit is not None
        edit.installEventFilter(self)
        self.hide()

    def ask(self, events: tuple[int, ...]) -> None:
        """Asks about events; Enter answers, Esc keeps them."""
        self._events = events
        many = f"Why are these {len(events)} dismissed?" if len(events) > 1 else ""
        self._label.setText(many or "Why is it dismissed?")
        self.show()
        self._field.setCurrentText("")
        self._field.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Takes Enter and Esc."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._answer()
                return True
            if event.key() == Qt.Key.Key_Escape:
                self.hide()
                return True
        return super().eventFilter(watched, event)

    def _answer(self) -> None:
        reason = self._field.currentText().strip()
        if reason:
            self.hide()
            self.answered.emit(self._events, reason)


class EventsPanel(Panel):
    """Lists the events that threshold and filters leave."""

    triaged = Signal(object, str, str)
    """tuple[int, ...] of events, the state, and the reason (empty when none is needed)."""

    tagged = Signal(str, str, bool)
    """What, which tag, on or off."""

    def __init__(
        self,
        state: ViewState,
        add: QAction,
        analyse: QAction,
        to_highest: QAction,
        triage: dict[str, QAction],
    ) -> None:
        super().__init__("Events", _NOTHING_YET, add)
        self._add, self._analyse, self._to_highest = add, analyse, to_highest
        self._state = state
        self._tokens = DARK
        self.reason = ReasonStrip()
        self.reason.answered.connect(
            lambda events, reason: self.triaged.emit(events, "dismissed", reason)
        )
        self.reviewed = QLabel()
        self.reviewed.setFont(figures(self.reviewed.font()))
        self._which = QComboBox()
        self._which.addItems(["all", "unseen", "seen", "relevant", "dismissed", "not dismissed"])
        self._which.setAccessibleName("Which events are listed")
        self._order = QComboBox()
        self._order.addItems(["by time", "by score"])
        self._order.setAccessibleName("Order of the events")
        for choice in (self._which, self._order):
            choice.setSizeAdjustPolicy(
                QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
            choice.setMinimumContentsLength(_CHOICE_LETTERS)
        self._tags = TagField()
        self._tags.changed.connect(self.tagged)
        self.detail = EventDetail(triage)
        self._head = QWidget()
        head = QHBoxLayout(self._head)
        head.setContentsMargins(8, 4, 8, 4)
        head.setSpacing(8)
        head.addWidget(self.reviewed, 1)
        head.addWidget(self._which)
        head.addWidget(self._order)
        self.column.insertWidget(0, self._head)
        self.column.addWidget(self.detail)
        self.column.addWidget(self.reason)
        self.add_below(self._tags)
        self.show_with_rows(self._tags)
        self._which.currentIndexChanged.connect(lambda _row: self._refresh())
        self._order.currentIndexChanged.connect(lambda _row: self._refresh())
        state.evidence.changed.connect(lambda _view: self._refresh())
        state.threshold.changed.connect(lambda _least: self._refresh())
        state.hidden_channels.changed.connect(lambda _names: self._refresh())
        state.selection.changed.connect(self._select)
        self._refresh()

    def set_tokens(self, tokens: Tokens) -> None:
        """Takes the colours of a theme."""
        self._tokens = tokens
        self._refresh()

    def _refresh(self) -> None:
        state, view = self._state, self._state.evidence.value
        rows = visible_events(view, state.threshold.value, state.hidden_channels.value)
        done = sum(row.state != "unseen" for row in rows)
        self.reviewed.setText(f"{done:,} of {len(rows):,} reviewed" if rows else "")
        which = self._which.currentText()
        listed = [row for row in rows if _wanted(row, which)]
        if self._order.currentText() == "by score":
            listed.sort(key=lambda row: -row.event.peak_score)
        self.empty.say(_empty(view, bool(rows), which))
        self.empty.offer(self._offered(view, bool(rows)))
        self._head.setVisible(bool(rows))
        self.list.set_rows([self._row(one) for one in listed])
        self._select(state.selection.value)

    def _offered(self, view: EvidenceView | None, some: bool) -> QAction | None:
        """Returns the one action that helps when no event is listed."""
        if view is None or view.run is None:
            return offered(view, self._add, self._analyse)
        return None if some or view.run.state == "running" else self._to_highest

    def _row(self, row: EventRow) -> Row:
        event = row.event
        name, role = _STATES[row.state]
        own = event.channel == EXAMINER
        reason = f" – {row.state_reason}" if row.state_reason else ""
        return Row(
            id=row.id,
            title=f"{short_time(event.start_s)} – {short_time(event.end_s)}",
            detail=event_line(row) + reason,
            right="own" if own else f"{event.peak_score:.2f}",
            icon="flag" if own and row.state == "unseen" else name,
            colour=getattr(self._tokens, role),
            said=row.state,
            tip="\n".join([f"Event {row.id} · {row.state}{reason}", *event_lines(row, ())]),
        )

    def _select(self, selection: Selection | None) -> None:
        chosen = selection.id if selection and selection.kind == "event" else None
        self.list.select(chosen)
        view = self._state.evidence.value
        rows = () if view is None else view.events
        row = next((one for one in rows if one.id == chosen), None)
        self.detail.show_event(row, () if view is None else view.trajectories)
        about = f"event:{chosen}" if chosen else ""
        self._tags.show_tags(about, () if view is None else view.tags.get(about, ()))


def _wanted(row: EventRow, which: str) -> bool:
    if which == "not dismissed":
        return row.state != "dismissed"
    return which == "all" or row.state == which


def _empty(view: EvidenceView | None, some: bool, which: str) -> str:
    if view is None or view.run is None:
        return _NOTHING_YET
    if some:
        return f"No event is {which}." if which != "not dismissed" else "All are dismissed."
    if view.run.state == "running":
        return "The analysis is in progress; events are found at its end."
    if view.events:
        return _HIDDEN.format(count=len(view.events))
    best = highest(view)
    said = "" if best is None else (
        f" The highest score is {best[1]:.2f}, at {short_time(float(view.seconds[best[0]]))}."
    )  # fmt: skip
    return _NONE_FOUND.format(highest=said)
