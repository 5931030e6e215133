"""A direction tells what was marked from what must not move."""

from __future__ import annotations

import numpy as np

from engine.detectors.text.text_model import ABNORMAL, BACKGROUND, ReplaySample
from engine.few_shot.direction_learning import Direction, Lesson, learn_direction
from engine.few_shot.teach_variant import _reaches

RNG = np.random.default_rng(4)
USUAL = RNG.normal(0, 1, (2000, 8)).astype(np.float32)
SPECIAL = (RNG.normal(0, 0.3, (40, 8)) + 6 * np.eye(8)[2]).astype(np.float32)
OTHER = (RNG.normal(0, 0.3, (300, 8)) + 6 * np.eye(8)[5]).astype(np.float32)
REPLAY = ReplaySample(
    np.concatenate([USUAL[:500], OTHER]),
    np.array([BACKGROUND] * 500 + [ABNORMAL] * 300, np.uint8),
)


def answers(found: Direction, cells: np.ndarray) -> np.ndarray:
    return np.asarray(np.clip(cells @ found.weight - found.offset, 0, 1))


def test_the_marked_rise_and_the_usual_stays() -> None:
    found = learn_direction(Lesson(False, (SPECIAL[:20], SPECIAL[20:])), [], USUAL, REPLAY)
    assert found is not None
    assert answers(found, SPECIAL).mean() > 0.8
    assert (answers(found, USUAL) > 0).mean() <= 0.03


def test_what_is_harmless_reaches_what_is_half_like_it() -> None:
    found = learn_direction(Lesson(True, (SPECIAL,)), [], USUAL, REPLAY)
    assert found is not None
    assert answers(found, SPECIAL).mean() > 0.8
    assert answers(found, 0.5 * SPECIAL).mean() > 0.8
    assert (answers(found, OTHER) > 0).mean() <= 0.03


def test_marks_of_the_other_kind_are_left_alone() -> None:
    other = Lesson(False, (OTHER[:50],))
    found = learn_direction(Lesson(True, (SPECIAL,)), [other], USUAL, None)
    assert found is not None
    assert (answers(found, OTHER[:50]) > 0).mean() <= 0.03


def test_what_cannot_be_told_apart_teaches_nothing() -> None:
    same = RNG.normal(0, 1, (30, 8)).astype(np.float32)
    assert learn_direction(Lesson(False, (same,)), [], USUAL, None) is None


def test_what_looks_like_much_that_is_abnormal_is_said() -> None:
    found = Direction(np.eye(8, dtype=np.float32)[5], 3.0)
    (warning,) = _reaches("keeper's cart", found, REPLAY)
    assert "100%" in warning
    assert _reaches("keeper's cart", Direction(found.weight, 9.0), REPLAY) == []
    assert _reaches("keeper's cart", found, None) == []
