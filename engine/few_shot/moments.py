"""Moments: where and when a map of likeness rises, followed from slice to slice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from engine.core.geometry import Box
from engine.few_shot.feature_reader import RunFeatures

# Choices, made together (docs/experiments/few-shot-teaching.md).
_MAX_PEAKS = 6  # Peaks of one map that are followed.
_PEAK_WINDOW = 5  # Cells across in which a peak is the largest value.
_MAX_STEP = 4.0  # Cells that a peak may move from one slice to the next.
_MAX_GAP_S = 1.0  # Seconds without a peak after which a moment ends.
_TOP_SLICES = 3  # The likeness of a moment is the mean of that many of its largest peaks.
_EXTENT_THRESHOLD = 0.6  # Share of the rise to the peak above which cells belong to its box.
_MAX_EXTENT = 6  # Cells from a peak to the edge of its box, at most.
_MARGIN_CELLS = 1  # Around the searched target: a peak there is still the target itself.

CellBounds = tuple[int, int, int, int]
"""First row, first column, last row and last column of a box in cells."""


@dataclass(frozen=True)
class Moment:
    """A span in which something is alike what was searched for.

    Attributes:
        evidence_id: the evidence.
        run_id: the run whose features were read.
        start_s: stream time of its first slice.
        end_s: stream time of its last slice.
        peak_s: stream time of the slice in which it is most alike.
        peak_frame: index of the analysed frame nearest to that.
        peak_pts: PTS of that frame.
        box: where it is in that frame.
        likeness: 1 for the searched target itself; a score when the search was by words.
        itself: whether it is the searched target.
    """

    evidence_id: int
    run_id: int
    start_s: float
    end_s: float
    peak_s: float
    peak_frame: int
    peak_pts: int
    box: Box
    likeness: float
    itself: bool = False

    def as_json(self) -> dict[str, Any]:
        """Returns JSON values."""
        values = asdict(self)
        values["box"] = self.box.as_list()
        for name in ("start_s", "end_s", "peak_s", "likeness"):
            values[name] = round(float(values[name]), 4)
        return values


@dataclass
class _FollowedPeak:
    cell: tuple[int, int]
    first_s: float
    last_s: float
    itself: bool = False
    values: list[float] = field(default_factory=list)
    best: tuple[float, float, CellBounds] = (-np.inf, 0.0, (0, 0, 0, 0))

    def add(self, second: float, value: float, cell: tuple[int, int], bounds: CellBounds) -> None:
        self.cell, self.last_s = cell, second
        self.values.append(value)
        if value > self.best[0]:
            self.best = (value, second, bounds)

    def distance(self, row: int, column: int) -> float:
        return float(np.hypot(self.cell[0] - row, self.cell[1] - column))


class MomentFinder:
    """Follows the peaks of consecutive maps of one run; the result depends on the maps alone.

    Args:
        features: the run.
        target: the cells of the searched target, bool [R, C], by number of the slice; a peak
            there is the target itself.
    """

    def __init__(self, features: RunFeatures, target: Mapping[int, NDArray[np.bool_]]) -> None:
        self._features = features
        self._target = {
            number: ndimage.binary_dilation(cells, iterations=_MARGIN_CELLS)
            for number, cells in target.items()
        }
        self._slices = 0
        self._open: list[_FollowedPeak] = []
        self._closed: list[_FollowedPeak] = []

    def add(self, second: float, likeness: NDArray[np.float32]) -> None:
        """Takes the map of the next slice, float32 [R, C]."""
        self._closed += [peak for peak in self._open if second - peak.last_s > _MAX_GAP_S]
        self._open = [peak for peak in self._open if second - peak.last_s <= _MAX_GAP_S]
        free, target = list(self._open), self._target.get(self._slices)
        self._slices += 1
        for row, column in _find_peaks(likeness):
            near = [peak for peak in free if peak.distance(row, column) <= _MAX_STEP]
            if near:
                peak = min(near, key=lambda peak: peak.distance(row, column))
                free.remove(peak)
            else:
                peak = _FollowedPeak((row, column), second, second)
                self._open.append(peak)
            bounds = _extent(likeness, row, column)
            peak.add(second, float(likeness[row, column]), (row, column), bounds)
            peak.itself = peak.itself or (target is not None and bool(target[row, column]))

    def finish(self) -> list[Moment]:
        """Returns the moments in the order in which they ended."""
        peaks, self._open, self._closed = self._closed + self._open, [], []
        return [self._moment(peak) for peak in peaks]

    def _moment(self, peak: _FollowedPeak) -> Moment:
        stored = self._features.stored
        plan = stored.plan
        _, peak_s, bounds = peak.best
        frame = self._features.frame_at(peak_s)
        top = sorted(peak.values, reverse=True)[:_TOP_SLICES]
        return Moment(
            stored.run.evidence_id,
            stored.run.id,
            peak.first_s,
            peak.last_s,
            peak_s,
            int(plan.frames[frame]),
            int(plan.pts[frame]),
            plan.grid.box(*bounds),
            float(np.mean(top)),
            peak.itself,
        )


def _find_peaks(likeness: NDArray[np.float32]) -> list[tuple[int, int]]:
    """Returns row and column of the largest local maxima, largest first."""
    top = ndimage.maximum_filter(likeness, _PEAK_WINDOW, mode="nearest")
    rows, columns = np.nonzero(likeness == top)
    order = np.lexsort((columns, rows, -likeness[rows, columns]))[:_MAX_PEAKS]
    return [(int(rows[number]), int(columns[number])) for number in order]


def _extent(likeness: NDArray[np.float32], row: int, column: int) -> CellBounds:
    """Returns the box, in cells, of what rises together around a peak."""
    top, left = max(0, row - _MAX_EXTENT), max(0, column - _MAX_EXTENT)
    part = likeness[top : row + _MAX_EXTENT + 1, left : column + _MAX_EXTENT + 1]
    low = float(np.median(part))
    high = part >= low + _EXTENT_THRESHOLD * (float(likeness[row, column]) - low)
    labels, _ = ndimage.label(high)
    rows, columns = np.nonzero(labels == labels[row - top, column - left])
    return (
        int(rows.min()) + top,
        int(columns.min()) + left,
        int(rows.max()) + top,
        int(columns.max()) + left,
    )
