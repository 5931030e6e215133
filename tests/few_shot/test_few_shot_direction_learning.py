"""A direction tells what was marked from what must not move."""

from __future__ import annotations

import numpy as np

from engine.detectors.text.text_model import ABNORMAL, BACKGROUND, ReplaySample
from engine.few_shot.direction_learning import FeatureDirection, MarkedFeatures, learn_direction
from engine.few_shot.text_learning import reach_warnings

RNG = np.random.default_rng(4)
USUAL = RNG.normal(0, 1, (2000, 8)).astype(np.float32)
SPECIAL = (RNG.normal(0, 0.3, (40, 8)) + 6 * np.eye(8)[2]).astype(np.float32)
OTHER = (RNG.normal(0, 0.3, (300, 8)) + 6 * np.eye(8)[5]).astype(np.float32)
REPLAY = ReplaySample(
    np.concatenate([USUAL[:500], OTHER]),
    np.array([BACKGROUND] * 500 + [ABNORMAL] * 300, np.uint8),
)


def answers(direction: FeatureDirection, cells: np.ndarray) -> np.ndarray:
    return np.asarray(np.clip(cells @ direction.weight - direction.offset, 0, 1))


def test_the_marked_rise_and_the_usual_stays() -> None:
    direction = learn_direction(
        MarkedFeatures(False, (SPECIAL[:20], SPECIAL[20:])), [], USUAL, REPLAY
    )
    assert direction is not None
    assert answers(direction, SPECIAL).mean() > 0.8
    assert (answers(direction, USUAL) > 0).mean() <= 0.03


def test_what_is_harmless_reaches_what_is_half_like_it() -> None:
    direction = learn_direction(MarkedFeatures(True, (SPECIAL,)), [], USUAL, REPLAY)
    assert direction is not None
    assert answers(direction, SPECIAL).mean() > 0.8
    assert answers(direction, 0.5 * SPECIAL).mean() > 0.8
    assert (answers(direction, OTHER) > 0).mean() <= 0.03


def test_marks_of_the_other_kind_are_left_alone() -> None:
    other = MarkedFeatures(False, (OTHER[:50],))
    direction = learn_direction(MarkedFeatures(True, (SPECIAL,)), [other], USUAL, None)
    assert direction is not None
    assert (answers(direction, OTHER[:50]) > 0).mean() <= 0.03


def test_what_cannot_be_told_apart_teaches_nothing() -> None:
    same = RNG.normal(0, 1, (30, 8)).astype(np.float32)
    assert learn_direction(MarkedFeatures(False, (same,)), [], USUAL, None) is None


def test_what_looks_like_much_that_is_abnormal_is_said() -> None:
    direction = FeatureDirection(np.eye(8, dtype=np.float32)[5], 3.0)
    (warning,) = reach_warnings("keeper's cart", direction, REPLAY)
    assert "100%" in warning
    assert reach_warnings("keeper's cart", FeatureDirection(direction.weight, 9.0), REPLAY) == []
    assert reach_warnings("keeper's cart", direction, None) == []
