"""The calibrations of a run: found in the case, learned from the evidence itself, and stored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from engine.case import CalibrationRow, Case, Change, NewCalibration, RunRow
from engine.core.channels import SCENE, TEXT
from engine.core.errors import BadInputError
from engine.core.times import Span, format_time
from engine.detectors.scene.observation import MotionBlock
from engine.detectors.scene.scene_calibration import SceneCalibration
from engine.detectors.scene.scene_learning import learn_scene
from engine.detectors.text.text_calibration import TextCalibration, learn_text
from engine.motion.analysis_plan import AnalysisPlan
from engine.motion.grid import Grid
from engine.pipeline.channels.raw_maps import Calibrations, RawMaps
from engine.pipeline.recipe import Recipe

_DECISIVE_SETTINGS = ("motion", "scene", "stride", "fps", "normal", "ignore", "interest")


@dataclass(frozen=True)
class KnownCalibrations:
    """Calibrations, and the ids of those that the case has already.

    Attributes:
        calibrations: of every channel that runs.
        ids: by channel.
    """

    calibrations: Calibrations
    ids: dict[str, int] = field(default_factory=dict)


def find_calibration(case: Case, recipe: Recipe, grid: Grid, channel: str) -> CalibrationRow | None:
    """Finds what was learned from the same normal footage for frames of the same size.

    A resumed run finds its own calibration that way, and another video of the same camera that of
    an earlier run.

    Args:
        case: holds the calibrations.
        recipe: of the run.
        grid: of the evidence.
        channel: `scene` or `text`.

    Returns:
        The newest one; None when it has to be learned.
    """
    decisive = _DECISIVE_SETTINGS + ((TEXT, "variant") if channel == TEXT else ())
    recipe_settings = recipe.as_json()
    for row, run in _normal_calibrations(case, channel):
        settings = json.loads(run.settings)
        streams = [row.stream for row in case.evidence.streams(run.evidence_id)]
        size = [(s.width, s.height) for s in streams if s.number == run.stream]
        same_size = size == [(grid.source_width, grid.source_height)]
        if same_size and all(settings.get(name) == recipe_settings.get(name) for name in decisive):
            return row
    return None


def _normal_calibrations(case: Case, channel: str) -> Iterator[tuple[CalibrationRow, RunRow]]:
    """Yields the calibrations from normal footage, newest first, with the runs that made them."""
    for row in case.calibrations.all(channel):
        if row.calibration.kind == "normal" and row.calibration.run_id is not None:
            yield row, case.runs.get(row.calibration.run_id)


def find_camera_calibration(case: Case, recipe: Recipe, grid: Grid) -> TextCalibration | None:
    """Finds a text calibration from the recipe's normal footage, with whatever prompts."""
    if recipe.text is None:
        return None
    for _, run in _normal_calibrations(case, TEXT):
        other = Recipe.from_json(json.loads(run.settings))
        if other.text and other.text.feature_settings() == recipe.text.feature_settings():
            same_prompts = replace(recipe, text=other.text, variant=other.variant)
            row = find_calibration(case, same_prompts, grid, TEXT)
            if row is not None:
                return TextCalibration.decode(row.calibration.body)
    return None


def find_normal_calibrations(case: Case, recipe: Recipe, grid: Grid) -> KnownCalibrations | None:
    """Finds the calibrations that were learned from the recipe's normal footage.

    Returns:
        The scene's calibration, and the text channel's when that runs and is known; None when
        the scene's has to be learned.
    """
    scene = find_calibration(case, recipe, grid, SCENE)
    if scene is None:
        return None
    text = find_calibration(case, recipe, grid, TEXT) if recipe.text is not None else None
    ids = {row.calibration.channel: row.id for row in (scene, text) if row is not None}
    known = Calibrations(
        SceneCalibration.decode(scene.calibration.body),
        None if text is None else TextCalibration.decode(text.calibration.body),
    )
    return KnownCalibrations(known, ids)


def learn_from_evidence(
    raw: RawMaps,
    source: dict[str, Any],
    recipe: Recipe,
    plan: AnalysisPlan,
    pack: TextCalibration | None = None,
    scene: SceneCalibration | None = None,
) -> Calibrations:
    """Calibrates on the evidence: on the spans marked normal, otherwise on all of it.

    Args:
        raw: the stored maps of all analysed frames.
        source: what the evidence is, for the record.
        recipe: of the run.
        plan: what was analysed.
        pack: the calibration of the pack by itself; None without the text channel.
        scene: learned from the same maps before; None learns it.
    """
    spans = recipe.normal_spans
    marked_spans = {"spans": [[span.start, span.end] for span in spans]} if spans else {}
    kind = "normal" if spans else "self"
    sources = ({**source, **marked_spans},)
    scene = scene or learn_scene(
        kind,
        [lambda: blocks_within(iter(raw.motion()), spans)],
        (plan.grid.rows, plan.grid.columns),
        plan.grid.cell,
        plan.rate,
        recipe.settings.scene,
        sources,
    )
    if raw.text is None or pack is None:
        return Calibrations(scene)
    text = learn_text(kind, (block.within(spans) for block in raw.text()), pack, sources)
    return Calibrations(scene, text)


def store_calibrations(
    change: Change,
    known: KnownCalibrations,
    kind: Literal["normal", "span", "self"],
    run_id: int,
    evidence_id: int,
) -> KnownCalibrations:
    """Stores what the case does not have yet, as final, and returns all with their ids."""
    bodies: dict[str, SceneCalibration | TextCalibration] = {SCENE: known.calibrations.scene}
    if known.calibrations.text is not None:
        bodies[TEXT] = known.calibrations.text
    ids = dict(known.ids)
    for channel, calibration in bodies.items():
        if channel in ids:
            continue
        ids[channel] = change.calibrations.add(
            NewCalibration(
                channel=channel,
                kind=kind,
                body=calibration.encode(),
                sources=json.dumps(list(calibration.sources)),
                run_id=run_id,
                evidence_id=evidence_id,
                final=True,
            )
        )
    return KnownCalibrations(known.calibrations, ids)


def blocks_within(blocks: Iterator[MotionBlock], spans: tuple[Span, ...]) -> Iterator[MotionBlock]:
    """Yields the parts of blocks that lie in the spans; everything when there are none."""
    for maps, seconds in blocks:
        if not spans:
            yield maps, seconds
            continue
        inside = np.any([(seconds >= span.start) & (seconds <= span.end) for span in spans], axis=0)
        edges = np.flatnonzero(np.diff(inside, prepend=False, append=False))
        for start, stop in edges.reshape(-1, 2).tolist():
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
