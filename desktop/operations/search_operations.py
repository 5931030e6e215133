"""Going to what is said somewhere in the case, and to the same moment of another file."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, Signal

from desktop.operations.review_operations import ReviewOperations
from desktop.session.session import Session
from desktop.state.evidence_view import EvidenceView
from desktop.state.view_state import Marks
from engine.case.case_search import Remark
from engine.core.errors import BadInputError


class FindingOperations(QObject):
    """Goes to moments of any evidence of the case.

    Args:
        session: the open case.
        review: goes to what is in the evidence on screen.
    """

    problem = Signal(object)
    """A SightlineError to be shown once."""

    said = Signal(str)
    """Something to know that is not seen otherwise."""

    def __init__(self, session: Session, review: ReviewOperations) -> None:
        super().__init__()
        self._session = session
        self._state = session.state
        self._review = review
        self._later: Callable[[], None] | None = None
        session.shown.connect(self._shown)

    def go_to_remark(self, remark: Remark) -> None:
        """Shows what is said somewhere in the case: selects it, and goes to its moment.

        Other evidence is opened at that moment first.
        """
        view = self._state.evidence.value
        if view is None or remark.evidence_id not in (None, view.evidence.id):
            if remark.evidence_id is not None:
                self._later = partial(self.go_to_remark, remark)
                self._session.show(remark.evidence_id)
            return
        event_id = remark.id if remark.kind == "event" else remark.event_id
        event = next((row for row in view.events if row.id == event_id), None)
        if remark.kind == "bookmark":
            self._review.go_to_bookmark(remark.id)
        elif remark.kind == "note":
            self._review.go_to_note(remark.id)
        elif event is not None:
            self._review.go_to_event(event)
        elif remark.start_s is not None and remark.end_s is not None:
            self._state.marks.set(Marks(remark.start_s, remark.end_s))
            self._state.position.set(view.index.nearest(remark.start_s))

    def show(self, evidence_id: int, act: Callable[[EvidenceView], None]) -> None:
        """Does something with a piece of evidence as soon as it is on screen."""
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

    def _shown(self, _view: EvidenceView) -> None:
        later, self._later = self._later, None
        if later is not None:
            later()

    def same_moment(self) -> None:
        """Shows the moment on screen in the next file whose burned-in clock reads the same."""
        view, items = self._state.evidence.value, self._session.items
        if view is None:
            return
        if view.clock_offset_s is None:
            self.problem.emit(
                BadInputError(
                    "the clock of this file is not known", view.evidence.name,
                    "say what it reads under Edit, Burned-in clock; in the other files too",
                )
            )  # fmt: skip
            return
        clock = float(view.seconds[self._state.position.value]) + view.clock_offset_s
        place = next(n for n, one in enumerate(items) if one.id == view.evidence.id)
        for item in (*items[place + 1 :], *items[:place]):
            seconds = item.at_clock(clock)
            if seconds is not None:
                self._later = partial(self._go_to_seconds, seconds)
                self._session.show(item.id)
                return
        self.said.emit("No other file of the case shows this moment, as far as its clock is known")

    def _go_to_seconds(self, seconds: float) -> None:
        view = self._state.evidence.value
        if view is not None:
            self._state.playing.set(False)
            self._state.position.set(view.index.nearest(seconds))
