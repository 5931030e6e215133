"""Moments: where and when a map of likeness rises, followed from slice to slice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from engine.core.geometry import Box
from engine.few_shot.feature_reader import Footage

_PEAKS = 6
_AROUND = 5
_REACH = 4.0
_GAP_S = 1.0
_LOUDEST = 3
_HALF = 0.6
_WIDEST = 6
_BESIDE = 1


@dataclass(frozen=True)
class Moment:
    """One target that is alike, as long as it was followed.

    Attributes:
        evidence_id: where.
        run_id: whose features were read.
        start_s: stream time of its first slice.
        end_s: of its last.
        peak_s: where it is most alike.
        peak_frame: the analysed frame nearest to that.
        peak_pts: its PTS.
        box: there.
        likeness: 1 for the target itself when likeness was asked for, a score when words were.
        itself: whether it is the target that was asked for.
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
class _Path:
    cell: tuple[int, int]
    first: float
    last: float
    itself: bool = False
    values: list[float] = field(default_factory=list)
    best: tuple[float, float, tuple[int, int, int, int]] = (-np.inf, 0.0, (0, 0, 0, 0))

    def add(self, second: float, value: float, cell: tuple[int, int], place: Any) -> None:  # noqa: ANN401
        self.cell, self.last = cell, second
        self.values.append(value)
        if value > self.best[0]:
            self.best = (value, second, place)


class MomentFinder:
    """Follows the peaks of consecutive maps of one run; the result depends on the maps alone.

    Args:
        footage: the run.
        asked: what was asked for, bool [R, C] by number of the slice: whoever is met there is it.
    """

    def __init__(self, footage: Footage, asked: Mapping[int, NDArray[np.bool_]]) -> None:
        self._footage = footage
        self._asked = {
            number: ndimage.binary_dilation(cells, iterations=_BESIDE)
            for number, cells in asked.items()
        }
        self._slices = 0
        self._open: list[_Path] = []
        self._closed: list[_Path] = []

    def add(self, second: float, likeness: NDArray[np.float32]) -> None:
        """Takes the map of the next slice, float32 [R, C]."""
        late = [path for path in self._open if second - path.last > _GAP_S]
        self._closed += late
        self._open = [path for path in self._open if second - path.last <= _GAP_S]
        free, asked = list(self._open), self._asked.get(self._slices)
        self._slices += 1
        for row, column in _peaks(likeness):
            value, cell = float(likeness[row, column]), (row, column)
            near = [
                path
                for path in free
                if np.hypot(path.cell[0] - row, path.cell[1] - column) <= _REACH
            ]
            path = min(
                near,
                key=lambda one: np.hypot(one.cell[0] - cell[0], one.cell[1] - cell[1]),
                default=None,
            )
            if path is None:
                path = _Path(cell, second, second)
                self._open.append(path)
            else:
                free.remove(path)
            path.add(second, value, cell, _extent(likeness, row, column))
            path.itself = path.itself or (asked is not None and bool(asked[row, column]))

    def finish(self) -> list[Moment]:
        """Returns the moments, in the order in which they were lost sight of."""
        every, self._open, self._closed = self._closed + self._open, [], []
        return [self._moment(path) for path in every]

    def _moment(self, path: _Path) -> Moment:
        stored = self._footage.stored
        plan = stored.plan
        _, peak_s, place = path.best
        frame = self._footage.frame_at(peak_s)
        loudest = sorted(path.values, reverse=True)[:_LOUDEST]
        return Moment(
            stored.run.evidence_id,
            stored.run.id,
            path.first,
            path.last,
            peak_s,
            int(plan.frames[frame]),
            int(plan.pts[frame]),
            plan.grid.box(*place),
            float(np.mean(loudest)),
            path.itself,
        )


def _peaks(likeness: NDArray[np.float32]) -> list[tuple[int, int]]:
    """Returns the largest local maxima, strongest first."""
    top = ndimage.maximum_filter(likeness, _AROUND, mode="nearest")
    rows, columns = np.nonzero(likeness == top)
    order = np.lexsort((columns, rows, -likeness[rows, columns]))[:_PEAKS]
    return [(int(rows[one]), int(columns[one])) for one in order]


def _extent(likeness: NDArray[np.float32], row: int, column: int) -> tuple[int, int, int, int]:
    """Returns the corners of what rises together around a peak, in cells."""
    top, left = max(0, row - _WIDEST), max(0, column - _WIDEST)
    part = likeness[top : row + _WIDEST + 1, left : column + _WIDEST + 1]
    low = float(np.median(part))
    high = part >= low + _HALF * (float(likeness[row, column]) - low)
    labels, _ = ndimage.label(high)
    rows, columns = np.nonzero(labels == labels[row - top, column - left])
    return (
        int(rows.min()) + top,
        int(columns.min()) + left,
        int(rows.max()) + top,
        int(columns.max()) + left,
    )
