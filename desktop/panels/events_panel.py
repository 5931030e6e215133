"""The events of the evidence, and their triage."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QComboBox, QLabel, QWidget

from desktop.panels.event_detail import EventDetail, event_line, event_lines
from desktop.panels.panel import Panel, next_action
from desktop.panels.row_list import Row
from desktop.panels.short_times import short_time
from desktop.panels.tag_field import TagField
from desktop.state.evidence_view import EvidenceView, highest
from desktop.state.view_state import Selection, ViewState
from desktop.state.visibility_filters import EXAMINER, visible_events
from desktop.theme.controls import choice_field, figures_label, push_button
from desktop.theme.layouts import column_of, row_of
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
_STATE_ICONS = {
    "unseen": ("circle-dot", "score"),
    "seen": ("eye", "muted"),
    "relevant": ("circle-check", "relevant"),
    "dismissed": ("circle-x", "muted"),
}
_CHOICE_LETTERS = 6  # that a choice shows at least, so that the panel can be made narrow
_REASONS = ("authorised activity", "animal", "weather or light", "camera moves", "picture error")


class ReasonStrip(QWidget):
    """Asks inside the panel why events are dismissed."""

    answered = Signal(object, str)
    """tuple[int, ...] of event ids, and the reason."""

    def __init__(self) -> None:
        super().__init__()
        self._events: tuple[int, ...] = ()
        self._label = QLabel("Why is it dismissed?")
        self._field = choice_field("Reason for dismissing", _REASONS)
        self._field.setEditable(True)
        dismiss = push_button("Dismiss", self._answer, primary=True)
        row = row_of(dismiss, push_button("Keep", self.hide), None)
        column_of(self._label, self._field, row, parent=self, margins=(8, 8, 8, 8))
        edit = self._field.lineEdit()
        assert edit is not None
        edit.installEventFilter(self)
        self.hide()

    def ask(self, events: tuple[int, ...]) -> None:
        """Asks about events; Enter answers, Esc leaves them as they are."""
        self._events = events
        several = f"Why are these {len(events)} dismissed?" if len(events) > 1 else ""
        self._label.setText(several or "Why is it dismissed?")
        self.show()
        self._field.setCurrentText("")
        self._field.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Answers at Enter and hides at Esc."""
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
    """Lists the events that threshold and filters do not hide."""

    triaged = Signal(object, str, str)
    """tuple[int, ...] of event ids, the state, and the reason (empty when none is needed)."""

    tagged = Signal(str, str, bool)
    """What the tag is about (`event:3`), the tag, and whether it is added or removed."""

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
        self.reviewed = figures_label()
        self._which = _choice(
            "Which events are listed",
            ("all", "unseen", "seen", "relevant", "dismissed", "not dismissed"),
        )
        self._order = _choice("Order of the events", ("by time", "by score"))
        self._tags = TagField()
        self._tags.changed.connect(self.tagged)
        self.detail = EventDetail(triage)
        self._head = QWidget()
        head = ((self.reviewed, 1), self._which, self._order)
        row_of(*head, parent=self._head, margins=(8, 4, 8, 4))
        self.column.insertWidget(0, self._head)
        self.column.addWidget(self.detail)
        self.column.addWidget(self.reason)
        self.add_below(self._tags)
        self.show_with_rows(self._tags)
        self._which.currentIndexChanged.connect(lambda _index: self._refresh())
        self._order.currentIndexChanged.connect(lambda _index: self._refresh())
        state.evidence.changed.connect(lambda _view: self._refresh())
        state.threshold.changed.connect(lambda _threshold: self._refresh())
        state.hidden_channels.changed.connect(lambda _names: self._refresh())
        state.selection.changed.connect(self._select)
        self._refresh()

    def set_tokens(self, tokens: Tokens) -> None:
        """Sets the colours of a theme."""
        self._tokens = tokens
        self._refresh()

    def _refresh(self) -> None:
        state, view = self._state, self._state.evidence.value
        rows = visible_events(view, state.threshold.value, state.hidden_channels.value)
        reviewed = sum(row.state != "unseen" for row in rows)
        self.reviewed.setText(f"{reviewed:,} of {len(rows):,} reviewed" if rows else "")
        which = self._which.currentText()
        listed = [row for row in rows if _is_listed(row, which)]
        if self._order.currentText() == "by score":
            listed.sort(key=lambda row: -row.event.peak_score)
        self.empty.set_text(_empty_text(view, bool(rows), which))
        self.empty.set_action(self._empty_action(view, bool(rows)))
        self._head.setVisible(bool(rows))
        self.list.set_rows([self._row(row) for row in listed])
        self._select(state.selection.value)

    def _empty_action(self, view: EvidenceView | None, has_events: bool) -> QAction | None:
        """Returns the one action that helps when no event is listed."""
        if view is None or view.run is None:
            return next_action(view, self._add, self._analyse)
        return None if has_events or view.run.state == "running" else self._to_highest

    def _row(self, row: EventRow) -> Row:
        event = row.event
        icon, role = _STATE_ICONS[row.state]
        own = event.channel == EXAMINER
        reason = f" – {row.state_reason}" if row.state_reason else ""
        return Row(
            id=row.id,
            title=f"{short_time(event.start_s)} – {short_time(event.end_s)}",
            detail=event_line(row) + reason,
            right="own" if own else f"{event.peak_score:.2f}",
            icon="flag" if own and row.state == "unseen" else icon,
            colour=getattr(self._tokens, role),
            icon_label=row.state,
            tip="\n".join([f"Event {row.id} · {row.state}{reason}", *event_lines(row, ())]),
        )

    def _select(self, selection: Selection | None) -> None:
        selected_id = selection.id if selection and selection.kind == "event" else None
        self.list.select(selected_id)
        view = self._state.evidence.value
        rows = () if view is None else view.events
        row = next((row for row in rows if row.id == selected_id), None)
        self.detail.show_event(row, () if view is None else view.trajectories)
        about = f"event:{selected_id}" if selected_id else ""
        self._tags.show_tags(about, () if view is None else view.tags.get(about, ()))


def _choice(name: str, texts: Sequence[str]) -> QComboBox:
    choice = choice_field(name, texts)
    choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    choice.setMinimumContentsLength(_CHOICE_LETTERS)
    return choice


def _is_listed(row: EventRow, which: str) -> bool:
    if which == "not dismissed":
        return row.state != "dismissed"
    return which == "all" or row.state == which


def _empty_text(view: EvidenceView | None, has_events: bool, which: str) -> str:
    if view is None or view.run is None:
        return _NOTHING_YET
    if has_events:
        return f"No event is {which}." if which != "not dismissed" else "All are dismissed."
    if view.run.state == "running":
        return "The analysis is in progress; events are found at its end."
    if view.events:
        return _HIDDEN.format(count=len(view.events))
    best = highest(view)
    highest_score = "" if best is None else (
        f" The highest score is {best[1]:.2f}, at {short_time(float(view.seconds[best[0]]))}."
    )  # fmt: skip
    return _NONE_FOUND.format(highest=highest_score)
