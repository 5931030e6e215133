"""The dialogue: questions about the selected event or span, one at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import Signal

from desktop.operations.operations import Operations
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
from engine.core.errors import SightlineError
from engine.core.questions import INTERVIEW, clean_question

FACTS_QUESTION = "What is known of it?"
"""The question that is stored in the case when only the facts are requested."""


@dataclass(frozen=True)
class _PendingQuestion:
    subject: Subject
    question: str
    facts_only: bool = False
    seed: int | None = None


class DialogueOperations(Operations):
    """Passes questions to the dialogue worker, one at a time.

    Args:
        session: the open case.
        settings: of the window; they name the pack that answers.
        review: gives the event under the playhead.
    """

    token_received = Signal(str)
    """The next piece of the answer about the subject on screen."""

    def __init__(
        self,
        session: Session,
        settings: Observable[UserSettings],
        review: ReviewOperations,
    ) -> None:
        super().__init__(session)
        self._settings = settings
        self._review = review
        self._waiting: deque[_PendingQuestion] = deque()
        self._current: tuple[int, _PendingQuestion] | None = None
        self._preparing: int | None = None
        session.opened.connect(lambda _case: self._connect())
        session.closed.connect(self._clear)
        self._state.selection.changed.connect(self._turn_to_selection)
        self._state.marks.changed.connect(self._turn_to_span)
        self._state.evidence.changed.connect(self._on_evidence_change)

    def ask(self, question: str, facts_only: bool = False, seed: int | None = None) -> bool:
        """Asks about the subject; waits while another question is being answered.

        Args:
            question: as typed.
            facts_only: whether to leave the language model out.
            seed: for drawing the answer at random; None for the likeliest answer.

        Returns:
            Whether the question was accepted.
        """
        subject = self._subject()
        if subject is None:
            return False
        try:
            line = clean_question(question)
        except SightlineError as error:
            self.problem.emit(error)
            return False
        self._waiting.append(_PendingQuestion(subject, line, facts_only, seed))
        self._next()
        return True

    def interview(self) -> None:
        """Asks the five questions of the method, one after the other."""
        for question in INTERVIEW:
            if not self.ask(question.text):
                return

    def facts(self) -> None:
        """Asks for the facts alone."""
        self.ask(FACTS_QUESTION, facts_only=True)

    def regenerate(self, turn: ShownTurn) -> None:
        """Asks again and draws another answer; the first one stays in the case."""
        self.ask(turn.row.question, seed=len(self._state.conversation.value.turns))

    def stop(self) -> None:
        """Stops the answer under way and drops the questions that wait."""
        self._waiting.clear()
        worker = self._session.dialogue_worker
        if self._current is not None and worker is not None:
            worker.cancel(self._current[0])

    def go_to(self, start_s: float, trajectory_id: int | None) -> None:
        """Shows what a citation names: the trajectory, or the first frame of the span."""
        view = self._state.evidence.value
        if view is None:
            return
        known = {trajectory.id for trajectory in view.trajectories}
        if trajectory_id in known and trajectory_id is not None:
            self._review.go_to_trajectory(trajectory_id)
        else:
            self._state.pause_at(view.index.nearest(start_s))

    def _subject(self) -> Subject | None:
        """Returns what the question is about; selects an event when nothing is selected."""
        if self._session.dialogue_worker is None:
            self._report_read_only()
            return None
        subject = self._state.conversation.value.subject
        if subject is not None:
            return subject
        strongest = max(
            self._review.visible_events(), key=lambda row: row.event.peak_score, default=None
        )
        row = self._review.selected_event() or strongest
        if row is not None:
            self._review.go_to_event(row)
            return self._state.conversation.value.subject
        self._refuse("nothing to ask about", "", "select an event, or set in and out marks")
        return None

    def _next(self) -> None:
        worker = self._session.dialogue_worker
        if self._current is not None or not self._waiting or worker is None:
            self._show()
            return
        pending = self._waiting.popleft()
        self._drop_preparation()
        request_id = worker.request(
            protocol.ASK,
            question=pending.question,
            pack=self._settings.value.answering_pack,
            facts_only=pending.facts_only,
            seed=pending.seed,
            **_about(pending.subject),
        )
        self._current = request_id, pending
        self._change(partial="", progress="")
        self._show()

    def _connect(self) -> None:
        worker = self._session.dialogue_worker
        if worker is not None:
            worker.token_received.connect(self._add_piece)
            worker.progressed.connect(self._show_progress)
            worker.finished.connect(self._on_finish)
            worker.failed.connect(self._on_failure)
            worker.died.connect(self._on_death)

    def _clear(self) -> None:
        self._waiting.clear()
        self._current, self._preparing = None, None
        self._state.conversation.set(ConversationView())

    def _add_piece(self, request_id: int, piece: str) -> None:
        if self._is_current(request_id):
            now = self._state.conversation.value
            self._change(partial=now.partial + piece, progress="")
            if now.question_under_way:
                self.token_received.emit(piece)

    def _show_progress(self, request_id: int, fields: dict[str, Any]) -> None:
        if self._is_current(request_id):
            self._change(progress=progress_of(fields).text)

    def _on_finish(self, request_id: int, _fields: dict[str, Any]) -> None:
        if request_id == self._preparing:
            self._preparing = None
        elif self._is_current(request_id):
            self._current = None
            self._session.reload_soon()
            self._read_turns(self._next)

    def _on_failure(self, request_id: int, error: SightlineError) -> None:
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

    def _on_death(self, how: str) -> None:
        if self._current is not None:
            self._change(partial="", progress="")
            self.news.emit(
                f"The engine process {how} while it answered. What it had said is kept; the "
                "question is asked again."
            )

    def _is_current(self, request_id: int) -> bool:
        return self._current is not None and self._current[0] == request_id

    def _turn_to_selection(self, selection: Selection | None) -> None:
        view = self._state.evidence.value
        if selection is None or selection.kind != "event" or view is None:
            return
        row = next((row for row in view.events if row.id == selection.id), None)
        if row is not None:
            event = row.event
            self._turn_to(Subject(view.evidence.id, event.start_s, event.end_s, row.id))

    def _turn_to_span(self, marks: Marks) -> None:
        view = self._state.evidence.value
        if view is not None and marks.span is not None:
            self._turn_to(Subject(view.evidence.id, *marks.span))

    def _on_evidence_change(self, view: EvidenceView | None) -> None:
        subject = self._state.conversation.value.subject
        if subject is None or (view is not None and view.evidence.id == subject.evidence_id):
            return
        self._change(subject=None, turns=())
        self._turn_to_selection(self._state.selection.value)

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
        """Lets a loaded model read the evidence before a question comes."""
        self._show()
        worker, subject = self._session.dialogue_worker, self._state.conversation.value.subject
        if worker is None or not worker.process_id or self._current is not None:
            return
        if subject is not None:
            self._drop_preparation()
            pack = self._settings.value.answering_pack
            self._preparing = worker.request(
                protocol.ASK, prepare=True, pack=pack, **_about(subject)
            )

    def _drop_preparation(self) -> None:
        worker = self._session.dialogue_worker
        if self._preparing is not None and worker is not None:
            worker.cancel(self._preparing)
            self._preparing = None

    def _show(self) -> None:
        """Shows which question about the subject on screen is being answered."""
        question = ""
        if self._current is not None:
            pending = self._current[1]
            if pending.subject == self._state.conversation.value.subject:
                question = pending.question
        self._change(question_under_way=question, busy=self._current is not None)

    def _change(self, **changes: Any) -> None:  # noqa: ANN401
        self._state.conversation.set(replace(self._state.conversation.value, **changes))


def _about(subject: Subject) -> dict[str, object]:
    if subject.event_id is not None:
        return {"evidence_id": subject.evidence_id, "event_id": subject.event_id}
    return {
        "evidence_id": subject.evidence_id,
        "span": f"{subject.start_s:.3f}..{subject.end_s:.3f}",
    }
