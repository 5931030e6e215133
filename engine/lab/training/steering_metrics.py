"""Steering metrics: whether the decoder follows its prompts, measured on rendered footage.

The prompt of each class is the mean of its paraphrases. A peak lies on a target when the cell of
the heatmap in which the map is largest holds a pixel of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

LARGE_PIXELS = 960
"""A target with more pixels of the source is large; a choice, which the model card states."""

STEERED_PIXELS = 400
"""Two targets with more pixels each have their peaks compared; a choice, which the card states."""

_MIN_VISIBLE_PIXELS = 40  # a smaller target does not count as an abnormal frame; a choice


@dataclass(frozen=True, eq=False)
class ScoredSlice:
    """One slice of footage with what the decoder gave for every class.

    Attributes:
        video: name of the video.
        maps: for each class float32 [h, w], log-odds of its prompt on the heatmap's grid.
        masks: for each class bool [h, w], cells that hold a pixel of an abnormal target of it.
        areas: for each class the pixels of its largest abnormal target in the source frame.
        video_classes: classes that are abnormal anywhere in the video.
    """

    video: str
    maps: Mapping[str, NDArray[np.float32]]
    masks: Mapping[str, NDArray[np.bool_]]
    areas: Mapping[str, int]
    video_classes: frozenset[str]


@dataclass
class SteeringMetrics:
    """Gathers slices and computes the metrics of all.

    Attributes:
        threshold: calibrated log-odds; None leaves the metric about absent classes out.
    """

    threshold: float | None = None
    _best: dict[str, list[float]] = field(default_factory=dict)
    _areas: dict[str, list[int]] = field(default_factory=dict)
    _peaks: dict[str, list[int]] = field(default_factory=dict)
    _absent: list[bool] = field(default_factory=list)

    def add(self, slices: Iterable[ScoredSlice]) -> None:
        """Adds slices."""
        for scored in slices:
            for name, heat in scored.maps.items():
                best = float(heat.max())
                self._best.setdefault(name, []).append(best)
                self._areas.setdefault(name, []).append(scored.areas.get(name, 0))
                if self.threshold is not None and name not in scored.video_classes:
                    self._absent.append(best < self.threshold)
            steered = [name for name, area in scored.areas.items() if area > STEERED_PIXELS]
            if len(steered) < 2:
                continue
            for name in steered:
                peak = np.unravel_index(int(scored.maps[name].argmax()), scored.maps[name].shape)
                own = bool(scored.masks[name][peak])
                wrong = any(
                    bool(scored.masks[other][peak]) for other in scored.areas if other != name
                )
                self._peaks.setdefault(name, []).append(1 if own else -1 if wrong else 0)

    def class_auc(self, min_pixels: int = _MIN_VISIBLE_PIXELS) -> dict[str, float]:
        """Returns the frame-AUC of each class, for targets of more than so many pixels."""
        aucs: dict[str, float] = {}
        for name, best in self._best.items():
            areas = np.array(self._areas[name])
            scores = np.array(best)
            value = _auc(scores[areas > min_pixels], scores[areas == 0])
            if value is not None:
                aucs[name] = value
        return aucs

    def summary(self) -> dict[str, object]:
        """Returns all metrics; None where no slice defines one."""
        all_sizes, large = self.class_auc(), self.class_auc(LARGE_PIXELS)
        peaks = np.array([outcome for rows in self._peaks.values() for outcome in rows])
        return {
            "class_auc": _mean(list(all_sizes.values())),
            "class_auc_large": _mean(list(large.values())),
            "class_auc_by_class": {name: round(value, 4) for name, value in all_sizes.items()},
            "class_auc_large_by_class": {name: round(value, 4) for name, value in large.items()},
            "peak_own": _mean(list(peaks == 1)),
            "peak_wrong": _mean(list(peaks == -1)),
            "peak_own_by_class": {
                name: round(float(np.mean(np.array(rows) == 1)), 3)
                for name, rows in sorted(self._peaks.items())
            },
            "peaks": len(peaks),
            "absent_below": _mean(self._absent),
        }


def _auc(positive: NDArray[np.float64], negative: NDArray[np.float64]) -> float | None:
    if not len(positive) or not len(negative):
        return None
    from scipy.stats import rankdata

    ranks = rankdata(np.concatenate([positive, negative]))[: len(positive)]
    min_sum = len(positive) * (len(positive) + 1) / 2
    return float((ranks.sum() - min_sum) / (len(positive) * len(negative)))


def _mean(values: list[float] | list[bool]) -> float | None:
    return round(float(np.mean(values)), 4) if len(values) else None
