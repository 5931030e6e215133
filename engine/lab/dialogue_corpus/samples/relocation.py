"""Where a map says that its target is, and the same target somewhere else in the picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.core.directions import cell_name
from engine.dialogue.leading_target import Heat, spots_of
from engine.lab.dialogue_corpus.wording import Truth


def ends(heat: Heat) -> tuple[str, str] | None:
    """Names the cells in which a map's target begins and ends.

    Args:
        heat: float32 [n, R, C] of one target.

    Returns:
        The cells of *from* and *to*; None where the first or the last step is cold.
    """
    found = [max(spots_of(one), key=lambda spot: spot.mass, default=None) for one in heat[[0, -1]]]
    rows, columns = heat.shape[1:]
    cells = [cell_name(*one.centre, columns, rows) for one in found if one is not None]
    return (cells[0], cells[1]) if len(cells) == 2 else None


def placed_anew(
    heat: Heat, true: Heat, truth: Truth, rng: np.random.Generator
) -> tuple[Heat, Truth]:
    """Moves a target as a whole to another part of the picture, its way with it.

    What it looks like and does stays true, so that places are learnt from maps and not from looks.

    Args:
        heat: float32 [n, R, C], the map to move.
        true: float32 [n, R, C], that of a perfect detector, which stays inside.
        truth: what is true of it.
        rng: draws where to.

    Returns:
        The moved map and its truth; both as they were where the target is not seen to the end.
    """
    if truth.said or ends(true) is None:
        return heat, truth
    rows, columns = (np.flatnonzero((true > 0).any(axis)) for axis in ((0, 2), (0, 1)))
    down = int(rng.integers(-rows[0], true.shape[1] - rows[-1]))
    across = int(rng.integers(-columns[0], true.shape[2] - columns[-1]))
    places = ends(_shifted(true, down, across))
    if places is None:
        return heat, truth
    moved = replace(truth, from_cell=places[0], to_cell=places[1])
    return _shifted(heat, down, across), moved


def seen_in_part(heat: Heat, truth: Truth, rng: np.random.Generator) -> tuple[Heat, Truth]:
    """Leaves evidence in some steps only, and says from where to where it is seen.

    A detector notices many a target for a part of its way; what is cold before and after is then
    no sign that nothing happened.

    Args:
        heat: float32 [n, R, C] of one target.
        truth: what is true of it.
        rng: draws which steps.
    """
    count = int(rng.integers(1, len(heat)))
    first = int(rng.integers(0, len(heat) - count + 1))
    places = ends(heat[first : first + count])
    if truth.said or places is None:
        return heat, truth
    out = np.zeros_like(heat)
    out[first : first + count] = heat[first : first + count]
    return out, replace(truth, from_cell=places[0], to_cell=places[1])


def _shifted(heat: Heat, down: int, across: int) -> Heat:
    """Moves maps by whole cells; what comes in from outside is cold."""
    out = np.zeros_like(heat)
    rows, columns = heat.shape[1:]
    inside = [
        (slice(max(0, by), size + min(0, by)), slice(max(0, -by), size - max(0, by)))
        for by, size in ((down, rows), (across, columns))
    ]
    (to_rows, from_rows), (to_columns, from_columns) = inside
    out[:, to_rows, to_columns] = heat[:, from_rows, from_columns]
    return out
