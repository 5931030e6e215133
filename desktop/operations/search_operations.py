"""Going to a hit of the case search, and to the same moment of another file."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from desktop.operations.operations import Operations
from desktop.operations.review_operations import ReviewOperations
from desktop.session.session import Session
from desktop.state.evidence_view import EvidenceView
from desktop.state.view_state import Marks
from engine.case.case_search import CaseText


class SearchOperations(Operations):
    """Goes to moments of any evidence of the case.

    Args:
        session: the open case.
        review: goes to events, bookmarks and notes of the evidence on screen.
    """

    def __init__(self, session: Session, review: ReviewOperations) -> None:
        super().__init__(session)
        self._review = review
        self._later: Callable[[], None] | None = None
        session.evidence_shown.connect(self._run_later)

    def go_to_hit(self, hit: CaseText) -> None:
        """Selects what the case search found, and goes to its moment.

        Other evidence is opened at that moment first.
        """
        view = self._state.evidence.value
        if view is None or hit.evidence_id not in (None, view.evidence.id):
            if hit.evidence_id is not None:
                self._later = partial(self.go_to_hit, hit)
                self._session.show(hit.evidence_id)
            return
        event_id = hit.id if hit.kind == "event" else hit.event_id
        event = next((row for row in view.events if row.id == event_id), None)
        if hit.kind == "bookmark":
            self._review.go_to_bookmark(hit.id)
        elif hit.kind == "note":
            self._review.go_to_note(hit.id)
        elif event is not None:
            self._review.go_to_event(event)
        elif hit.start_s is not None and hit.end_s is not None:
            self._state.marks.set(Marks(hit.start_s, hit.end_s))
            self._state.position.set(view.index.nearest(hit.start_s))

    def show(self, evidence_id: int, act: Callable[[EvidenceView], None]) -> None:
        """Shows a piece of evidence, and calls `act` as soon as it is on screen."""
        view = self._state.evidence.value
        if view is not None and view.evidence.id == evidence_id:
            act(view)
        else:
            self._later = partial(self._act, act)
            self._session.show(evidence_id)

    def _act(self, act: Callable[[EvidenceView], None]) -> None:
        view = self._state.evidence.value
        if view is not None:
            act(view)

    def _run_later(self, _view: EvidenceView) -> None:
        later, self._later = self._later, None
        if later is not None:
            later()

    def same_moment(self) -> None:
        """Shows the moment on screen in the next file whose burned-in clock reads the same."""
        view, items = self._state.evidence.value, self._session.items
        if view is None:
            return
        if view.clock_offset_s is None:
            self._refuse(
                "the clock of this file is not known",
                view.evidence.name,
                "say what it reads under Edit, Burned-in clock; in the other files too",
            )
            return
        clock = float(view.seconds[self._state.position.value]) + view.clock_offset_s
        index = next(n for n, item in enumerate(items) if item.id == view.evidence.id)
        for item in (*items[index + 1 :], *items[:index]):
            seconds = item.at_clock(clock)
            if seconds is not None:
                self._later = partial(self._go_to_seconds, seconds)
                self._session.show(item.id)
                return
        self.news.emit("No other file of the case shows this moment, as far as its clock is known")

    def _go_to_seconds(self, seconds: float) -> None:
        view = self._state.evidence.value
        if view is not None:
            self._state.pause_at(view.index.nearest(seconds))
