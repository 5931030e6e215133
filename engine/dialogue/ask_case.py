"""Asks a question about evidence and stores facts, answer and citations in the case."""

from __future__ import annotations

from typing import Any

from engine.case import Case, EventRow, EvidenceRow, RunRow
from engine.core.errors import BadInputError, CancelledError, SightlineError
from engine.core.progress import CancelToken, ProgressCallback, silent
from engine.core.questions import clean_question
from engine.dialogue.conversation import TokenCallback
from engine.dialogue.facts import DialogueSpan, facts_of, span_trajectories
from engine.dialogue.model_cache import ModelCache
from engine.dialogue.span_results import current_or_new_run
from engine.dialogue.turn import AskRequest, DialogueSubject, TurnRecorder
from engine.media import Source
from engine.packs.pack import Pack, find_pack
from engine.pipeline.evidence_intake import open_evidence


def ask(
    case: Case,
    request: AskRequest,
    models: ModelCache,
    on_token: TokenCallback | None = None,
    cancel: CancelToken | None = None,
    progress: ProgressCallback = silent,
) -> dict[str, Any]:
    """Asks a question: computes facts, lets the language model answer, and stores both.

    Args:
        case: open for writing.
        request: the question and what it is about.
        models: keeps loaded models between questions.
        on_token: is called with every piece of the answer as it is generated.
        cancel: is checked between tokens; a stopped answer is stored as far as it came, and marked.
        progress: is called with the progress of the analysis, where none was made before.

    Returns:
        The turn as `ask --json` prints it.

    Raises:
        BadInputError: the question is empty or too long, or there is no such evidence or span.
        CancelledError: the user stopped before a turn was stored.
        ResourceError: the case cannot be written.
    """
    question = clean_question(request.question)
    evidence = _evidence(case, request)
    pack = _find_pack(request.pack)
    complete = pack if isinstance(pack, Pack) and not pack.missing_base else None
    run = _event_run(case, request)
    run = run or current_or_new_run(case, evidence, complete, cancel, progress)
    with open_evidence(case, evidence, run.stream, cancel) as source:
        subject = DialogueSubject(evidence, run, _span(case, request, run, source))
        trajectories = span_trajectories(case, run, subject.span)
        facts = facts_of(case, run, subject.span, trajectories, source, cancel)
        turn = TurnRecorder(case, request, question, subject, trajectories, facts, source)
        if request.facts_only:
            return turn.record_facts(None)
        try:
            if isinstance(pack, SightlineError):
                raise pack
            model = models.model(pack, request.runtime)
            conversation = models.conversation(case, model, run, subject.span, source, cancel)
        except CancelledError:
            raise
        except SightlineError as error:
            # Facts and citations need no model; they are stored with the reason it is missing.
            return turn.record_facts(error.line())
        return turn.record_answer(pack, model, conversation, on_token, cancel)


def prepare(
    case: Case, request: AskRequest, models: ModelCache, cancel: CancelToken | None = None
) -> bool:
    """Lets the language model read the inputs of a span before anything is asked about it.

    Args:
        case: open for reading.
        request: names evidence and span; its question is ignored.
        models: keeps loaded models.
        cancel: is checked while frames are read.

    Returns:
        Whether a model has read the inputs; False where there is no analysis or no model.

    Raises:
        BadInputError: there is no such evidence or span.
        CancelledError: the user stopped.
    """
    evidence = _evidence(case, request)
    run = case.runs.current(evidence.id)
    if run is None:
        return False
    run = _event_run(case, request) or run
    with open_evidence(case, evidence, run.stream, cancel) as source:
        span = _span(case, request, run, source)
        try:
            model = models.model(find_pack(request.pack), request.runtime)
            models.conversation(case, model, run, span, source, cancel)
        except CancelledError:
            raise
        except SightlineError:
            # The examiner did not ask for this; the error is reported with the next question.
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
    rows = case.evidence.all()
    if len(rows) == 1:
        return rows[0]
    if not rows:
        raise BadInputError("no evidence in the case", case.path, "analyse a video first")
    raise BadInputError(f"{len(rows)} pieces of evidence", case.path, "choose with --evidence N")


def _find_pack(name: str) -> Pack | SightlineError:
    """Returns a pack, or why there is none: that matters only where a model is to answer."""
    try:
        return find_pack(name)
    except SightlineError as error:
        return error


def _event_run(case: Case, request: AskRequest) -> RunRow | None:
    run_id = None if request.event_id is None else case.results.event(request.event_id).run_id
    return None if run_id is None else case.runs.get(run_id)


def _span(case: Case, request: AskRequest, run: RunRow, source: Source) -> DialogueSpan:
    if request.event_id is not None:
        return _event_span(case.results.event(request.event_id))
    if request.span is not None:
        index, span = source.index, request.span
        end = index.seconds(len(index) - 1)
        if span.start > end:
            raise BadInputError(
                "a span after the end of the evidence", span, f"it ends at {end:.3f} s"
            )
        first, last = index.nearest(span.start), index.nearest(span.end)
        return DialogueSpan(first, last, index.seconds(first), index.seconds(last))
    events = case.results.events(run.id)
    if not events:
        raise BadInputError("no event to ask about", "", "name a span: --span START..END")
    return _event_span(max(events, key=lambda row: row.event.peak_score))


def _event_span(row: EventRow) -> DialogueSpan:
    event = row.event
    return DialogueSpan(event.first_frame, event.last_frame, event.start_s, event.end_s, row)
