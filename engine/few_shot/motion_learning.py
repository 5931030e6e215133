"""What the scene channel learns from marks: how the marked targets move and how large they are."""

from __future__ import annotations

import numpy as np

from engine.case import Case
from engine.core.progress import CancelToken
from engine.detectors.scene.motion_rules import LEAST_SPEED, TaughtMotion, motion_at, taught_motion
from engine.detectors.scene.observation import Observer
from engine.few_shot.feature_reader import Footage
from engine.few_shot.marked_cells import MotionReader, Place
from engine.pipeline.stored_maps import motion_blocks

_RARE = 0.02
_BESIDE_S = 2.0
_MOST_CHUNKS = 12


def learn_motion(
    case: Case,
    footages: dict[int, Footage],
    places: list[Place],
    normal: bool,
    cancel: CancelToken,
) -> TaughtMotion | None:
    """Learns the motion of the targets marked under one name.

    Motion taught as abnormal must be rare where it was marked: it is left out when more than 2 %
    of the frames away from the marks hold something alike.

    Args:
        case: holds the runs.
        footages: by evidence.
        places: the marks of one name.
        normal: whether they are normal.
        cancel: looked at between chunks.

    Returns:
        None when nothing moves at the marks, or it moves as everything does.
    """
    seen, reader = [], MotionReader(case)
    chunk: tuple[int, int] | None = None
    for place in places:
        cancel.check()
        footage = footages[place.mark.evidence_id]
        usual = footage.calibrations.scene.usual_speed()
        if usual is None:
            continue
        maps, first = reader.around(footage, place.frame)
        if chunk != (footage.run.id, first):
            chunk = (footage.run.id, first)
            seconds = footage.stored.plan.seconds[first : first + len(maps)]
            observed = _observer(footage).observe(maps, seconds)
        found = motion_at(observed, place.frame - first, place.cells, usual)
        if found is not None:
            seen.append(found)
    if not seen:
        return None
    lesson = taught_motion(normal, seen)
    if normal:
        return lesson
    slowest = min(speed for speed, _ in seen)
    rare = slowest >= LEAST_SPEED and _is_rare(case, footages, places, lesson, cancel)
    return lesson if rare else None


def _observer(footage: Footage) -> Observer:
    plan, settings = footage.stored.plan, footage.stored.settings
    return Observer(*footage.grid, plan.grid.cell, settings.scene, plan.rate)


def _is_rare(
    case: Case,
    footages: dict[int, Footage],
    places: list[Place],
    lesson: TaughtMotion,
    cancel: CancelToken,
) -> bool:
    alike = frames = 0
    for evidence_id, footage in footages.items():
        usual = footage.calibrations.scene.usual_speed()
        if usual is None:
            continue
        marked = np.array(
            [one.mark.seconds for one in places if one.mark.evidence_id == evidence_id]
        )
        step = -(-footage.stored.plan.chunks // _MOST_CHUNKS)
        observer = _observer(footage)
        blocks = motion_blocks(case, footage.run.id, footage.stored.plan, cancel)
        for number, (maps, seconds) in enumerate(blocks):
            if number % step:
                continue
            fits = lesson.alike(observer.observe(maps, seconds), usual).any((1, 2))
            away = np.ones(len(seconds), np.bool_)
            if len(marked):
                away = np.abs(seconds[:, None] - marked[None]).min(1) > _BESIDE_S
            alike += int((fits & away).sum())
            frames += int(away.sum())
    return alike <= _RARE * max(1, frames)
