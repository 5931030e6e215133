"""Learns one direction a name from the traits of marked cells, against all else and a replay.

The direction is the linear discriminant of the marked cells against everything that is not
marked: `w = S^-1 (m - m0)`, with mean m0 and covariance S of the unmarked cells of the footage
together with the pack's rendered sample (an exemplar LDA: Hariharan, Malik and Ramanan, ECCV
2012). What it answers is cut off where all but a few of those cells lie, so that nothing else
moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.analysis.text.model import ABNORMAL, BACKGROUND, NORMAL, ReplaySample

_SHRINKAGE = 0.1
_QUIET_HERE, _QUIET_REPLAY = 0.98, 0.999
_FULL, _FULLEST = 0.5, 0.8
_LEAST_RISE = 1e-3

Cells = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Lesson:
    """What was marked under one name.

    Attributes:
        normal: whether it is normal.
        marks: float32 [k, M] each, the traits of the cells of every mark.
    """

    normal: bool
    marks: tuple[Cells, ...]


@dataclass(frozen=True, eq=False)
class Direction:
    """A learned direction: `weight . trait - offset` is 0 at the border and 1 at what was marked.

    Attributes:
        weight: float32 [M].
        offset: the constant.
    """

    weight: NDArray[np.float32]
    offset: float


def learn_direction(
    lesson: Lesson, others: Sequence[Lesson], unmarked: Cells, replay: ReplaySample | None
) -> Direction | None:
    """Learns the direction of one name.

    Args:
        lesson: what was marked under the name.
        others: the lessons of other names; those of the other kind must not be moved.
        unmarked: float32 [n, M], unmarked cells of the same footage.
        replay: the pack's rendered sample; None when it has none.

    Returns:
        None when the marked cells cannot be told from what they must be told from.
    """
    elsewhere = _kept_elsewhere(lesson, replay)
    here = _kept_here(lesson, others, unmarked, alone=not elsewhere)
    weight = discriminant(lesson.marks, np.concatenate([unmarked, *here, *elsewhere]))
    answers = np.concatenate([one @ weight for one in lesson.marks])
    cuts = [np.quantile(one @ weight, _QUIET_HERE) for one in here]
    cuts += [np.quantile(one @ weight, _QUIET_REPLAY) for one in elsewhere]
    cut = float(max(cuts))
    for share in (_FULL, _FULLEST):
        rise = float(np.quantile(answers, share)) - cut
        if rise > _LEAST_RISE * float(np.abs(answers).max() + 1e-9):
            return Direction((weight / rise).astype(np.float32), cut / rise)
    return None


def discriminant(marks: Sequence[Cells], rest: Cells) -> NDArray[np.float64]:
    """Returns the linear discriminant of marked cells, each mark counting once: float64 [M].

    Args:
        marks: float32 [k, M] each.
        rest: float32 [n, M], what they are told from.
    """
    mean = np.mean([one.mean(0, dtype=np.float64) for one in marks], axis=0)
    centre = rest.mean(0, dtype=np.float64)
    spread = np.cov(rest.T.astype(np.float64))
    spread[np.diag_indices_from(spread)] += _SHRINKAGE * spread.diagonal().mean() + 1e-12
    return np.asarray(np.linalg.solve(spread, mean - centre), np.float64)


def _kept_here(
    lesson: Lesson, others: Sequence[Lesson], unmarked: Cells, alone: bool
) -> list[Cells]:
    """Returns what a direction must leave alone in the footage that was marked.

    The unmarked cells hold the target as well, in the frames that nobody marked. Something normal
    may be quieted wherever it is met, unless nothing else says what must stay.
    """
    kept = [unmarked] if alone or not lesson.normal else []
    return kept + [np.concatenate(other.marks) for other in others if other.normal != lesson.normal]


def _kept_elsewhere(lesson: Lesson, replay: ReplaySample | None) -> list[Cells]:
    """Returns what a direction must leave alone in the rendered sample; empty groups not."""
    if replay is None:
        return []
    groups = (ABNORMAL,) if lesson.normal else (BACKGROUND, NORMAL)
    parts = [replay.of(group) for group in groups]
    return [one for one in parts if len(one)]
