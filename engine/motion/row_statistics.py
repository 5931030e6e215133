"""What is usual at each row of the picture: statistics that grow, and a line through them.

Perspective makes everything lower in the picture larger and faster, so the usual value is a
straight line over rows (`docs/method.md` calls it perspective normalisation).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Bins of the histogram, in px/s or px: from the stored step of a velocity to beyond the largest
# picture, each 3 % wider than the one before, which is finer than any limit drawn from them.
_LOW, _HIGH, _BINS = 0.5, 4096.0, 300
_EDGES = np.geomspace(_LOW, _HIGH, _BINS + 1)
_CENTRES = np.sqrt(_EDGES[1:] * _EDGES[:-1])
_MIN_SAMPLES = 50  # from which a quantile is trusted, of a row and of the whole picture; a choice
_MIN_ROWS = 3  # with enough samples, from which a line is drawn: two would fit any line
_TRIMS = 6  # times the fit leaves out what exceeds it, as decision 0004 has it
_USUAL_SHARE = 0.6  # of all distance is covered slower than the usual speed, likewise
_REST_SHARE = 0.3  # of the median: slower samples are people who stand and shift; a choice
_MAX_RATIO = 2.5  # between the line and the quantile over all rows, so that no row runs away


@dataclass(frozen=True, eq=False)
class RowStatistics:
    """A histogram a row of a positive quantity (a speed in px/s, a size in px).

    Attributes:
        counts: int64 [R, B], samples in logarithmic bins.
    """

    counts: NDArray[np.int64]

    @classmethod
    def empty(cls, rows: int) -> RowStatistics:
        """Returns statistics without samples."""
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

    def merge(self, other: RowStatistics) -> RowStatistics:
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
        by_distance = _WeightedCounts.of(self.counts, _CENTRES)
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
        return _WeightedCounts.of(moving, np.ones(_BINS)).line(0.5)

    def line(self, quantile: float) -> NDArray[np.float32] | None:
        """Fits the quantile as a straight line over rows.

        Returns:
            float32 [R], within a factor 2.5 of the quantile over all rows; None without samples.
        """
        return _WeightedCounts.of(self.counts, np.ones(_BINS)).line(quantile)


@dataclass(frozen=True, eq=False)
class _WeightedCounts:
    """Samples a row and bin, int64 [R, B], and what they weigh together, float64 [R, B]."""

    counts: NDArray[np.int64]
    weights: NDArray[np.float64]

    @classmethod
    def of(cls, counts: NDArray[np.int64], bin_weights: NDArray[np.float64]) -> _WeightedCounts:
        return cls(counts, counts * bin_weights)

    def below(self, line: NDArray[np.float32]) -> _WeightedCounts:
        """Returns the samples that lie below a line float32 [R]."""
        below = _CENTRES[None, :] < line[:, None]
        return _WeightedCounts(self.counts * below, self.weights * below)

    def line(self, quantile: float) -> NDArray[np.float32] | None:
        """Fits a weighted quantile as a straight line over rows; see `RowStatistics.line`."""
        samples = self.counts.sum(1)
        if samples.sum() < _MIN_SAMPLES:
            return None
        overall = _quantile(self.weights.sum(0), quantile)
        rows = np.flatnonzero(samples >= _MIN_SAMPLES)
        every = np.arange(len(samples))
        if len(rows) < _MIN_ROWS:
            return np.full(len(every), overall, np.float32)
        usual = np.array([_quantile(self.weights[row], quantile) for row in rows])
        fit = np.polynomial.Polynomial.fit(rows, usual, 1, w=np.sqrt(samples[rows]))
        line = fit(every)
        if line[-1] < line[0]:
            # What is lower in the picture is nearer: too few samples must have it otherwise.
            return np.full(len(every), overall, np.float32)
        return np.asarray(np.clip(line, overall / _MAX_RATIO, overall * _MAX_RATIO), np.float32)


def _quantile(weights: NDArray[np.float64], quantile: float) -> float:
    """Returns the value below which a share of the weights float64 [B] lies."""
    cumulative = np.concatenate([[0], np.cumsum(weights)])
    return float(np.interp(quantile * cumulative[-1], cumulative, _EDGES))
