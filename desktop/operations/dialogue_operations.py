"""The dialogue: what is asked about the selected event or span, and what comes of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QObject, Signal

from desktop.operations.evidence_operations import EvidenceOperations
from desktop.operations.review_operations import ReviewOperations
from desktop.session.engine_client import was_cancelled
from desktop.session.engine_work import progress_of
from desktop.session.session import Session
from desktop.session.turn_reader import turns_about
from desktop.session.user_settings import UserSettings
from desktop.state.conversation import ConversationView, ShownTurn, Subject
from desktop.state.evidence_view import EvidenceView
from desktop.state.observable import Observable
from desktop.state.view_state import Marks, Selection
from engine import protocol
from engine.core.errors import BadInputError, SightlineError
from engine.core.questions import INTERVIEW, cleaned

FACTS_QUESTION = "What is known of it?"
"""The question under which facts that were asked for alone stand in the case."""


@dataclass(frozen=True)
class _Asked:
    subject: Subject
    question: str
    facts_only: bool = False
    seed: int | None = None


class DialogueOperations(QObject):
    """Asks the engine process of the dialogue, one question at a time.

    Args:
        session: the open case.
        settings: of the window; name the pack that answers.
        evidence: knows why a case cannot be written.
        review: knows the event under the playhead.
    """

    spoke = Signal(str)
    """The next piece of the answer about the subject on screen."""

    problem = Signal(object)
    """A SightlineError to be shown once."""

    said = Signal(str)
    """Something to know that is not seen otherwise."""

    def __init__(
        self,
        session: Session,
        settings: Observable[UserSettings],
        evidence: EvidenceOperations,
        review: ReviewOperations,
    ) -> None:
        super().__init__()
        self._settings = settings
        self._session = session
        self._work = evidence
        self._state = session.state
        self._review = review
        self._waiting: deque[_Asked] = deque()
        self._current: tuple[int, _Asked] | None = None
        self._preparing: int | None = None
        session.opened.connect(lambda _case: self._connect())
        session.closed.connect(self._forget)
        self._state.selection.changed.connect(self._selected)
        self._state.marks.changed.connect(self._marked)
        self._state.evidence.changed.connect(self._evidence)

    def ask(self, question: str, facts_only: bool = False, seed: int | None = None) -> bool:
        """Asks about the subject; waits its turn when another question is under way.

        Args:
            question: as typed.
            facts_only: leaves the language model out.
            seed: draws the answer instead of taking the likeliest one.

        Returns:
            Whether it was taken.
        """
        subject = self._subject()
        if subject is None:
            return False
        try:
            line = cleaned(question)
        except SightlineError as error:
            self.problem.emit(error)
            return False
        self._waiting.append(_Asked(subject, line, facts_only, seed))
        self._next()
        return True

    def interview(self) -> None:
        """Asks the five questions of the method, one after the other."""
        for one in INTERVIEW:
            if not self.ask(one.text):
                return

    def facts(self) -> None:
        """Asks for the facts alone."""
        self.ask(FACTS_QUESTION, facts_only=True)

    def regenerate(self, turn: ShownTurn) -> None:
        """Asks again and draws another answer; the first one stays in the case."""
        self.ask(turn.row.said.question, seed=len(self._state.conversation.value.turns))

    def stop(self) -> None:
        """Stops the answer under way and forgets the questions that wait."""
        self._waiting.clear()
        talker = self._session.talker
        if self._current is not None and talker is not None:
            talker.cancel(self._current[0])

    def go_to(self, start_s: float, trajectory_id: int | None) -> None:
        """Shows what a citation rests on; the trajectory, or the span's first frame."""
        view = self._state.evidence.value
        if view is None:
            return
        known = {one.id for one in view.trajectories}
        if trajectory_id in known and trajectory_id is not None:
            self._review.go_to_trajectory(trajectory_id)
        else:
            self._state.playing.set(False)
            self._state.position.set(view.index.nearest(start_s))

    def _subject(self) -> Subject | None:
        """Returns what is asked about, choosing the event at hand when nothing is selected."""
        if self._session.talker is None:
            self.problem.emit(self._work.cannot_write())
            return None
        found = self._state.conversation.value.subject
        if found is not None:
            return found
        strongest = max(
            self._review.visible_events(), key=lambda row: row.event.peak_score, default=None
        )
        row = self._review.selected_event() or strongest
        if row is not None:
            self._review.go_to_event(row)
            return self._state.conversation.value.subject
        self.problem.emit(
            BadInputError("nothing to ask about", "", "select an event, or set in and out marks")
        )
        return None

    def _next(self) -> None:
        talker = self._session.talker
        if self._current is not None or not self._waiting or talker is None:
            self._show()
            return
        asked = self._waiting.popleft()
        self._drop_preparation()
        subject = asked.subject
        request_id = talker.request(
            protocol.ASK,
            question=asked.question,
            pack=self._settings.value.answering_pack,
            facts_only=asked.facts_only,
            seed=asked.seed,
            **_about(subject),
        )
        self._current = request_id, asked
        self._change(partial="", progress="")
        self._show()

    def _connect(self) -> None:
        talker = self._session.talker
        if talker is not None:
            talker.spoke.connect(self._heard)
            talker.progressed.connect(self._progressed)
            talker.finished.connect(self._finished)
            talker.failed.connect(self._failed)
            talker.died.connect(self._died)

    def _forget(self) -> None:
        self._waiting.clear()
        self._current, self._preparing = None, None
        self._state.conversation.set(ConversationView())

    def _heard(self, request_id: int, piece: str) -> None:
        if self._is_current(request_id):
            now = self._state.conversation.value
            self._change(partial=now.partial + piece, progress="")
            if now.asking:
                self.spoke.emit(piece)

    def _progressed(self, request_id: int, fields: dict[str, Any]) -> None:
        if self._is_current(request_id):
            self._change(progress=progress_of(fields).counted)

    def _finished(self, request_id: int, _fields: dict[str, Any]) -> None:
        if request_id == self._preparing:
            self._preparing = None
        elif self._is_current(request_id):
            self._current = None
            self._session.reload_soon()
            self._read_turns(self._next)

    def _failed(self, request_id: int, error: SightlineError) -> None:
        if request_id == self._preparing:
            self._preparing = None
            return
        if not self._is_current(request_id):
            return
        self._current = None
        if not was_cancelled(error):
            self._waiting.clear()
            self.problem.emit(error)
        self._read_turns(self._next)

    def _died(self, said: str) -> None:
        if self._current is not None:
            self._change(partial="", progress="")
            self.said.emit(
                f"The engine process {said} while it answered. What it had said is kept; the "
                "question is asked again."
            )

    def _is_current(self, request_id: int) -> bool:
        return self._current is not None and self._current[0] == request_id

    def _selected(self, selection: Selection | None) -> None:
        view = self._state.evidence.value
        if selection is None or selection.kind != "event" or view is None:
            return
        row = next((one for one in view.events if one.id == selection.id), None)
        if row is not None:
            event = row.event
            self._turn_to(Subject(view.evidence.id, event.start_s, event.end_s, row.id))

    def _marked(self, marks: Marks) -> None:
        view = self._state.evidence.value
        if view is not None and marks.span is not None:
            self._turn_to(Subject(view.evidence.id, *marks.span))

    def _evidence(self, view: EvidenceView | None) -> None:
        subject = self._state.conversation.value.subject
        if subject is None or (view is not None and view.evidence.id == subject.evidence_id):
            return
        self._change(subject=None, turns=())
        self._selected(self._state.selection.value)

    def _turn_to(self, subject: Subject) -> None:
        if subject != self._state.conversation.value.subject:
            self._change(subject=subject, turns=())
            self._show()
            self._read_turns(self._prepare)

    def _read_turns(self, then: Callable[[], None]) -> None:
        subject = self._state.conversation.value.subject
        if subject is None:
            then()
            return

        def read(turns: tuple[ShownTurn, ...]) -> None:
            if self._state.conversation.value.subject == subject:
                self._change(turns=turns)
            then()

        self._session.read(lambda case: turns_about(case, subject), read)

    def _prepare(self) -> None:
        """Lets a model that is loaded read the evidence before it is asked."""
        self._show()
        talker, now = self._session.talker, self._state.conversation.value
        if talker is None or not talker.process_id or self._current is not None:
            return
        if now.subject is not None:
            self._drop_preparation()
            pack = self._settings.value.answering_pack
            self._preparing = talker.request(
                protocol.ASK, prepare=True, pack=pack, **_about(now.subject)
            )

    def _drop_preparation(self) -> None:
        talker = self._session.talker
        if self._preparing is not None and talker is not None:
            talker.cancel(self._preparing)
            self._preparing = None

    def _show(self) -> None:
        """Says which question about the subject on screen is under way."""
        now = self._state.conversation.value
        here = self._current is not None and self._current[1].subject == now.subject
        asking = self._current[1].question if here and self._current is not None else ""
        self._change(asking=asking, busy=self._current is not None)

    def _change(self, **changes: Any) -> None:  # noqa: ANN401
        self._state.conversation.set(replace(self._state.conversation.value, **changes))


def _about(subject: Subject) -> dict[str, object]:
    if subject.event_id is not None:
        return {"evidence_id": subject.evidence_id, "event_id": subject.event_id}
    return {
        "evidence_id": subject.evidence_id,
        "span": f"{subject.start_s:.3f}..{subject.end_s:.3f}",
    }
