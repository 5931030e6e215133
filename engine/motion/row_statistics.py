"""What is usual at each row of the picture: statistics that grow, and a line through them.

Perspective makes everything lower in the picture larger and faster, so the usual value is a
straight line over rows (`method.md` of the project's notes calls it perspective normalisation).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_LOW, _HIGH, _BINS = 0.5, 4096.0, 300
_EDGES = np.geomspace(_LOW, _HIGH, _BINS + 1)
_CENTRES = np.sqrt(_EDGES[1:] * _EDGES[:-1])
_LEAST_SAMPLES = 50
_TRIMS = 6
_REST_SHARE = 0.3
_USUAL_SHARE = 0.6
_SPREAD = 2.5


@dataclass(frozen=True, eq=False)
class RowStatistics:
    """A histogram a row of a positive quantity (a speed in px/s, a size in px).

    Attributes:
        counts: int64 [R, B], samples in logarithmic bins.
    """

    counts: NDArray[np.int64]

    @classmethod
    def empty(cls, rows: int) -> RowStatistics:
        """Statistics without samples."""
        return cls(np.zeros((rows, _BINS), np.int64))

    def add(self, rows: NDArray[np.int64], values: NDArray[np.float32]) -> RowStatistics:
        """Returns the statistics with samples added: values > 0 at rows int64 [n]."""
        step = np.log(_HIGH / _LOW) / _BINS
        with np.errstate(divide="ignore"):
            bins = np.floor(np.log(values / _LOW) / step)
        good = np.isfinite(bins) & (bins >= 0)
        flat = rows[good] * _BINS + np.minimum(bins[good], _BINS - 1).astype(np.int64)
        added = np.bincount(flat, minlength=self.counts.size).reshape(self.counts.shape)
        return RowStatistics(self.counts + added)

    def merged(self, other: RowStatistics) -> RowStatistics:
        """Returns the statistics of both."""
        return RowStatistics(self.counts + other.counts)

    @property
    def samples(self) -> int:
        """Number of samples."""
        return int(self.counts.sum())

    def usual(self, trim: float | None) -> NDArray[np.float32] | None:
        """Fits what is usual a row: three fifths of all distance are covered slower than this.

        Weighting by distance keeps people who stand and shift from passing for slow walkers.

        Args:
            trim: for footage that may hold the unusual as well: begin at the median of what
                moves, leave out what exceeds the line by this factor, fit again. None for
                footage known to be normal.

        Returns:
            float32 [R]; None without samples.
        """
        by_distance = _Weighted.of(self.counts, _CENTRES)
        if trim is None:
            return by_distance.line(_USUAL_SHARE)
        line = self._moving_median()
        for _ in range(_TRIMS):
            if line is not None:
                line = by_distance.below(line * np.float32(trim)).line(_USUAL_SHARE)
        return line

    def _moving_median(self) -> NDArray[np.float32] | None:
        if not self.samples:
            return None
        rest = _REST_SHARE * _quantile(self.counts.sum(0).astype(np.float64), 0.5)
        moving = self.counts * (rest < _CENTRES)
        return _Weighted.of(moving, np.ones(_BINS)).line(0.5)

    def line(self, quantile: float) -> NDArray[np.float32] | None:
        """Fits the quantile as a straight line over rows.

        Returns:
            float32 [R], within a factor 2.5 of the quantile over all rows; None without samples.
        """
        return _Weighted.of(self.counts, np.ones(_BINS)).line(quantile)


@dataclass(frozen=True, eq=False)
class _Weighted:
    counts: NDArray[np.int64]
    weights: NDArray[np.float64]

    @classmethod
    def of(cls, counts: NDArray[np.int64], per_bin: NDArray[np.float64]) -> _Weighted:
        return cls(counts, counts * per_bin)

    def below(self, line: NDArray[np.float32]) -> _Weighted:
        kept = _CENTRES[None, :] < line[:, None]
        return _Weighted(self.counts * kept, self.weights * kept)

    def line(self, quantile: float) -> NDArray[np.float32] | None:
        samples = self.counts.sum(1)
        if samples.sum() < _LEAST_SAMPLES:
            return None
        overall = _quantile(self.weights.sum(0), quantile)
        rows = np.flatnonzero(samples >= _LEAST_SAMPLES)
        every = np.arange(len(samples))
        if len(rows) < 3:
            return np.full(len(every), overall, np.float32)
        usual = np.array([_quantile(self.weights[row], quantile) for row in rows])
        fit = np.polynomial.Polynomial.fit(rows, usual, 1, w=np.sqrt(samples[rows]))
        line = fit(every)
        if line[-1] < line[0]:
            # What is lower in the picture is nearer: fewer samples said otherwise by chance.
            return np.full(len(every), overall, np.float32)
        return np.asarray(np.clip(line, overall / _SPREAD, overall * _SPREAD), np.float32)


def _quantile(weights: NDArray[np.float64], quantile: float) -> float:
    cumulative = np.concatenate([[0], np.cumsum(weights)])
    return float(np.interp(quantile * cumulative[-1], cumulative, _EDGES))
