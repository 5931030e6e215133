"""Review: going from event to event, triage, bookmarks, notes, own events, normal footage."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import Signal

from desktop.operations.evidence_operations import EvidenceOperations
from desktop.operations.marked_span import bookmark_of, own_event_of
from desktop.operations.operations import Operations
from desktop.session.case_edits import (
    AddBookmark,
    AddNote,
    AddOwnEvent,
    AmendBookmark,
    AmendNote,
    SetClockOffset,
    SetRemoved,
    SetStates,
    SetTag,
)
from desktop.session.session import Session
from desktop.state.evidence_view import EvidenceView, Polygon, highest
from desktop.state.view_state import Marks, Selection
from desktop.state.visibility_filters import EXAMINER, visible_events
from engine.case import EventRow, EventState, NewNote
from engine.core.errors import BadInputError, SightlineError
from engine.core.times import parse_time

STATES: tuple[EventState, ...] = ("unseen", "seen", "relevant", "dismissed")
"""States of an event in the order of the keys 1 to 4."""


class ReviewOperations(Operations):
    """Does what the examiner asks for while looking at evidence."""

    reason_requested = Signal(object)
    """tuple[int, ...]: events that cannot be dismissed without a reason."""

    def __init__(self, session: Session, evidence: EvidenceOperations) -> None:
        super().__init__(session)
        self._evidence = evidence

    def visible_events(self) -> list[EventRow]:
        """Returns the events that threshold and filters do not hide, in order of time."""
        state = self._state
        return visible_events(
            state.evidence.value, state.threshold.value, state.hidden_channels.value
        )

    def selected_event(self) -> EventRow | None:
        """Returns the selected event, otherwise the one under the playhead."""
        view, selection = self._state.evidence.value, self._state.selection.value
        if view is None:
            return None
        if selection is not None and selection.kind == "event":
            return next((row for row in view.events if row.id == selection.id), None)
        frame = self._state.position.value
        inside = [row for row in view.events if _contains(row, frame)]
        return inside[0] if inside else None

    def current_span(self) -> tuple[float, float] | None:
        """Returns stream times of the marked span, otherwise of the selected event."""
        event = self.selected_event()
        if self._state.marks.value.span is not None:
            return self._state.marks.value.span
        return None if event is None else (event.event.start_s, event.event.end_s)

    def next_event(self, step: int) -> None:
        """Goes to the next event's peak, or the one before."""
        events = self.visible_events()
        selected = self.selected_event()
        ids = [row.id for row in events]
        frame = self._state.position.value
        if selected is not None and selected.id in ids and _contains(selected, frame):
            index = ids.index(selected.id) + step
        else:
            starts = [row.event.first_frame for row in events]
            index = int(np.searchsorted(starts, frame, side="right" if step > 0 else "left"))
            index -= 0 if step > 0 else 1
        if 0 <= index < len(events):
            self.go_to_event(events[index])
        elif events:
            self.news.emit("There is no further event" if step > 0 else "There is no event before")
        else:
            self.news.emit("There is no event to go to")

    def go_to_event(self, row: EventRow) -> None:
        """Selects an event and shows its peak."""
        self._state.playing.set(False)
        self._state.selection.set(Selection("event", row.id))
        self._state.position.set(row.event.peak_frame)
        if row.state == "unseen" and self._writable():
            self._session.editor.edit(SetStates({row.id: ("seen", None)}, "Mark as seen"))

    def go_to_trajectory(self, trajectory_id: int) -> None:
        """Selects a trajectory and shows its first frame."""
        view = self._state.evidence.value
        rows = () if view is None else view.trajectories
        row = next((row for row in rows if row.id == trajectory_id), None)
        if row is not None:
            self._go("trajectory", row.id, row.start_s)

    def go_to_bookmark(self, bookmark_id: int) -> None:
        """Selects a bookmark and shows its first frame."""
        view = self._state.evidence.value
        rows = () if view is None else view.bookmarks
        row = next((row for row in rows if row.id == bookmark_id), None)
        if row is not None:
            self._go("bookmark", row.id, row.start_s)

    def go_to_note(self, first_id: int) -> None:
        """Selects a note and shows the frame it was written at, when that is open."""
        view = self._state.evidence.value
        rows = () if view is None else view.notes
        row = next((row for row in rows if row.first_id == first_id), None)
        if view is None or row is None:
            return
        note = row.note
        if note.seconds is None or note.evidence_id != view.evidence.id:
            self._state.selection.set(Selection("note", first_id))
        else:
            self._go("note", first_id, note.seconds)

    def toggle_accumulated(self) -> None:
        """Shows the accumulated view of the selection, or the frame again."""
        accumulated, selection = self._state.accumulated, self._state.selection
        if accumulated.value:
            accumulated.set(False)
            return
        if selection.value is None or selection.value.kind not in ("event", "trajectory"):
            row = self.selected_event()
            if row is None:
                self._refuse("no event or trajectory is selected", "", "select one in its list")
                return
            selection.set(Selection("event", row.id))
        accumulated.set(True)

    def go_to_highest(self) -> None:
        """Goes to the frame with the highest score, whether it made an event or not."""
        view = self._state.evidence.value
        best = None if view is None else highest(view)
        if best is None:
            self._refuse("there is no score yet", "", "analyse the evidence")
        else:
            self._state.pause_at(best[0])

    def _go(self, kind: str, row_id: int, seconds: float) -> None:
        view = self._state.evidence.value
        if view is not None:
            self._state.playing.set(False)
            self._state.selection.set(Selection(kind, row_id))
            self._state.position.set(view.index.nearest(seconds))

    def set_state(self, ids: Sequence[int], state: str, reason: str | None = None) -> None:
        """Sets the state of events; a dismissal without a reason asks for one first."""
        if not ids or state not in STATES:
            return
        if state == "dismissed" and not reason:
            self.reason_requested.emit(tuple(ids))
            return
        self._session.editor.edit(SetStates(dict.fromkeys(ids, (state, reason))))

    def triage(self, state: str) -> None:
        """Sets the state of the selected event."""
        row = self.selected_event()
        if row is None:
            self._refuse("no event is selected", "", "press N for the next one")
        else:
            self.set_state([row.id], state)

    def mark(self, end: bool) -> None:
        """Sets the in or the out mark at the frame shown."""
        view = self._state.evidence.value
        if view is not None:
            here = float(view.seconds[self._state.position.value])
            marks = self._state.marks.value
            self._state.marks.set(Marks(marks.start, here) if end else Marks(here, marks.end))

    def clear_marks(self) -> None:
        """Removes both marks."""
        self._state.marks.set(Marks())

    def bookmark(self, text: str = "") -> None:
        """Bookmarks the frame shown, or the span between the marks when it lies inside."""
        view = self._state.evidence.value
        if view is None:
            return
        here = self._state.position.value
        first, last = self._marked_frames(view) or (here, here)
        if not first <= here <= last:
            first = last = here
        self._session.editor.edit(AddBookmark(bookmark_of(view, first, last, text)))

    def make_event(self, text: str = "") -> None:
        """Makes an event of the examiner's own from the marks."""
        view = self._state.evidence.value
        span = None if view is None else self._marked_frames(view)
        if view is None or span is None:
            self._refuse("no span is marked", "", "set an in mark with I, an out mark with O")
            return
        new = own_event_of(view, *span, text or "marked by the examiner")
        self._session.editor.edit(AddOwnEvent(new))
        self.clear_marks()

    def mark_normal(self) -> None:
        """Marks the span between the marks as normal footage and recalibrates."""
        view, span = self._state.evidence.value, self._state.marks.value.span
        if view is None or span is None:
            self._refuse("no span is marked", "", "set an in mark with I, an out mark with O")
            return
        self._evidence.recalibrate(view, (*view.normal_spans, span), view.ignore, view.interest)
        self.clear_marks()

    def clear_normal(self) -> None:
        """Clears the spans that were marked as normal footage, and recalibrates."""
        view = self._state.evidence.value
        if view is not None and view.normal_spans:
            self._evidence.recalibrate(view, (), view.ignore, view.interest)

    def set_regions(self, ignore: Sequence[Polygon], interest: Sequence[Polygon]) -> None:
        """Sets ignored regions and regions of interest, and recalibrates."""
        view = self._state.evidence.value
        if view is not None:
            self._evidence.recalibrate(view, view.normal_spans, ignore, interest)

    def clear_regions(self) -> None:
        """Clears all regions, so that the whole frame is analysed, and recalibrates."""
        view = self._state.evidence.value
        if view is not None and (view.ignore or view.interest):
            self.set_regions((), ())

    def add_note(self, about: str, text: str) -> None:
        """Writes a note about something, at the frame shown."""
        view = self._state.evidence.value
        if not text.strip():
            return
        evidence_id = pts = seconds = None
        if view is not None and about != "case":
            frame = self._state.position.value
            evidence_id, pts = view.evidence.id, int(view.index.pts[frame])
            seconds = float(view.seconds[frame])
        self._session.editor.edit(AddNote(NewNote(about, text, evidence_id, pts, seconds)))

    def amend_note(self, note_id: int, text: str) -> None:
        """Amends a note."""
        if text.strip():
            self._session.editor.edit(AmendNote(note_id, text))

    def amend_bookmark(self, bookmark_id: int, text: str) -> None:
        """Changes the text of a bookmark."""
        self._session.editor.edit(AmendBookmark(bookmark_id, text))

    def set_tag(self, about: str, name: str, on: bool) -> None:
        """Adds or removes a tag."""
        self._session.editor.edit(SetTag(about, name, on))

    def remove(self, kind: str, row_id: int) -> None:
        """Removes a bookmark, note or own event; Undo brings it back."""
        self._session.editor.edit(SetRemoved(kind, row_id, True, f"Remove {kind}"))

    def remove_selected(self) -> None:
        """Removes what is selected, if it is the examiner's own."""
        view, selection = self._state.evidence.value, self._state.selection.value
        kind = "" if selection is None else selection.kind
        own = kind in ("bookmark", "note")
        if view is not None and selection is not None and kind == "event":
            row = next((row for row in view.events if row.id == selection.id), None)
            own = row is not None and row.event.channel == EXAMINER
        if selection is None or not own:
            self._refuse(
                "nothing of your own is selected",
                "",
                "select a bookmark, a note or an event you made; what was found is dismissed",
            )
            return
        self.remove(kind, selection.id)
        self._state.selection.set(None)

    def set_clock(self, evidence_id: int, seconds: float | None) -> None:
        """Sets the seconds to add to stream time for the burned-in clock; None clears them."""
        self._session.editor.edit(SetClockOffset(evidence_id, seconds))

    def go_to(self, text: str) -> SightlineError | None:
        """Goes to a time or `#frame`.

        Returns:
            The error in the text; None when it was understood.
        """
        view = self._state.evidence.value
        if view is None:
            return BadInputError("no evidence is open", "", "open some first")
        text = text.strip()
        try:
            if text.startswith("#"):
                frame = int(text[1:].replace(",", "").strip())
            else:
                frame = view.index.nearest(parse_time(text))
        except SightlineError as error:
            return error
        except ValueError:
            return BadInputError("not a frame number", text, "type #310")
        if not 0 <= frame < len(view.index):
            last = f"the last frame is #{len(view.index) - 1}"
            return BadInputError("there is no such frame", text, last)
        self._state.pause_at(frame)
        return None

    def _marked_frames(self, view: EvidenceView) -> tuple[int, int] | None:
        span = self._state.marks.value.span
        if span is None:
            return None
        return view.index.nearest(span[0]), view.index.nearest(span[1])

    def _writable(self) -> bool:
        case = self._session.case
        return case is not None and not case.reading_only


def _contains(row: EventRow, frame: int) -> bool:
    return row.event.first_frame <= frame <= row.event.last_frame
