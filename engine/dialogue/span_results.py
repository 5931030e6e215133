"""The results of a run that a dialogue reads: channel, heatmaps at chosen frames, peak score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.case import Case, EvidenceRow, RunRow
from engine.core.channels import CHANNELS, FUSED, SCENE, TEXT
from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, ProgressCallback, silent
from engine.packs.pack import Pack

USUAL_LIMIT = 0.5
"""The calibrated score at the limit of what is usual; calibration is made so that it lies here."""


def dialogue_channel(case: Case, run: RunRow) -> str:
    """Returns the channel that a dialogue is conditioned on: the fused one where there is one.

    Raises:
        BadInputError: no heatmaps of the run are stored, because an older version made it.
    """
    stored = case.results.heat_channels(run.id)
    for name in (FUSED, *reversed(CHANNELS)):
        if name in stored:
            return name
    raise BadInputError("a run without heatmaps", f"run {run.id}", "analyse again with --fresh")


def heatmaps_at(
    case: Case, run: RunRow, channel: str, frames: Sequence[int]
) -> NDArray[np.float32]:
    """Returns calibrated heatmaps: for each frame that of the last analysed frame up to it.

    Returns:
        float32 [n, R, C], 0..1.

    Raises:
        BadInputError: no heatmap of a frame is stored.
    """
    heatmaps = []
    for frame in frames:
        block = case.results.heat(run.id, channel, frame)
        if block is None:
            raise BadInputError(f"no heatmap at frame {frame}", f"run {run.id}", "analyse again")
        heatmaps.append(block.at(frame).astype(np.float32) / 255)
    return np.stack(heatmaps)


def peak_score(case: Case, run: RunRow, channel: str, first: int, last: int) -> float:
    """Returns the largest calibrated score of a span, 0..1."""
    scores = case.results.scores(run.id, channel)[first : last + 1]
    return float(scores.max(initial=0.0))


def current_or_new_run(
    case: Case,
    evidence: EvidenceRow,
    pack: Pack | None,
    cancel: CancelToken | None = None,
    progress: ProgressCallback = silent,
    normal: Sequence[Path] = (),
) -> RunRow:
    """Returns the current run of evidence; analyses it first where there is none.

    Args:
        case: open for writing.
        evidence: a piece of evidence of the case.
        pack: the pack whose text channel an analysis uses beside the scene channel; None for the
            scene channel alone.
        cancel: is checked between frames.
        progress: is called with the progress of the analysis.
        normal: normal footage of the camera, which an analysis is calibrated with.

    Raises:
        BadInputError: the evidence changed since it was added, or cannot be opened.
        CancelledError: the analysis was stopped; what was committed is kept.
    """
    current = case.runs.current(evidence.id)
    if current is not None:
        return current
    from engine.core.settings import AnalysisSettings
    from engine.pipeline.evidence_intake import add_evidence
    from engine.pipeline.normal_footage import hash_normal_footage
    from engine.pipeline.recipe import Recipe
    from engine.pipeline.run import AnalysisRun, Resuming

    normal_footage = tuple(hash_normal_footage(normal, cancel or CancelToken()))
    settings, text_settings, detector = AnalysisSettings(), None, None
    if pack is not None:
        from engine.detectors.text.text_detector import open_text
        from engine.detectors.text.text_setup import make_text_recipe

        settings = replace(settings, channels=(SCENE, TEXT))
        text_settings = make_text_recipe(pack, None, "auto")
        detector = open_text(case.cache_folder, text_settings, pack=pack)
    recipe = Recipe(settings, normal_footage, text=text_settings)
    row, source = add_evidence(
        case, case.evidence_path(evidence), fps=evidence.fps, cancel=cancel, progress=progress
    )
    with source:
        run = AnalysisRun(
            case, row, source, recipe, text=detector, cancel=cancel, progress=progress
        )
        return run.execute(Resuming(finished=False, unfinished=True))
