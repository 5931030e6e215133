"""Learns anew what is usual and derives results again, from stored maps, without decoding."""

from __future__ import annotations

import json
from dataclasses import replace

from engine.case import Case, Change, DerivationRow, EventRow, EventState, RunRow
from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, ProgressCallback, silent
from engine.core.times import Span
from engine.detectors.text.text_calibration import TextCalibration
from engine.pipeline.calibration.run_calibrations import (
    KnownCalibrations,
    check_spans,
    find_normal,
    learn_own,
    store_calibrations,
)
from engine.pipeline.fusion import TEXT
from engine.pipeline.heat_spool import HeatSpool
from engine.pipeline.recipe import Recipe, recipe_of
from engine.pipeline.region_mask import PictureParts
from engine.pipeline.results import derive
from engine.pipeline.scoring import RawMaps
from engine.pipeline.stored_maps import stored_maps
from engine.pipeline.stored_run import StoredRun, stored_run
from engine.pipeline.variant import motion_of, taught_of

_SAME_SHARE = 0.5


def recalibrate(
    case: Case,
    run_id: int,
    normal_spans: tuple[Span, ...],
    parts: PictureParts,
    cancel: CancelToken | None = None,
    progress: ProgressCallback = silent,
) -> DerivationRow:
    """Derives the results of a finished run again.

    What the examiner made of an event goes over to the new event that covers the same time.

    Args:
        case: open for writing.
        run_id: the run.
        normal_spans: spans of the evidence marked normal; with none, the run's own calibration.
        parts: which parts of the picture count.
        cancel: looked at between blocks.
        progress: told the frames done.

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
    recipe = replace(own, normal_spans=normal_spans or own.normal_spans, parts=parts)
    if normal_spans:
        recipe = replace(recipe, normal=())
    stored = stored_run(case, run)
    check_spans(recipe.normal_spans, stored.plan)
    token = cancel or CancelToken()
    raw = stored_maps(case, run_id, stored.plan, recipe, token)
    known = _calibrations(case, stored, own, recipe, raw)
    heat = HeatSpool(stored.plan)
    results = derive(
        raw,
        replace(known.calibrations, taught=motion_of(taught_of(case, own))),
        stored.plan,
        recipe.settings,
        recipe.prompts,
        token,
        progress,
        see=heat.add,
    )
    before = case.results.events(run_id)
    with case.change() as change:
        known = store_calibrations(change, known, recipe.calibration, run_id, run.evidence_id)
        derivation_id = change.results.replace(
            run_id,
            scores=results.scores,
            regions=results.regions,
            trajectories=results.trajectories,
            events=results.events,
            calibrations=list(known.ids.values()),
            heat=heat.blocks(),
            settings=recipe.changes(own),
        )
        _carry_over(change, run_id, before)
    return next(one for one in case.results.derivations(run_id) if one.id == derivation_id)


def replay(
    case: Case,
    run: RunRow,
    derivation: DerivationRow | None,
    cancel: CancelToken,
    progress: ProgressCallback,
) -> None:
    """Recalibrates a run as another run's results were derived; nothing when plainly derived."""
    if derivation is None or derivation.settings is None:
        return
    recipe = recipe_of(run, derivation)
    spans = tuple(Span(*one) for one in json.loads(derivation.settings)["normal_spans"])
    recalibrate(case, run.id, spans, recipe.parts, cancel, progress)


def _calibrations(
    case: Case, stored: StoredRun, own: Recipe, recipe: Recipe, raw: RawMaps
) -> KnownCalibrations:
    """Returns the calibrations to derive with, some of which the case may have already."""
    if recipe.calibration == "normal":
        known = find_normal(case, own, stored.plan.grid)
        if known is None or (raw.text is not None and known.calibrations.text is None):
            raise BadInputError(
                "the calibration from normal footage is missing", case.path, "analyse again"
            )
        return known
    evidence = case.evidence.get(stored.run.evidence_id)
    source = {"path": evidence.path, "sha256": evidence.sha256}
    pack = _pack_calibration(case, stored) if raw.text is not None else None
    return KnownCalibrations(learn_own(raw, source, recipe, stored.plan, pack))


def _pack_calibration(case: Case, stored: StoredRun) -> TextCalibration:
    """Returns what the run's pack says by itself, from the calibration its results rest on."""
    derivation = case.results.current(stored.run.id)
    for number in derivation.calibrations if derivation else ():
        calibration = case.calibrations.get(number).calibration
        if calibration.channel == TEXT:
            return TextCalibration.decode(calibration.body).pack()
    raise BadInputError("the text channel was never calibrated", case.path, "analyse again")


def _carry_over(change: Change, run_id: int, before: tuple[EventRow, ...]) -> None:
    """Gives new events of a run the states of old ones over the same time."""
    found: dict[int, tuple[EventState, str | None]] = {}
    judged = [row for row in before if row.state != "unseen"]
    for new in change.results.events(run_id):
        for old in judged:
            first = max(new.event.first_frame, old.event.first_frame)
            last = min(new.event.last_frame, old.event.last_frame)
            whole = max(new.event.last_frame, old.event.last_frame) - min(
                new.event.first_frame, old.event.first_frame
            )
            if last - first + 1 >= _SAME_SHARE * (whole + 1):
                found[new.id] = old.state, old.state_reason
    for event_id, (state, reason) in found.items():
        change.results.set_state(event_id, state, reason)
