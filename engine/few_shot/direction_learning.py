"""Learns one direction a name from the traits of marked cells, against all else and a replay.

The direction is the linear discriminant of the marked cells against everything that is not
marked: `w = S^-1 (m - m0)`, with mean m0 and covariance S of the unmarked cells of the footage
together with what is usual in the pack's rendered sample (an exemplar LDA: Hariharan, Malik and
Ramanan, ECCV 2012). Of an abnormal name its answer is cut off where all but a few of those cells
lie, so that nothing else moves. A normal name reaches farther, a fifth of the way from everything
else to the marks, because only the prompts that spoke of what was marked fall silent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.detectors.text.text_model import BACKGROUND, NORMAL, ReplaySample

_SHRINKAGE = 0.1
_QUIET_HERE, _QUIET_REPLAY = 0.98, 0.999
_ALIKE, _THE_SAME = 0.2, 0.45
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
    against = [np.concatenate(one.marks) for one in others if one.normal != lesson.normal]
    sample = {} if replay is None else {group: replay.of(group) for group in (BACKGROUND, NORMAL)}
    usual = {group: cells for group, cells in sample.items() if len(cells)}
    rest = np.concatenate([unmarked, *against, *usual.values()])
    weight = discriminant(lesson.marks, rest)
    answers = np.concatenate([one @ weight for one in lesson.marks])
    cuts = [float(np.quantile(one @ weight, _QUIET_HERE)) for one in against]
    tops = [float(np.quantile(answers, share)) for share in (_FULL, _FULLEST)]
    if lesson.normal:
        centre = float(rest.mean(0, dtype=np.float64) @ weight)
        way = float(np.mean([one.mean(0, dtype=np.float64) @ weight for one in lesson.marks]))
        cuts.append(centre + _ALIKE * (way - centre))
        if NORMAL in usual:
            # What looks like ordinary people needs no silence, and their prompts are needed.
            cuts.append(float(np.quantile(usual[NORMAL] @ weight, _QUIET_HERE)))
        tops.insert(0, centre + _THE_SAME * (way - centre))
    else:
        cuts.append(float(np.quantile(unmarked @ weight, _QUIET_HERE)))
        cuts += [float(np.quantile(one @ weight, _QUIET_REPLAY)) for one in usual.values()]
    cut = max(cuts)
    for top in tops:
        if top - cut > _LEAST_RISE * float(np.abs(answers).max() + 1e-9):
            return Direction((weight / (top - cut)).astype(np.float32), cut / (top - cut))
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
