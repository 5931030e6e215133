from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.motion.row_statistics import RowStatistics

ROWS = 30


def planted(seed: int = 0, each: int = 400) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Speeds around a line over rows: 20 px/s at the top, 49 at the bottom."""
    rng = np.random.default_rng(seed)
    rows = np.repeat(np.arange(ROWS), each)
    return rows, ((20 + rows) * rng.normal(1, 0.1, len(rows))).astype(np.float32)


def test_the_usual_speed_is_the_planted_line() -> None:
    line = RowStatistics.empty(ROWS).add(*planted()).usual(None)
    assert line is not None
    assert line == pytest.approx(20 + np.arange(ROWS), rel=0.05)


def test_a_quantile_of_the_planted_line() -> None:
    line = RowStatistics.empty(ROWS).add(*planted()).line(0.99)
    assert line is not None
    # 2.33 deviations of 10 % above the line.
    assert line == pytest.approx(1.233 * (20 + np.arange(ROWS)), rel=0.08)


def test_rows_without_samples_lie_on_the_line_too() -> None:
    rows, values = planted()
    middle = (rows > 8) & (rows < 22)
    line = RowStatistics.empty(ROWS).add(rows[middle], values[middle]).usual(None)
    assert line is not None
    assert line == pytest.approx(20 + np.arange(ROWS), rel=0.15)


def test_a_minority_of_fast_targets_is_trimmed() -> None:
    rows, values = planted()
    fast = np.random.default_rng(1).random(len(rows)) < 0.15
    mixed = RowStatistics.empty(ROWS).add(rows, np.where(fast, values * 5, values))
    trimmed, all_of_it = mixed.usual(1.7), mixed.usual(None)
    assert trimmed is not None
    assert all_of_it is not None
    assert trimmed == pytest.approx(20 + np.arange(ROWS), rel=0.1)
    assert (all_of_it > 1.1 * trimmed).all()


def test_standing_people_do_not_make_walking_unusual() -> None:
    rows, values = planted()
    stand = np.repeat(np.arange(ROWS), 400)
    shifting = np.full(len(stand), 1.0, np.float32)
    line = RowStatistics.empty(ROWS).add(rows, values).add(stand, shifting).usual(1.7)
    assert line is not None
    assert line == pytest.approx(20 + np.arange(ROWS), rel=0.15)


def test_too_few_samples_say_nothing() -> None:
    statistics = RowStatistics.empty(4)
    assert statistics.usual(None) is None
    assert statistics.usual(1.7) is None
    assert statistics.line(0.5) is None
    few = statistics.add(np.zeros(20, np.int64), np.full(20, 5, np.float32))
    assert few.usual(1.7) is None


def test_few_rows_share_one_value() -> None:
    statistics = RowStatistics.empty(6).add(np.full(200, 2, np.int64), np.full(200, 30, np.float32))
    line = statistics.usual(1.7)
    assert line is not None
    assert np.ptp(line) == 0
    assert line[0] == pytest.approx(30, rel=0.03)


samples = st.lists(st.tuples(st.integers(0, 3), st.floats(0, 1e6, width=32)), max_size=30)


@given(samples, samples)
def test_merging_is_adding(first: list[tuple[int, float]], second: list[tuple[int, float]]) -> None:
    def of(*parts: list[tuple[int, float]]) -> RowStatistics:
        statistics = RowStatistics.empty(4)
        for part in parts:
            rows = np.array([row for row, _ in part], np.int64)
            statistics = statistics.add(rows, np.array([v for _, v in part], np.float32))
        return statistics

    merged = of(first).merge(of(second))
    assert np.array_equal(merged.counts, of(first, second).counts)
    assert np.array_equal(merged.counts, of(first + second).counts)
    assert merged.samples <= len(first) + len(second)


@given(st.floats(0.5, 4096, width=32))
def test_every_speed_in_range_is_counted(value: float) -> None:
    added = RowStatistics.empty(1).add(np.zeros(1, np.int64), np.array([value], np.float32))
    assert added.samples == 1
