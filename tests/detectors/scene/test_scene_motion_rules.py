"""Marks teach the scene channel how a target moves: its like falls silent, or stands out."""

from __future__ import annotations

import numpy as np
import pytest

from engine.core.errors import BadInputError
from engine.detectors.scene.motion_rules import TaughtMotion, motion_at, taught_motion
from engine.detectors.scene.observation import Observer
from engine.detectors.scene.scene_calibration import Calibration
from engine.detectors.scene.scene_channel import SceneChannel
from engine.detectors.scene.scene_learning import calibrate
from tests.detectors.scene.scene_material import (
    CELL,
    COLUMNS,
    RATE,
    ROWS,
    SETTINGS,
    SHAPE,
    Target,
    simulate,
    walkers,
)

FAST = Target(10.0, 14.0, -16, 56, 110.0)
FASTER = Target(30.0, 33.0, -16, 56, 240.0)


@pytest.fixture(scope="module")
def usual() -> Calibration:
    block = simulate(120, walkers(120))
    return calibrate("self", [lambda: iter([block])], SHAPE, CELL, RATE, SETTINGS)


def scores(usual: Calibration, *taught: TaughtMotion) -> np.ndarray:
    block = simulate(40, [*walkers(40), FAST, FASTER])
    channel = SceneChannel(usual, CELL, RATE, SETTINGS, taught)
    return np.concatenate([one.scores for one in channel.score(iter([block]))])


def measured(usual: Calibration) -> tuple[float, float]:
    maps, seconds = simulate(40, [*walkers(40), FAST, FASTER])
    seen = Observer(ROWS, COLUMNS, CELL, SETTINGS, RATE).observe(maps, seconds)
    cells = np.zeros((ROWS, COLUMNS), np.bool_)
    cells[7:11, 14:17] = True  # the fast target at 11.2 s
    speed = usual.usual_speed()
    assert speed is not None
    found = motion_at(seen, 112, cells, speed)
    assert found is not None
    return found


def test_what_was_marked_as_normal_falls_silent_and_others_do_not(usual: Calibration) -> None:
    plain = scores(usual)
    assert plain[105:130].max() > 0.5
    assert plain[305:325].max() > 0.5
    taught = scores(usual, taught_motion(True, [measured(usual)]))
    assert taught[105:130].max() < 0.5
    assert taught[305:325].max() > 0.5


def test_what_another_channel_knows_as_harmless_falls_silent(usual: Calibration) -> None:
    known = np.zeros((400, ROWS, COLUMNS), np.bool_)
    known[100:141, 5:12] = True

    def harmless() -> np.ndarray:
        return known[: len(block[1])]

    block = simulate(40, [*walkers(40), FAST, FASTER])
    channel = SceneChannel(usual, CELL, RATE, SETTINGS)
    found = np.concatenate([one.scores for one in channel.score(iter([block]), harmless)])
    assert found[105:130].max() < 0.5
    assert found[305:325].max() > 0.5


def test_what_was_marked_as_abnormal_stands_out(usual: Calibration) -> None:
    speed, side = measured(usual)
    slow = TaughtMotion(False, (speed * 0.2, speed * 0.5), (side / 3, side * 3))
    assert scores(usual, slow).max() >= scores(usual).max() - 1e-6
    loud = scores(usual, taught_motion(False, [(speed, side)]))
    assert loud[105:130].max() >= scores(usual)[105:130].max() - 1e-6


def test_nothing_is_measured_where_nothing_moves(usual: Calibration) -> None:
    maps, seconds = simulate(4, [])
    seen = Observer(ROWS, COLUMNS, CELL, SETTINGS, RATE).observe(maps, seconds)
    everywhere = np.ones((ROWS, COLUMNS), np.bool_)
    speed = usual.usual_speed()
    assert speed is not None
    assert motion_at(seen, 3, everywhere, speed) is None


def test_a_lesson_comes_back_and_damage_is_named() -> None:
    lesson = TaughtMotion(True, (0.5, 2.0), (0.1, 0.3))
    assert TaughtMotion.from_json(lesson.as_json()) == lesson
    with pytest.raises(BadInputError, match="damaged"):
        TaughtMotion.from_json({"normal": True, "speed": [1]})
