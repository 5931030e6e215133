"""Where a heatmap shows its target, and the same target moved to another part of the frame."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.core.geometry import cell_name
from engine.dialogue.leading_target import HeatArray, find_hot_regions
from engine.lab.dialogue_corpus.wording import SpanTruth


def end_cells(heat: HeatArray) -> tuple[str, str] | None:
    """Names the cells in which the target of a heatmap begins and ends.

    Args:
        heat: float32 [n, R, C], the heatmaps of one target.

    Returns:
        The cells of *from* and *to*; None where the first or the last step is cold.
    """
    regions = [
        max(find_hot_regions(step_heat), key=lambda region: region.mass, default=None)
        for step_heat in heat[[0, -1]]
    ]
    rows, columns = heat.shape[1:]
    cells = [cell_name(*region.centre, columns, rows) for region in regions if region is not None]
    return (cells[0], cells[1]) if len(cells) == 2 else None


def relocate(
    heat: HeatArray, true: HeatArray, truth: SpanTruth, rng: np.random.Generator
) -> tuple[HeatArray, SpanTruth]:
    """Moves a target with its whole trajectory to another part of the frame.

    What it looks like and does stays true, so that a language model learns cells from heatmaps and
    not from appearances.

    Args:
        heat: float32 [n, R, C], the heatmaps to move.
        true: float32 [n, R, C], those of a perfect detector; they stay inside the frame.
        truth: what is true of the span.
        rng: draws where the target is moved to.

    Returns:
        The moved heatmaps and their truth; both unchanged where the first or the last step of
        `true` is cold.
    """
    if truth.corrected_answers or end_cells(true) is None:
        return heat, truth
    rows, columns = (np.flatnonzero((true > 0).any(axis)) for axis in ((0, 2), (0, 1)))
    down = int(rng.integers(-rows[0], true.shape[1] - rows[-1]))
    across = int(rng.integers(-columns[0], true.shape[2] - columns[-1]))
    cells = end_cells(_shift(true, down, across))
    if cells is None:
        return heat, truth
    return _shift(heat, down, across), replace(truth, from_cell=cells[0], to_cell=cells[1])


def keep_some_steps(
    heat: HeatArray, truth: SpanTruth, rng: np.random.Generator
) -> tuple[HeatArray, SpanTruth]:
    """Leaves heat in some steps only; the truth then tells where the target is in those.

    A detector often notices a target for a part of its trajectory; cold steps before and after are
    then no sign that nothing happened.

    Args:
        heat: float32 [n, R, C], the heatmaps of one target.
        truth: what is true of the span.
        rng: draws which steps stay.
    """
    count = int(rng.integers(1, len(heat)))
    first = int(rng.integers(0, len(heat) - count + 1))
    cells = end_cells(heat[first : first + count])
    if truth.corrected_answers or cells is None:
        return heat, truth
    reduced = np.zeros_like(heat)
    reduced[first : first + count] = heat[first : first + count]
    return reduced, replace(truth, from_cell=cells[0], to_cell=cells[1])


def _shift(heat: HeatArray, down: int, across: int) -> HeatArray:
    """Moves heatmaps by whole cells; what comes in from outside is cold."""
    moved = np.zeros_like(heat)
    rows, columns = heat.shape[1:]
    slices = [
        (slice(max(0, by), size + min(0, by)), slice(max(0, -by), size - max(0, by)))
        for by, size in ((down, rows), (across, columns))
    ]
    (to_rows, from_rows), (to_columns, from_columns) = slices
    moved[:, to_rows, to_columns] = heat[:, from_rows, from_columns]
    return moved
