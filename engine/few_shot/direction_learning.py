"""Learns one direction for each name from the cell features of its marks.

The direction is the linear discriminant of the marked cells against everything that is not
marked: `w = S^-1 (m - m0)`, with mean m0 and covariance S of the unmarked cells of the footage
together with what is usual in the replay sample of the pack (an exemplar LDA: Hariharan, Malik and
Ramanan, ECCV 2012). The score of an abnormal name is cut off above all but a few of those cells, so
that nothing else moves. A normal name reaches farther, from a fifth of the way between everything
else and the marks, because it only silences the prompts that responded to the marks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.detectors.text.text_model import BACKGROUND, NORMAL, ReplaySample

# What is measured of these numbers stands in docs/experiments/few-shot-teaching.md.
_SHRINKAGE = 0.1  # Of the mean variance, added to every one; 0.1 to 10 made no difference.
_UNMARKED_SHARE = 0.98  # Share of the unmarked cells of the footage that score 0 or less.
_REPLAY_SHARE = 0.999  # Likewise of the replay sample; 0.98 lowered AUC by 0.029.
# A normal name scores 0 and 1 at these shares of the way from everything else to the marks. A
# choice; with it 56 % of the alarms of a declared kind end on rendered cameras.
_NORMAL_START, _NORMAL_END = 0.2, 0.45
# Quantile of the scores of the marked cells that becomes 1; the second where the first lies below
# the cut. A choice.
_FULL_QUANTILES = (0.5, 0.8)
_MIN_RISE = 1e-3  # From cut to full score, as a share of the largest score: bounds rounding errors.

CellFeatures = NDArray[np.float32]
"""Features of n cells, float32 [n, M]."""


@dataclass(frozen=True, eq=False)
class MarkedFeatures:
    """The cell features of everything that was marked under one name.

    Attributes:
        normal: whether the name is normal.
        marks: float32 [k, M] each, the features of the cells of every mark.
    """

    normal: bool
    marks: tuple[CellFeatures, ...]


@dataclass(frozen=True, eq=False)
class FeatureDirection:
    """A learned direction: `weight . features - offset` is 0 at the cut and 1 at the marks.

    Attributes:
        weight: float32 [M].
        offset: the constant.
    """

    weight: NDArray[np.float32]
    offset: float


def learn_direction(
    marked: MarkedFeatures,
    others: Sequence[MarkedFeatures],
    unmarked: CellFeatures,
    replay: ReplaySample | None,
) -> FeatureDirection | None:
    """Learns the direction of one name.

    Args:
        marked: the marks of the name.
        others: the marks of the other names; those on the other side must not be affected.
        unmarked: float32 [n, M], unmarked cells of the same footage.
        replay: the replay sample of the pack; None when it has none.

    Returns:
        None when the marked cells cannot be separated from the others.
    """
    against = [np.concatenate(other.marks) for other in others if other.normal != marked.normal]
    sample = {} if replay is None else {group: replay.of(group) for group in (BACKGROUND, NORMAL)}
    usual = {group: cells for group, cells in sample.items() if len(cells)}
    rest = np.concatenate([unmarked, *against, *usual.values()])
    weight = discriminant(marked.marks, rest)
    direction_scores = np.concatenate([cells @ weight for cells in marked.marks])
    cuts = [float(np.quantile(cells @ weight, _UNMARKED_SHARE)) for cells in against]
    tops = [float(np.quantile(direction_scores, share)) for share in _FULL_QUANTILES]
    if marked.normal:
        centre = float(rest.mean(0, dtype=np.float64) @ weight)
        distance = _mean_score(marked.marks, weight) - centre
        cuts.append(centre + _NORMAL_START * distance)
        if NORMAL in usual:
            # What looks like ordinary people needs no silence, and their prompts are needed.
            cuts.append(float(np.quantile(usual[NORMAL] @ weight, _UNMARKED_SHARE)))
        tops.insert(0, centre + _NORMAL_END * distance)
    else:
        cuts.append(float(np.quantile(unmarked @ weight, _UNMARKED_SHARE)))
        cuts += [float(np.quantile(cells @ weight, _REPLAY_SHARE)) for cells in usual.values()]
    cut = max(cuts)
    for top in tops:
        if top - cut > _MIN_RISE * float(np.abs(direction_scores).max() + 1e-9):
            return FeatureDirection((weight / (top - cut)).astype(np.float32), cut / (top - cut))
    return None


def discriminant(marks: Sequence[CellFeatures], rest: CellFeatures) -> NDArray[np.float64]:
    """Returns the linear discriminant of marked cells, float64 [M]; each mark counts once.

    Args:
        marks: float32 [k, M] each.
        rest: float32 [n, M], the cells that they are separated from.
    """
    mean = np.mean([cells.mean(0, dtype=np.float64) for cells in marks], axis=0)
    centre = rest.mean(0, dtype=np.float64)
    covariance = np.cov(rest.T.astype(np.float64))
    shrinkage = _SHRINKAGE * covariance.diagonal().mean() + 1e-12
    covariance[np.diag_indices_from(covariance)] += shrinkage
    return np.asarray(np.linalg.solve(covariance, mean - centre), np.float64)


def direction_between(marks: Sequence[CellFeatures], rest: CellFeatures) -> FeatureDirection | None:
    """Returns the direction that is 0 at the mean of the rest and 1 at the mean of the marks.

    Args:
        marks: float32 [k, M] each.
        rest: float32 [n, M], the cells that they are separated from.

    Returns:
        None when the marks do not lie beyond the rest.
    """
    weight = discriminant(marks, rest)
    centre = float(rest.mean(0, dtype=np.float64) @ weight)
    rise = _mean_score(marks, weight) - centre
    if rise <= 0:
        return None
    return FeatureDirection((weight / rise).astype(np.float32), centre / rise)


def _mean_score(marks: Sequence[CellFeatures], weight: NDArray[np.float64]) -> float:
    return float(np.mean([cells.mean(0, dtype=np.float64) @ weight for cells in marks]))
