"""Reruns an analysis from its stored recipe and compares the results."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np

from engine.case import Case, RunRow
from engine.core.channels import SCENE
from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, ProgressCallback, silent
from engine.detectors.text.text_detector import open_text
from engine.media import hash_evidence, open_source
from engine.pipeline.evidence_intake import check_unchanged
from engine.pipeline.recalibration import repeat_recalibration
from engine.pipeline.recipe import Recipe
from engine.pipeline.run import AnalysisRun, Resuming
from engine.pipeline.variant import variant_weights


def rerun(
    case: Case, run_id: int, cancel: CancelToken | None = None, progress: ProgressCallback = silent
) -> tuple[RunRow, list[str]]:
    """Repeats a finished run as a new one.

    Args:
        case: open for writing.
        run_id: the run to repeat.
        cancel: looked at between chunks.
        progress: is given how far the work is.

    Returns:
        The new run, and the names of what differs; none when both are the same bit for bit.

    Raises:
        BadInputError: the run has not finished, or evidence or normal footage changed since.
        CancelledError: the user stopped.
    """
    token = cancel or CancelToken()
    old = case.runs.get(run_id)
    if old.state != "finished":
        raise BadInputError(f"run {run_id} has not finished", case.path, "resume it first")
    recipe = Recipe.from_json(json.loads(old.settings))
    for piece in recipe.normal:
        if hash_evidence(piece.path, cancel=token)["sha256"] != piece.sha256:
            raise BadInputError("normal footage changed since the run", piece.path, "restore it")
    evidence = case.evidence.get(old.evidence_id)
    path = case.evidence_path(evidence)
    check_unchanged(case, evidence, hash_evidence(path, cancel=token, progress=progress)["sha256"])
    with open_source(path, stream=old.stream, fps=evidence.fps, cancel=token) as source:
        text = open_text(None, recipe.text, variant_weights(case, recipe).decoder)
        run = AnalysisRun(
            case, evidence, source, recipe, text=text, cancel=token, progress=progress
        )
        new = run.execute(Resuming(finished=False, unfinished=False, relearn=True))
    repeat_recalibration(case, new, case.results.current(run_id), token, progress)
    return new, list(_differences(case, old.id, new.id))


def _differences(case: Case, old: int, new: int) -> Iterator[str]:
    for channel in case.chunks.channels(old):
        maps = [[chunk.raw for chunk in case.chunks.stream(run, channel)] for run in (old, new)]
        if maps[0] != maps[1]:
            yield "maps" if channel == SCENE else f"{channel} maps"
    for channel in case.results.channels(old):
        before, after = (case.results.scores(run, channel) for run in (old, new))
        if not np.array_equal(before, after):
            yield f"{channel} scores"
    events = [[row.event for row in case.results.events(run)] for run in (old, new)]
    if events[0] != events[1]:
        yield "events"
    if _regions(case, old) != _regions(case, new):
        yield "regions"
    trajectories = [
        [row.trajectory for row in case.results.trajectories(run)] for run in (old, new)
    ]
    same = len(trajectories[0]) == len(trajectories[1]) and all(
        np.array_equal(first.frames, second.frames)
        and np.array_equal(first.boxes, second.boxes)
        and np.array_equal(first.scores, second.scores)
        for first, second in zip(*trajectories, strict=True)
    )
    if not same:
        yield "trajectories"


def _regions(case: Case, run: int) -> list[tuple[object, ...]]:
    regions = (row.region for row in case.results.regions(run))
    return [(r.frame, r.box, r.score, r.trajectory, r.mask.tobytes()) for r in regions]
