"""The examiner's edits: each changes the case once and knows what undoes it.

Nothing is ever erased: undoing is another edit with an audit entry of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from engine.case import Change, EventState, NewBookmark, NewNote, NewOwnEvent


class Edit(Protocol):
    """A change the examiner makes."""

    @property
    def label(self) -> str:
        """What it does, in the imperative, for the Undo entry of the menu."""
        ...

    def apply(self, change: Change) -> Edit | None:
        """Makes the change and returns what undoes it; None when nothing can."""
        ...


@dataclass(frozen=True)
class SetStates:
    """Gives events their states; `states` is (state, reason) by event id."""

    states: Mapping[int, tuple[EventState, str | None]]
    label: str = "Triage event"

    def apply(self, change: Change) -> Edit:
        """Sets the states and returns the edit that brings the old ones back."""
        before: dict[int, tuple[EventState, str | None]] = {}
        for event_id, (state, reason) in self.states.items():
            row = change.results.event(event_id)
            before[event_id] = row.state, row.state_reason
            change.results.set_state(event_id, state, reason)
        return SetStates(before, self.label)


@dataclass(frozen=True)
class AddBookmark:
    """Bookmarks a moment or span."""

    new: NewBookmark
    label: str = "Bookmark"

    def apply(self, change: Change) -> Edit:
        """Adds the bookmark."""
        return SetRemoved("bookmark", change.bookmarks.add(self.new), True, self.label)


@dataclass(frozen=True)
class AmendBookmark:
    """Changes the text of a bookmark."""

    bookmark_id: int
    text: str
    label: str = "Change bookmark"

    def apply(self, change: Change) -> Edit:
        """Changes the text."""
        before = change.bookmarks.get(self.bookmark_id).text
        change.bookmarks.amend(self.bookmark_id, self.text)
        return AmendBookmark(self.bookmark_id, before, self.label)


@dataclass(frozen=True)
class AddNote:
    """Writes a note."""

    new: NewNote
    label: str = "Write note"

    def apply(self, change: Change) -> Edit:
        """Adds the note."""
        return SetRemoved("note", change.notes.add(self.new), True, self.label)


@dataclass(frozen=True)
class AmendNote:
    """Amends a note; what it said before stays readable."""

    note_id: int
    text: str
    label: str = "Amend note"

    def apply(self, change: Change) -> Edit:
        """Adds the amendment."""
        before = change.notes.get(self.note_id).text
        return AmendNote(change.notes.amend(self.note_id, self.text), before, self.label)


@dataclass(frozen=True)
class AddOwnEvent:
    """Makes an event from the in and out marks."""

    new: NewOwnEvent
    label: str = "Make event"

    def apply(self, change: Change) -> Edit:
        """Adds the event."""
        return SetRemoved("event", change.own_events.add(self.new), True, self.label)


@dataclass(frozen=True)
class SetRemoved:
    """Takes a bookmark, note, own event or variant out of sight, or brings it back."""

    kind: str
    id: int
    removed: bool
    label: str

    def apply(self, change: Change) -> Edit:
        """Hides or shows it; the case keeps it either way."""
        if self.kind == "bookmark":
            change.bookmarks.set_removed(self.id, self.removed)
        elif self.kind == "note":
            change.notes.set_removed(self.id, self.removed)
        elif self.kind == "variant":
            change.variants.set_removed(self.id, self.removed)
        else:
            change.own_events.set_removed(self.id, self.removed)
        return SetRemoved(self.kind, self.id, not self.removed, self.label)


@dataclass(frozen=True)
class SetTag:
    """Puts a tag on something or takes it off."""

    object: str
    name: str
    on: bool
    label: str = "Tag"

    def apply(self, change: Change) -> Edit:
        """Sets the tag."""
        change.tags.set(self.object, self.name, self.on)
        return SetTag(self.object, self.name, not self.on, self.label)


@dataclass(frozen=True)
class SetClockOffset:
    """Says by how many seconds the burned-in clock is ahead of stream time."""

    evidence_id: int
    seconds: float | None
    label: str = "Set clock offset"

    def apply(self, change: Change) -> Edit:
        """Sets the offset."""
        before = change.evidence.get(self.evidence_id).clock_offset_s
        change.evidence.set_clock_offset(self.evidence_id, self.seconds)
        return SetClockOffset(self.evidence_id, before, self.label)


@dataclass(frozen=True)
class ChooseRun:
    """Says which run of a piece of evidence counts; None for the newest finished one."""

    evidence_id: int
    run_id: int | None
    label: str = "Choose results"

    def apply(self, change: Change) -> Edit:
        """Chooses the run."""
        before = change.evidence.get(self.evidence_id).current_run
        change.evidence.choose_run(self.evidence_id, self.run_id)
        return ChooseRun(self.evidence_id, before, self.label)


@dataclass(frozen=True)
class Arrange:
    """Puts the evidence in another order."""

    ids: tuple[int, ...]
    label: str = "Arrange evidence"

    def apply(self, change: Change) -> Edit:
        """Sets the order."""
        before = tuple(evidence.id for evidence in change.evidence.all())
        change.evidence.arrange(self.ids)
        return Arrange(before, self.label)


@dataclass(frozen=True)
class Relink:
    """Says where evidence lies now; its hash was compared before."""

    evidence_id: int
    path: str
    label: str = "Relink evidence"

    def apply(self, change: Change) -> Edit:
        """Sets the path."""
        before = change.evidence.get(self.evidence_id).path
        change.evidence.relink(self.evidence_id, self.path)
        return Relink(self.evidence_id, before, self.label)


@dataclass(frozen=True)
class AddWatched:
    """Keeps which frames were watched; cannot be undone, because they were."""

    evidence_id: int
    spans: tuple[tuple[int, int], ...]
    label: str = "Watch"

    def apply(self, change: Change) -> None:
        """Merges the spans with those kept."""
        change.watched.add(self.evidence_id, self.spans)
