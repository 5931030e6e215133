"""Recalibration: learns what is usual again and derives results again, without decoding."""

from __future__ import annotations

import json
from dataclasses import replace

from engine.case import Case, Change, DerivationRow, EventRow, EventState, RunRow
from engine.core.channels import TEXT
from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, ProgressCallback, silent
from engine.core.times import Span
from engine.detectors.text.text_calibration import TextCalibration
from engine.pipeline.calibration.run_calibrations import (
    KnownCalibrations,
    check_spans,
    find_normal_calibrations,
    learn_from_evidence,
)
from engine.pipeline.channels.raw_maps import RawMaps
from engine.pipeline.recipe import Recipe, recipe_of
from engine.pipeline.region_mask import RegionMask
from engine.pipeline.run_results import derive_run
from engine.pipeline.stored_maps import stored_maps
from engine.pipeline.stored_run import StoredRun, stored_run

_MIN_SHARED_TIME = 0.5  # A choice: events that share this much of their joint time are the same.


def recalibrate(
    case: Case,
    run_id: int,
    normal_spans: tuple[Span, ...],
    mask: RegionMask,
    cancel: CancelToken | None = None,
    progress: ProgressCallback = silent,
) -> DerivationRow:
    """Derives the results of a finished run again.

    The state that the examiner gave an event goes over to the new event that covers the same time.

    Args:
        case: open for writing.
        run_id: the run.
        normal_spans: spans of the evidence marked normal; with none, the run's own calibration.
        mask: which parts of the frame are analysed.
        cancel: looked at between blocks.
        progress: is given the frames done.

    Returns:
        The new derivation.

    Raises:
        BadInputError: the run has not finished, or a span holds no frame.
        CancelledError: the user stopped; nothing changed.
    """
    run = case.runs.get(run_id)
    if run.state != "finished":
        raise BadInputError(f"run {run_id} has not finished", "", "resume it first")
    own = Recipe.from_json(json.loads(run.settings))
    recipe = replace(own, normal_spans=normal_spans or own.normal_spans, mask=mask)
    if normal_spans:
        recipe = replace(recipe, normal=())
    stored = stored_run(case, run)
    check_spans(recipe.normal_spans, stored.plan)
    token = cancel or CancelToken()
    raw = stored_maps(case, run_id, stored.plan, recipe, token)
    known = _calibrations(case, stored, own, recipe, raw)
    results = derive_run(case, recipe, raw, known, stored.plan, token, progress)
    before = case.results.events(run_id)
    with case.change() as change:
        derivation_id = results.store(
            change, recipe, run_id, run.evidence_id, changes=recipe.changes(own)
        )
        _carry_over(change, run_id, before)
    return next(row for row in case.results.derivations(run_id) if row.id == derivation_id)


def repeat_recalibration(
    case: Case,
    run: RunRow,
    derivation: DerivationRow | None,
    cancel: CancelToken,
    progress: ProgressCallback,
) -> None:
    """Recalibrates a run as another run was; does nothing where that one never was."""
    if derivation is None or derivation.settings is None:
        return
    recipe = recipe_of(run, derivation)
    spans = tuple(Span(*span) for span in json.loads(derivation.settings)["normal_spans"])
    recalibrate(case, run.id, spans, recipe.mask, cancel, progress)


def _calibrations(
    case: Case, stored: StoredRun, own: Recipe, recipe: Recipe, raw: RawMaps
) -> KnownCalibrations:
    """Returns the calibrations to derive with, some of which the case may have already."""
    if recipe.calibration == "normal":
        known = find_normal_calibrations(case, own, stored.plan.grid)
        if known is None or (raw.text is not None and known.calibrations.text is None):
            raise BadInputError(
                "the calibration from normal footage is missing", case.path, "analyse again"
            )
        return known
    evidence = case.evidence.get(stored.run.evidence_id)
    source = {"path": evidence.path, "sha256": evidence.sha256}
    pack = _pack_calibration(case, stored) if raw.text is not None else None
    return KnownCalibrations(learn_from_evidence(raw, source, recipe, stored.plan, pack))


def _pack_calibration(case: Case, stored: StoredRun) -> TextCalibration:
    """Returns the calibration of the run's pack by itself, from that of its results."""
    derivation = case.results.current(stored.run.id)
    for number in derivation.calibrations if derivation else ():
        calibration = case.calibrations.get(number).calibration
        if calibration.channel == TEXT:
            return TextCalibration.decode(calibration.body).pack()
    raise BadInputError("the text channel was never calibrated", case.path, "analyse again")


def _carry_over(change: Change, run_id: int, before: tuple[EventRow, ...]) -> None:
    """Gives new events of a run the states of old ones over the same time."""
    states: dict[int, tuple[EventState, str | None]] = {}
    with_state = [row for row in before if row.state != "unseen"]
    for new in change.results.events(run_id):
        for old in with_state:
            first = max(new.event.first_frame, old.event.first_frame)
            last = min(new.event.last_frame, old.event.last_frame)
            whole = max(new.event.last_frame, old.event.last_frame) - min(
                new.event.first_frame, old.event.first_frame
            )
            if last - first + 1 >= _MIN_SHARED_TIME * (whole + 1):
                states[new.id] = old.state, old.state_reason
    for event_id, (state, reason) in states.items():
        change.results.set_state(event_id, state, reason)
