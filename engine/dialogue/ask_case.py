"""Asks a question about evidence of a case and keeps everything about it in the case."""

from __future__ import annotations

from typing import Any

from engine.case import Case, EvidenceRow, RunRow
from engine.core.errors import BadInputError, CancelledError, SightlineError
from engine.core.progress import CancelToken, ProgressCallback, silent
from engine.core.questions import cleaned
from engine.dialogue.facts import AskedSpan, facts_of, span_trajectories
from engine.dialogue.model_cache import ModelShelf
from engine.dialogue.span_evidence import known_pack, run_for
from engine.dialogue.turn import AskRequest, Heard, Subject, Turn
from engine.media import Source
from engine.pipeline.evidence_intake import opened_evidence


def ask(
    case: Case,
    request: AskRequest,
    shelf: ModelShelf,
    heard: Heard | None = None,
    cancel: CancelToken | None = None,
    progress: ProgressCallback = silent,
) -> dict[str, Any]:
    """Asks; facts come first, the answer after them, and both stay in the case.

    Args:
        case: open for writing.
        request: what is asked.
        shelf: holds loaded models between questions.
        heard: told every piece of the answer as it comes.
        cancel: looked at between tokens; what was said until then is kept and marked.
        progress: told how far an analysis is, where there was none yet.

    Returns:
        The object that `ask --json` prints, and `dialogue_id`, `state`, `missing`,
        `dropped_turns`, `machine_written`.

    Raises:
        BadInputError: the question is empty or too long, or there is no such evidence or span.
        CancelledError: it was asked to stop before there was a turn.
        ResourceError: the case cannot be written.
    """
    question = cleaned(request.question)
    evidence = _evidence(case, request)
    run = _run(case, request, evidence, cancel, progress)
    with opened_evidence(case, evidence, run.stream, cancel) as source:
        subject = Subject(evidence, run, _span(case, request, run, source))
        trajectories = span_trajectories(case, run, subject.span)
        facts = facts_of(case, run, subject.span, trajectories, source, cancel)
        turn = Turn(case, request, question, subject, trajectories, facts, source)
        if request.facts_only:
            return turn.facts_only(None)
        try:
            model = shelf.model(request.pack, request.runtime)
            conversation = shelf.conversation(case, model, run, subject.span, source, cancel)
        except CancelledError:
            raise
        except SightlineError as error:
            # Facts and citations need no model; what is wrong with it is said beside them.
            return turn.facts_only(error.line())
        return turn.answered(shelf, model, conversation, heard, cancel)


def prepare(
    case: Case, request: AskRequest, shelf: ModelShelf, cancel: CancelToken | None = None
) -> bool:
    """Lets the language model read the evidence of a span before anything is asked about it.

    Args:
        case: open for reading.
        request: names evidence and span; its question does not count.
        shelf: holds loaded models.
        cancel: looked at while frames are read.

    Returns:
        Whether a model has read it now; False where there is no analysis or no model.

    Raises:
        BadInputError: there is no such evidence or span.
        CancelledError: it was asked to stop.
    """
    evidence = _evidence(case, request)
    run = case.runs.current(evidence.id)
    if run is None:
        return False
    run = _event_run(case, request) or run
    with opened_evidence(case, evidence, run.stream, cancel) as source:
        span = _span(case, request, run, source)
        try:
            model = shelf.model(request.pack, request.runtime)
            shelf.conversation(case, model, run, span, source, cancel)
        except CancelledError:
            raise
        except SightlineError:
            # Said when something is asked: preparing is not the examiner's business.
            return False
    return True


def _evidence(case: Case, request: AskRequest) -> EvidenceRow:
    if request.event_id is not None:
        event = case.results.event(request.event_id)
        owner = case.runs.get(event.run_id).evidence_id if event.run_id is not None else None
        if owner is not None:
            if request.evidence_id not in (None, owner):
                raise BadInputError(
                    f"event {request.event_id} is of other evidence", "", "leave --evidence out"
                )
            return case.evidence.get(owner)
    if request.evidence_id is not None:
        return case.evidence.get(request.evidence_id)
    pieces = case.evidence.all()
    if len(pieces) == 1:
        return pieces[0]
    if not pieces:
        raise BadInputError("no evidence in the case", case.path, "analyse a video first")
    raise BadInputError(f"{len(pieces)} pieces of evidence", case.path, "choose with --evidence N")


def _run(
    case: Case,
    request: AskRequest,
    evidence: EvidenceRow,
    cancel: CancelToken | None,
    progress: ProgressCallback,
) -> RunRow:
    found = _event_run(case, request)
    return found or run_for(case, evidence, known_pack(request.pack), cancel, progress)


def _event_run(case: Case, request: AskRequest) -> RunRow | None:
    run_id = None if request.event_id is None else case.results.event(request.event_id).run_id
    return None if run_id is None else case.runs.get(run_id)


def _span(case: Case, request: AskRequest, run: RunRow, source: Source) -> AskedSpan:
    if request.event_id is not None:
        row = case.results.event(request.event_id)
        event = row.event
        return AskedSpan(event.first_frame, event.last_frame, event.start_s, event.end_s, row)
    if request.span is not None:
        index, wanted = source.index, request.span
        end = index.seconds(len(index) - 1)
        if wanted.start > end:
            raise BadInputError(
                "a span after the end of the evidence", wanted, f"it ends at {end:.3f} s"
            )
        first, last = index.nearest(wanted.start), index.nearest(wanted.end)
        return AskedSpan(first, last, index.seconds(first), index.seconds(last))
    events = case.results.events(run.id)
    if not events:
        raise BadInputError("no event to ask about", "", "name a span: --span START..END")
    row = max(events, key=lambda one: one.event.peak_score)
    event = row.event
    return AskedSpan(event.first_frame, event.last_frame, event.start_s, event.end_s, row)
