from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import BadInputError
from engine.core.settings import AnalysisSettings
from engine.motion.analysis_plan import make_plan
from tests.pipeline.pipeline_material import MadeSource, numbered, plan_of

DEFAULT = AnalysisSettings()


@given(st.integers(1, 700), st.integers(1, 40), st.sampled_from([1, 5, 25, 60]))
def test_chunks_hold_every_frame_of_the_stride_once(count: int, stride: int, fps: int) -> None:
    source = MadeSource(numbered(count), time_base=Fraction(1, fps))
    plan = plan_of(source, AnalysisSettings(stride=stride))
    assert plan.frames.tolist() == list(range(0, count, stride))
    assert np.array_equal(plan.pts, source.index.pts[plan.frames])
    assert plan.seconds == pytest.approx(plan.frames / fps)
    positions = [i for chunk in range(plan.chunks) for i in range(*plan.span(chunk))]
    assert positions == list(range(len(plan)))
    assert 32 <= plan.chunk <= 256


@pytest.mark.parametrize(("fps", "chunk"), [(1, 32), (5, 50), (25, 250), (60, 256)])
def test_a_chunk_is_ten_seconds_within_limits(fps: int, chunk: int) -> None:
    plan = plan_of(MadeSource(numbered(600), time_base=Fraction(1, fps)), DEFAULT)
    assert plan.rate == pytest.approx(fps)
    assert plan.chunk == chunk


def test_the_rate_is_the_usual_step_whatever_the_gaps() -> None:
    pts = np.cumsum([0, *([1] * 20 + [5000]) * 3])
    plan = plan_of(MadeSource(numbered(len(pts)), pts=pts.tolist()), DEFAULT)
    assert plan.rate == pytest.approx(25)
    assert plan.seconds[21] == pytest.approx(20 / 25 + 200)


def test_times_count_from_the_first_frame_even_when_negative() -> None:
    plan = plan_of(MadeSource(numbered(5), pts=[-50, -49, -48, -47, -46]), DEFAULT)
    assert plan.pts.tolist() == [-50, -49, -48, -47, -46]
    assert plan.seconds.tolist() == [0, 0.04, 0.08, 0.12, 0.16]


@pytest.mark.parametrize("stride", [3, 4, 1000, 10**12, 10**30, 10**400])
def test_a_stride_beyond_the_video_analyses_its_first_frame(stride: int) -> None:
    plan = plan_of(MadeSource(numbered(3)), AnalysisSettings(stride=stride))
    assert plan.frames.tolist() == [0]
    assert plan.chunks == 1
    assert plan.rate > 0


def test_one_frame_is_a_plan() -> None:
    plan = plan_of(MadeSource(numbered(1)), DEFAULT)
    assert (len(plan), plan.chunks, plan.span(0), plan.rate) == (1, 1, (0, 1), 25)


def test_an_absurd_rate_does_not_ask_for_absurd_context() -> None:
    """A file whose times step by 1/90000 s would otherwise need thousands of frames around."""
    plan = plan_of(MadeSource(numbered(300), time_base=Fraction(1, 90_000)), DEFAULT)
    assert plan.rate <= 240
    assert plan.seconds[1] == pytest.approx(1 / 90_000)


def test_a_frame_an_hour_has_a_rate() -> None:
    plan = plan_of(MadeSource(numbered(40), time_base=Fraction(3600)), DEFAULT)
    assert plan.rate == pytest.approx(1 / 3600)
    assert plan.chunk == 32


@pytest.mark.parametrize("stride", [0, -1, -(10**20)])
def test_a_stride_below_one_is_refused(stride: int) -> None:
    with pytest.raises(BadInputError, match="stride"):
        plan_of(MadeSource(numbered(3)), AnalysisSettings(stride=stride))


@pytest.mark.parametrize("size", [(7, 16), (16, 7), (1, 1)])
def test_a_picture_below_one_cell_is_refused(size: tuple[int, int]) -> None:
    source = MadeSource(numbered(3, *size))
    with pytest.raises(BadInputError, match="too small"):
        make_plan(source.info, source.index, DEFAULT)


@pytest.mark.parametrize("size", [(8, 8), (17, 9), (1921, 1081)])
def test_odd_sizes_are_planned_in_whole_cells(size: tuple[int, int]) -> None:
    source = MadeSource(numbered(2, *size))
    grid = make_plan(source.info, source.index, DEFAULT).grid
    assert grid.width % 8 == grid.height % 8 == 0
    assert (grid.source_width, grid.source_height) == size
