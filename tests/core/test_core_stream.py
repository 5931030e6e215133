"""A T that names one frame means the frame with the nearest PTS, ties: the earlier."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.stream import FrameIndex


def index(pts: list[int], time_base: Fraction = Fraction(1, 25)) -> FrameIndex:
    return FrameIndex(
        np.array(pts, np.int64),
        np.ones(len(pts), np.bool_),
        np.ones(len(pts), np.int64),
        time_base,
    )


@pytest.mark.parametrize(
    ("seconds", "frame"),
    [(0, 0), (0.019, 0), (0.02, 0), (0.021, 1), (0.04, 1), (0.06, 1), (0.0601, 2), (99, 2)],
)
def test_the_nearest_frame_and_the_earlier_of_two(seconds: float, frame: int) -> None:
    assert index([0, 1, 2]).nearest(seconds) == frame


def test_stream_time_counts_from_the_first_pts() -> None:
    found = index([-100, -75, 25], Fraction(1, 100))
    assert [found.seconds(i) for i in range(3)] == [0, 0.25, 1.25]
    assert found.nearest(0.25) == 1
    assert found.nearest_pts(-80) == 1
    assert found.duration_s == pytest.approx(1.26)


ascending = st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=30, unique=True).map(sorted)
bases = st.sampled_from([Fraction(1, 25), Fraction(1, 90_000), Fraction(1001, 30_000)])


@given(ascending, st.integers(-(10**6), 10**6))
def test_the_nearest_pts_is_the_nearest(pts: list[int], wanted: int) -> None:
    expected = min(range(len(pts)), key=lambda i: (abs(pts[i] - wanted), i))
    assert index(pts).nearest_pts(wanted) == expected


@given(ascending, bases, st.integers(0, 10**7))
def test_the_nearest_time_is_the_nearest(pts: list[int], base: Fraction, milliseconds: int) -> None:
    wanted = Fraction(milliseconds, 1000)
    found = index(pts, base).nearest(milliseconds / 1000)
    expected = min(range(len(pts)), key=lambda i: (abs((pts[i] - pts[0]) * base - wanted), i))
    assert found == expected


@given(ascending, bases)
def test_a_frame_is_found_by_its_own_time(pts: list[int], base: Fraction) -> None:
    frames = index(pts, base)
    for i in range(len(pts)):
        assert frames.nearest(frames.seconds(i)) == i
