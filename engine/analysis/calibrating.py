"""Calibrations of a case: found again, learned from the evidence itself, stored."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from engine.analysis.plan import AnalysisPlan
from engine.analysis.recipe import Recipe
from engine.cases import Case, Change, NewCalibration
from engine.core.errors import BadInputError
from engine.core.times import Span, format_time
from engine.motion.grid import Grid
from engine.motion.maps import MotionMaps
from engine.scene.calibration import Calibration
from engine.scene.learning import calibrate

CHANNEL = "scene"

Block = tuple[MotionMaps, NDArray[np.float64]]
"""Raw maps of consecutive analysed frames and their stream times float64 [n]."""

_DECISIVE = ("motion", "scene", "stride", "fps", "normal", "ignore", "interest")


def find_calibration(case: Case, recipe: Recipe, grid: Grid) -> tuple[Calibration, int] | None:
    """Finds what was learned from the same normal footage for a picture of the same size.

    A resumed run finds its own that way, another video of the same camera the one of an earlier
    run.

    Returns:
        The calibration and its id; None when it has to be learned.
    """
    wanted = recipe.as_json()
    for row in case.calibrations.all(CHANNEL):
        run_id = row.calibration.run_id
        if row.calibration.kind != "normal" or run_id is None:
            continue
        run = case.runs.get(run_id)
        settings = json.loads(run.settings)
        streams = [one.stream for one in case.evidence.streams(run.evidence_id)]
        size = [(one.width, one.height) for one in streams if one.number == run.stream]
        same_size = size == [(grid.source_width, grid.source_height)]
        if same_size and all(settings.get(name) == wanted.get(name) for name in _DECISIVE):
            return Calibration.decode(row.calibration.body), row.id
    return None


def learn_own(
    blocks: Callable[[], Iterator[Block]],
    source: dict[str, Any],
    recipe: Recipe,
    plan: AnalysisPlan,
) -> Calibration:
    """Calibrates on the evidence: on the spans marked normal, otherwise on all of it.

    Args:
        blocks: gives the stored maps of all analysed frames in order.
        source: what the evidence is, for the record.
        recipe: of the run.
        plan: what was analysed.
    """
    spans = recipe.normal_spans
    marked = {"spans": [[span.start, span.end] for span in spans]} if spans else {}
    return calibrate(
        "normal" if spans else "self",
        [lambda: blocks_within(blocks(), spans)],
        (plan.grid.rows, plan.grid.columns),
        plan.grid.cell,
        plan.rate,
        recipe.settings.scene,
        ({**source, **marked},),
    )


def store_calibration(
    change: Change,
    calibration: Calibration,
    kind: Literal["normal", "span", "self"],
    run_id: int,
    evidence_id: int,
) -> int:
    """Stores a final calibration and returns its id."""
    return change.calibrations.add(
        NewCalibration(
            channel=CHANNEL,
            kind=kind,
            body=calibration.encode(),
            sources=json.dumps(list(calibration.sources)),
            run_id=run_id,
            evidence_id=evidence_id,
            final=True,
        )
    )


def blocks_within(blocks: Iterator[Block], spans: tuple[Span, ...]) -> Iterator[Block]:
    """Yields the parts of blocks that lie in the spans; everything when there are none."""
    for maps, seconds in blocks:
        if not spans:
            yield maps, seconds
            continue
        inside = np.any([(seconds >= span.start) & (seconds <= span.end) for span in spans], axis=0)
        borders = np.flatnonzero(np.diff(inside, prepend=False, append=False))
        for start, stop in borders.reshape(-1, 2).tolist():
            yield maps.part(start, stop), seconds[start:stop]


def check_spans(spans: tuple[Span, ...], plan: AnalysisPlan) -> None:
    """Makes sure that each span marked normal holds footage.

    Raises:
        BadInputError: one lies beyond the footage.
    """
    for span in spans:
        if not np.any((plan.seconds >= span.start) & (plan.seconds <= span.end)):
            raise BadInputError(
                "no analysed frame lies in the span marked normal",
                span,
                f"the footage ends at {format_time(float(plan.seconds[-1]))}",
            )
