"""Learns motion rules for the scene channel: how fast marked targets move, how large they are."""

from __future__ import annotations

import numpy as np

from engine.case import Case
from engine.core.progress import CancelToken
from engine.detectors.scene.motion_rules import (
    MIN_ABNORMAL_SPEED,
    MotionRule,
    make_motion_rule,
    measure_motion,
)
from engine.detectors.scene.observation import Observer
from engine.few_shot.feature_reader import RunFeatures
from engine.few_shot.marked_cells import LocatedMark, MotionReader
from engine.pipeline.stored_maps import motion_blocks

# Share of the frames away from the marks that may hold similar motion before a rule is dropped; a
# choice (docs/teaching.md).
_RARE_SHARE = 0.02
_MARK_MARGIN_S = 2.0  # Frames within so many seconds of a mark show its target; a choice.
_MAX_CHUNKS = 12  # Chunks of a run that are examined for similar motion: bounds the time.


def learn_motion(
    case: Case,
    features: dict[int, RunFeatures],
    marks: list[LocatedMark],
    normal: bool,
    cancel: CancelToken,
) -> MotionRule | None:
    """Learns a motion rule from the marks of one name.

    Abnormal motion must be rare where it was marked: no rule is made when more than 2 % of the
    frames away from the marks hold similar motion.

    Args:
        case: the case that holds the runs.
        features: the runs by evidence.
        marks: the marks of the name.
        normal: whether the name is normal.
        cancel: is checked between chunks.

    Returns:
        None when nothing moves at the marks, or it moves as everything does.
    """
    motions, reader = [], MotionReader(case)
    chunk: tuple[int, int] | None = None
    for mark in marks:
        cancel.check()
        run = features[mark.mark.evidence_id]
        usual = run.calibrations.scene.usual_speed()
        if usual is None:
            continue
        maps, first = reader.around(run, mark.frame)
        if chunk != (run.run.id, first):
            chunk = (run.run.id, first)
            seconds = run.stored.plan.seconds[first : first + len(maps)]
            observation = _observer(run).observe(maps, seconds)
        motion = measure_motion(observation, mark.frame - first, mark.cells, usual)
        if motion is not None:
            motions.append(motion)
    if not motions:
        return None
    rule = make_motion_rule(normal, motions)
    if normal:
        return rule
    slowest = min(speed for speed, _ in motions)
    rare = slowest >= MIN_ABNORMAL_SPEED and _is_rare(case, features, marks, rule, cancel)
    return rule if rare else None


def _observer(run: RunFeatures) -> Observer:
    plan, settings = run.stored.plan, run.stored.settings
    return Observer(*run.grid, plan.grid.cell, settings.scene, plan.rate)


def _is_rare(
    case: Case,
    features: dict[int, RunFeatures],
    marks: list[LocatedMark],
    rule: MotionRule,
    cancel: CancelToken,
) -> bool:
    """Returns whether few frames away from the marks hold motion that the rule applies to."""
    matching = frames = 0
    for evidence_id, run in features.items():
        usual = run.calibrations.scene.usual_speed()
        if usual is None:
            continue
        marked = np.array(
            [mark.mark.seconds for mark in marks if mark.mark.evidence_id == evidence_id]
        )
        step = -(-run.stored.plan.chunks // _MAX_CHUNKS)
        observer = _observer(run)
        blocks = motion_blocks(case, run.run.id, run.stored.plan, cancel)
        for number, (maps, seconds) in enumerate(blocks):
            if number % step:
                continue
            fits = rule.matches(observer.observe(maps, seconds), usual).any((1, 2))
            away = np.ones(len(seconds), np.bool_)
            if len(marked):
                away = np.abs(seconds[:, None] - marked[None]).min(1) > _MARK_MARGIN_S
            matching += int((fits & away).sum())
            frames += int(away.sum())
    return matching <= _RARE_SHARE * max(1, frames)
