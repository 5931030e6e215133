from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.detectors.scene.scene_calibration import SceneCalibration
from engine.detectors.scene.scene_channel import SceneChannel, excess_to_score
from engine.detectors.scene.scene_statistics import SceneStatistics
from tests.detectors.scene.scene_material import (
    RATE,
    SETTINGS,
    SHAPE,
    Target,
    calibrated,
    channel,
    cut,
    scored,
    simulate,
    walkers,
)

CALIBRATION = calibrated("normal", simulate(120, walkers(120)))
WHOLE = simulate(
    14, [*walkers(14), Target(3, 5, -16, 88, 90), Target(6, 13, 150, 120, -25, edge=(16, 16))]
)
EXPECTED = scored(CALIBRATION, WHOLE)[0]


@settings(max_examples=40, deadline=None)
@given(st.sets(st.integers(1, len(WHOLE[1]) - 1), max_size=12))
def test_cutting_into_blocks_changes_nothing(borders: set[int]) -> None:
    parts = scored(CALIBRATION, *cut(WHOLE, sorted(borders)))
    assert [len(part) for part in parts] == np.diff([0, *sorted(borders), len(WHOLE[1])]).tolist()
    for name in ("heat", "scores", "relative_speed"):
        joined = np.concatenate([getattr(part, name) for part in parts])
        assert np.array_equal(joined, getattr(EXPECTED, name)), name
    for name, peaks in EXPECTED.peaks.by_attribute.items():
        for field in ("excess", "value", "usual"):
            joined = np.concatenate(
                [getattr(part.peaks.by_attribute[name], field) for part in parts]
            )
            assert np.array_equal(joined, getattr(peaks, field)), (name, field)


def test_every_frame_a_block_of_its_own() -> None:
    parts = scored(CALIBRATION, *cut(WHOLE, range(1, len(WHOLE[1]))))
    assert np.array_equal(np.concatenate([part.scores for part in parts]), EXPECTED.scores)


def test_the_frames_beyond_a_border_smooth_across_it() -> None:
    """A target in the last frame of a block warms the first frame of the next."""
    fast = simulate(4, [Target(1.5, 2.0, 60, 88, 90)])
    first, second = scored(CALIBRATION, *cut(fast, [20]))
    assert first.scores[-1] > 0.05
    assert second.scores[0] > 0.05
    assert second.heat[0].max() > 0


@pytest.mark.parametrize("rate", [1e-4, 0.2, 1.0, 25.0, 240.0])
def test_any_frame_rate_gives_scores_of_every_frame(rate: float) -> None:
    maps, _ = WHOLE
    seconds = np.arange(len(maps)) / rate
    parts = list(SceneChannel(CALIBRATION, 8, rate, SETTINGS).score([(maps, seconds)]))
    scores = np.concatenate([part.scores for part in parts])
    assert len(scores) == len(maps)
    assert np.isfinite(scores).all()
    assert ((scores >= 0) & (scores <= 1)).all()


def test_one_frame_is_scored() -> None:
    maps, seconds = simulate(1 / RATE, [Target(0, 1, 60, 40, 90)])
    (scores,) = scored(CALIBRATION, (maps, seconds))
    assert len(scores) == 1
    assert scores.heat.shape == (1, *SHAPE)


def test_the_smallest_grid_is_scored() -> None:
    maps, seconds = WHOLE
    small = calibrated("self", simulate(120, walkers(120)))
    nothing = SceneCalibration("self", SceneStatistics.empty(2, 2))
    assert small.usual_speed() is not None
    part = maps.part(0, 30)
    tiny = type(part)(
        part.foreground[:, :2, :2], part.vx[:, :2, :2], part.vy[:, :2, :2], part.camera,
        part.lighting_change, part.background[:4, :4],
    )  # fmt: skip
    (scores,) = channel(nothing).score([(tiny, seconds[:30])])
    assert scores.heat.shape == (30, 2, 2)
    assert not scores.scores.any()


def test_a_camera_of_which_nothing_is_known_scores_nothing() -> None:
    parts = scored(SceneCalibration("self", SceneStatistics.empty(*SHAPE)), WHOLE)
    assert not parts[0].scores.any()
    assert not parts[0].relative_speed.any()


def test_no_blocks_no_results() -> None:
    assert scored(CALIBRATION) == []


@given(st.lists(st.floats(0, 50, width=32), min_size=2, max_size=20))
def test_squash_keeps_order_and_puts_the_limit_in_the_middle(values: list[float]) -> None:
    excess = np.array(sorted(values), np.float32)
    score = excess_to_score(excess)
    assert score.dtype == np.float32
    assert (np.diff(score) >= 0).all()
    assert ((score >= 0) & (score <= 1)).all()
    assert ((score >= 0.5) == (excess >= 1)).all()
    assert excess_to_score(np.array([0, 1], np.float32)).tolist() == [0.0, 0.5]
