"""What a run says about a span: its heat at chosen frames, its leading channel, its score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.case import Case, EvidenceRow, RunRow
from engine.core.errors import BadInputError, SightlineError
from engine.core.progress import CancelToken, ProgressCallback, silent

SCENE, TEXT, FUSED = "scene", "text", "fused"
_ORDER = (FUSED, TEXT, SCENE)
LIMIT = 0.5
"""Calibrated score at the limit of the usual."""


def leading_channel(case: Case, run: RunRow) -> str:
    """Names the channel that a dialogue is conditioned on: the fused one where there is one.

    Raises:
        BadInputError: the run keeps no heatmaps, because an older version made it.
    """
    kept = case.results.heat_channels(run.id)
    for name in _ORDER:
        if name in kept:
            return name
    raise BadInputError("a run without heatmaps", f"run {run.id}", "analyse again with --fresh")


def heat_at(case: Case, run: RunRow, channel: str, frames: Sequence[int]) -> NDArray[np.float32]:
    """Returns calibrated heatmaps, float32 [n, R, C], 0..1, of the analysed frames at or before.

    Raises:
        BadInputError: the run keeps none for a frame.
    """
    out = []
    for frame in frames:
        block = case.results.heat(run.id, channel, frame)
        if block is None:
            raise BadInputError(f"no heatmap at frame {frame}", f"run {run.id}", "analyse again")
        out.append(block.at(frame).astype(np.float32) / 255)
    return np.stack(out)


def peak_score(case: Case, run: RunRow, channel: str, first: int, last: int) -> float:
    """Returns the largest calibrated score of a span, 0..1."""
    scores = case.results.scores(run.id, channel)[first : last + 1]
    return float(scores.max(initial=0.0))


def run_for(
    case: Case,
    evidence: EvidenceRow,
    pack: str | None,
    cancel: CancelToken | None = None,
    progress: ProgressCallback = silent,
    normal: Sequence[Path] = (),
) -> RunRow:
    """Returns the current run of evidence; analyses it first where there is none.

    Args:
        case: open for writing.
        evidence: of the case.
        pack: whose text channel joins the scene channel in an analysis; None leaves it out.
        cancel: looked at between frames.
        progress: told how far the analysis is.
        normal: footage of its camera known as normal, which an analysis learns from.

    Raises:
        BadInputError: it changed since it was added, or cannot be opened.
        CancelledError: it was asked to stop; what was committed is kept.
    """
    current = case.runs.current(evidence.id)
    if current is not None:
        return current
    from engine.core.settings import AnalysisSettings
    from engine.pipeline.calibration.normal_footage import hash_normal
    from engine.pipeline.evidence_intake import add_evidence
    from engine.pipeline.recipe import Recipe
    from engine.pipeline.run import Resuming, Run

    learnt = tuple(hash_normal(normal, cancel or CancelToken()))
    settings, asked, text = AnalysisSettings(), None, None
    if pack is not None:
        from engine.detectors.text.text_detector import open_text
        from engine.detectors.text.text_model import text_recipe

        settings = replace(settings, channels=(SCENE, TEXT))
        asked = text_recipe(pack, None, "auto")
        text = open_text(case.cache, asked)
    recipe = Recipe(settings, learnt, text=asked)
    row, source = add_evidence(
        case, case.evidence_path(evidence), fps=evidence.fps, cancel=cancel, progress=progress
    )
    with source:
        run = Run(case, row, source, recipe, text=text, cancel=cancel, progress=progress)
        return run.execute(Resuming(finished=False, unfinished=True))


def known_pack(name: str) -> str | None:
    """Returns the name of a pack that is there, sound and complete; None otherwise."""
    from engine.packs.pack import find_pack

    try:
        return None if find_pack(name).missing_base else name
    except SightlineError:
        return None
