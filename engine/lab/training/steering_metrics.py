"""Does the decoder heed its prompts? Figures of steering on rendered footage.

Each class is asked for by the mean of its paraphrases. A peak lies on a target when the cell of
the heatmap in which the map is largest holds a pixel of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

LARGE_PIXELS = 960
STEERED_PIXELS = 400
_SEEN_PIXELS = 40


@dataclass(frozen=True, eq=False)
class Judged:
    """One slice of footage as the decoder judged it.

    Attributes:
        video: it belongs to.
        maps: class -> float32 [h, w], log-odds of its prompt on the heatmap's grid.
        masks: class -> bool [h, w], cells that hold a pixel of an abnormal target of it.
        areas: class -> pixels of the source of its largest abnormal target in this frame.
        video_classes: classes that are abnormal anywhere in the video.
    """

    video: str
    maps: Mapping[str, NDArray[np.float32]]
    masks: Mapping[str, NDArray[np.bool_]]
    areas: Mapping[str, int]
    video_classes: frozenset[str]


@dataclass
class Steering:
    """Gathers slices and sums them up.

    Attributes:
        threshold: calibrated log-odds; None leaves the figure about absent prompts out.
    """

    threshold: float | None = None
    _best: dict[str, list[float]] = field(default_factory=dict)
    _areas: dict[str, list[int]] = field(default_factory=dict)
    _peaks: dict[str, list[int]] = field(default_factory=dict)
    _absent: list[bool] = field(default_factory=list)

    def add(self, slices: Iterable[Judged]) -> None:
        """Adds slices."""
        for one in slices:
            for name, heat in one.maps.items():
                best = float(heat.max())
                self._best.setdefault(name, []).append(best)
                self._areas.setdefault(name, []).append(one.areas.get(name, 0))
                if self.threshold is not None and name not in one.video_classes:
                    self._absent.append(best < self.threshold)
            steered = [name for name, area in one.areas.items() if area > STEERED_PIXELS]
            if len(steered) < 2:
                continue
            for name in steered:
                place = np.unravel_index(int(one.maps[name].argmax()), one.maps[name].shape)
                own = bool(one.masks[name][place])
                wrong = any(bool(one.masks[other][place]) for other in one.areas if other != name)
                self._peaks.setdefault(name, []).append(1 if own else -1 if wrong else 0)

    def class_auc(self, least_pixels: int = _SEEN_PIXELS) -> dict[str, float]:
        """Returns the frame-AUC of each class, for targets of more than so many pixels."""
        out: dict[str, float] = {}
        for name, best in self._best.items():
            areas = np.array(self._areas[name])
            scores = np.array(best)
            value = _auc(scores[areas > least_pixels], scores[areas == 0])
            if value is not None:
                out[name] = value
        return out

    def summary(self) -> dict[str, object]:
        """Returns all figures; null where nothing was seen that defines one."""
        every, large = self.class_auc(), self.class_auc(LARGE_PIXELS)
        peaks = np.array([one for rows in self._peaks.values() for one in rows])
        return {
            "class_auc": _mean(list(every.values())),
            "class_auc_large": _mean(list(large.values())),
            "class_auc_by_class": {name: round(value, 4) for name, value in every.items()},
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
    least = len(positive) * (len(positive) + 1) / 2
    return float((ranks.sum() - least) / (len(positive) * len(negative)))


def _mean(values: list[float] | list[bool]) -> float | None:
    return round(float(np.mean(values)), 4) if len(values) else None
