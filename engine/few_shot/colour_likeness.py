"""How alike two targets are in colour, which kept features do not tell.

The colours of a target above and below its middle are counted in a histogram over CIELAB; the
likeness of two targets is the Bhattacharyya coefficient of their histograms.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.case import Case
from engine.core.errors import CancelledError, SightlineError
from engine.core.files import Closing
from engine.core.progress import CancelToken, Progress, ProgressCallback
from engine.few_shot.feature_reader import RunFeatures
from engine.few_shot.marked_cells import MotionReader, cells_of_box
from engine.few_shot.moments import Moment
from engine.media import Source
from engine.pipeline.evidence_intake import open_evidence

# Bins of lightness and of each of a and b: coarse enough for a target of few pixels. A choice,
# with which ranking improved from 0.516 to 0.562 (docs/experiments/few-shot-teaching.md).
_LIGHTNESS_BINS, _TINT_BINS = 6, 8
_TINT_RANGE = (88, 168)
"""The bytes of CIELAB's a and b that the bins span; 128 is grey. What lies outside is clipped."""


def colour_histogram(image: NDArray[np.uint8], cells: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Counts the colours of a target.

    Args:
        image: uint8 [H, W, 3], RGB.
        cells: bool [R, C], the cells of the target, at least one.

    Returns:
        float32 [2, n], of its upper and its lower half, each summing to 1 or all 0.
    """
    height, width = image.shape[:2]
    mask = cv2.resize(cells.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    x, y, w, h = cv2.boundingRect(mask)
    crop, inside = image[y : y + h, x : x + w], mask[y : y + h, x : x + w] > 0
    lab = cv2.cvtColor(np.ascontiguousarray(crop), cv2.COLOR_RGB2LAB).astype(np.int32)
    low, high = _TINT_RANGE
    tints = np.clip((lab[..., 1:] - low) * _TINT_BINS // (high - low), 0, _TINT_BINS - 1)
    lightness = lab[..., 0] * _LIGHTNESS_BINS // 256
    bins = (lightness * _TINT_BINS + tints[..., 0]) * _TINT_BINS + tints[..., 1]
    halves = []
    for half in (np.s_[: h // 2], np.s_[h // 2 :]):
        counts = np.bincount(bins[half][inside[half]], minlength=_LIGHTNESS_BINS * _TINT_BINS**2)
        halves.append(counts / max(1, counts.sum()))
    return np.asarray(halves, np.float32)


def colour_likeness(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Returns how alike two histograms of `colour_histogram` are, 0..1."""
    return float(np.sqrt(first * second).sum()) / len(first)


def rank_by_colour(
    case: Case,
    features: dict[int, RunFeatures],
    target: Sequence[tuple[RunFeatures, int, NDArray[np.bool_]]],
    moments: Sequence[Moment],
    cancel: CancelToken,
    progress: ProgressCallback,
) -> list[Moment]:
    """Ranks moments by the mean of their likeness and their likeness in colour.

    A moment whose evidence cannot be read keeps its likeness.

    Args:
        case: the case that holds the evidence.
        features: the runs by evidence.
        target: the searched target: run, number of the analysed frame and bool [R, C] of each mark.
        moments: the moments to rank.
        cancel: is checked between frames.
        progress: is called with the number of moments compared.
    """
    with _TargetColours(case, cancel) as colours:
        known = [colours.at(*mark) for mark in target]
        of_target = [histogram for histogram in known if histogram is not None]
        if not of_target:
            return list(moments)
        ranked = []
        ordered = sorted(moments, key=lambda moment: (moment.evidence_id, moment.peak_frame))
        for number, moment in enumerate(ordered, 1):
            histogram = colours.of_moment(features[moment.evidence_id], moment)
            if histogram is not None:
                likenesses = [colour_likeness(own, histogram) for own in of_target]
                mean = (moment.likeness + float(np.mean(likenesses))) / 2
                moment = replace(moment, likeness=mean)
            ranked.append(moment)
            progress(Progress("comparing colours", number, len(ordered), unit="moments"))
    return sorted(ranked, key=rank_key)


def rank_key(moment: Moment) -> tuple[float, int, float]:
    """Returns the key by which moments are sorted: most alike first, then evidence and time."""
    return -moment.likeness, moment.evidence_id, moment.peak_s


class _TargetColours(Closing):
    """Reads the colours of targets from the evidence, of which one piece is open at a time."""

    def __init__(self, case: Case, cancel: CancelToken) -> None:
        self._case = case
        self._cancel = cancel
        self._motion = MotionReader(case)
        self._stack = ExitStack()
        self._open: tuple[int, Source | None] | None = None

    def close(self) -> None:
        self._stack.close()

    def at(
        self, features: RunFeatures, frame: int, cells: NDArray[np.bool_]
    ) -> NDArray[np.float32] | None:
        """Returns the colours in the cells of an analysed frame; None when it cannot be read."""
        self._cancel.check()
        source = self._source(features)
        if source is None or not cells.any():
            return None
        image = source.frame(int(features.stored.plan.frames[frame])).image
        return None if image is None else colour_histogram(image, cells)

    def of_moment(self, features: RunFeatures, moment: Moment) -> NDArray[np.float32] | None:
        """Returns the colours of what moves in a moment's box, or of the whole box."""
        frame = int(np.searchsorted(features.stored.plan.frames, moment.peak_frame))
        return self.at(features, frame, cells_of_box(self._motion, features, frame, moment.box))

    def _source(self, features: RunFeatures) -> Source | None:
        number = features.run.evidence_id
        if self._open is None or self._open[0] != number:
            self._stack.close()
            self._open = number, self._open_source(features)
        return self._open[1]

    def _open_source(self, features: RunFeatures) -> Source | None:
        row = self._case.evidence.get(features.run.evidence_id)
        try:
            return self._stack.enter_context(
                open_evidence(self._case, row, features.run.stream, self._cancel)
            )
        except CancelledError:
            raise
        except SightlineError:
            # Kept features are searched without the footage as well.
            return None
