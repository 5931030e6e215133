"""ROC AUC of frame scores, over all frames (micro) or as the mean of the videos (macro)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.lab.evaluation.metric import MetricValue

Labels = Sequence[NDArray[np.bool_]]
Scores = Sequence[NDArray[np.floating]]


def micro_auc(labels: Labels, scores: Scores) -> MetricValue:
    """Computes the ROC AUC of all videos' frames together, without per-video normalisation.

    Args:
        labels: a bool [n] a video, True = abnormal.
        scores: a float [n] a video, higher = more abnormal.

    Returns:
        The AUC; undefined when all frames are of one class or there are none.

    Raises:
        BadInputError: lengths differ or a score is not finite.
    """
    _check(labels, scores)
    truth = np.concatenate(labels) if labels else np.zeros(0, np.bool_)
    if not truth.size:
        return MetricValue(None, "there are no frames")
    if truth.all() or not truth.any():
        return MetricValue(None, f"every frame is {'abnormal' if truth.all() else 'normal'}")
    return MetricValue(_roc_auc(truth, np.concatenate(scores)))


def macro_auc(labels: Labels, scores: Scores) -> MetricValue:
    """Computes the plain mean over videos of the ROC AUC of `[0, labels, 1]`, `[0, scores, 1]`.

    The two anchors make videos of one class defined; they make the figure depend on calibration.
    Source: the convention of "A Background-Agnostic Framework" (Georgescu et al., TPAMI 2021).

    Args:
        labels: a bool [n] a video, True = abnormal.
        scores: a float [n] a video, 0..1.

    Returns:
        The mean AUC; undefined when there are no videos.

    Raises:
        BadInputError: lengths differ, or a score is not within 0..1.
    """
    _check(labels, scores)
    if not labels:
        return MetricValue(None, "there are no videos")
    areas = []
    for number, (truth, score) in enumerate(zip(labels, scores, strict=True), start=1):
        if score.size and (score.min() < 0 or score.max() > 1):
            raise BadInputError(
                "a score is not within 0..1", f"video {number}", "calibrate the scores first"
            )
        areas.append(_roc_auc(np.r_[False, truth, True], np.r_[0.0, score, 1.0]))
    return MetricValue(float(np.mean(areas)))


def _roc_auc(truth: NDArray[np.bool_], scores: NDArray[np.floating]) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(truth, scores))


def _check(labels: Labels, scores: Scores) -> None:
    if len(labels) != len(scores):
        raise BadInputError(
            f"labels of {len(labels)} videos but scores of {len(scores)}",
            "frame AUC",
            "give both for the same videos",
        )
    for number, (truth, score) in enumerate(zip(labels, scores, strict=True), start=1):
        if truth.shape != score.shape or truth.ndim != 1:
            raise BadInputError(
                f"{truth.size} labels but {score.size} scores",
                f"video {number}",
                "give one score a frame",
            )
        if not np.isfinite(score).all():
            raise BadInputError(
                "a score is not a finite number", f"video {number}", "analyse the video again"
            )
