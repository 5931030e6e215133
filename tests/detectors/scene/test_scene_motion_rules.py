"""Motion rules: what moves like a marked target falls silent, or stands out."""

from __future__ import annotations

import numpy as np
import pytest

from engine.core.errors import BadInputError
from engine.detectors.scene.motion_rules import MotionRule, make_motion_rule, measure_motion
from engine.detectors.scene.observation import Observer
from engine.detectors.scene.scene_calibration import SceneCalibration
from engine.detectors.scene.scene_channel import SceneChannel
from engine.detectors.scene.scene_learning import learn_scene
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
def usual() -> SceneCalibration:
    block = simulate(120, walkers(120))
    return learn_scene("self", [lambda: iter([block])], SHAPE, CELL, RATE, SETTINGS)


def scores(usual: SceneCalibration, *rules: MotionRule) -> np.ndarray:
    block = simulate(40, [*walkers(40), FAST, FASTER])
    channel = SceneChannel(usual, CELL, RATE, SETTINGS, rules)
    return np.concatenate([part.scores for part in channel.score(iter([block]))])


def measured(usual: SceneCalibration) -> tuple[float, float]:
    maps, seconds = simulate(40, [*walkers(40), FAST, FASTER])
    observation = Observer(ROWS, COLUMNS, CELL, SETTINGS, RATE).observe(maps, seconds)
    cells = np.zeros((ROWS, COLUMNS), np.bool_)
    cells[7:11, 14:17] = True  # the fast target at 11.2 s
    speed = usual.usual_speed()
    assert speed is not None
    motion = measure_motion(observation, 112, cells, speed)
    assert motion is not None
    return motion


def test_what_was_marked_as_normal_falls_silent_and_others_do_not(usual: SceneCalibration) -> None:
    plain = scores(usual)
    assert plain[105:130].max() > 0.5
    assert plain[305:325].max() > 0.5
    with_rule = scores(usual, make_motion_rule(True, [measured(usual)]))
    assert with_rule[105:130].max() < 0.5
    assert with_rule[305:325].max() > 0.5


def test_what_another_channel_knows_as_harmless_falls_silent(usual: SceneCalibration) -> None:
    known = np.zeros((400, ROWS, COLUMNS), np.bool_)
    known[100:141, 5:12] = True

    block = simulate(40, [*walkers(40), FAST, FASTER])
    channel = SceneChannel(usual, CELL, RATE, SETTINGS)
    with_harmless = np.concatenate([part.scores for part in channel.score(iter([block]), [known])])
    assert with_harmless[105:130].max() < 0.5
    assert with_harmless[305:325].max() > 0.5


def test_what_was_marked_as_abnormal_stands_out(usual: SceneCalibration) -> None:
    speed, side = measured(usual)
    slow = MotionRule(False, (speed * 0.2, speed * 0.5), (side / 3, side * 3))
    assert scores(usual, slow).max() >= scores(usual).max() - 1e-6
    loud = scores(usual, make_motion_rule(False, [(speed, side)]))
    assert loud[105:130].max() >= scores(usual)[105:130].max() - 1e-6


def test_nothing_is_measured_where_nothing_moves(usual: SceneCalibration) -> None:
    maps, seconds = simulate(4, [])
    observation = Observer(ROWS, COLUMNS, CELL, SETTINGS, RATE).observe(maps, seconds)
    everywhere = np.ones((ROWS, COLUMNS), np.bool_)
    speed = usual.usual_speed()
    assert speed is not None
    assert measure_motion(observation, 3, everywhere, speed) is None


def test_a_rule_comes_back_and_damage_is_named() -> None:
    rule = MotionRule(True, (0.5, 2.0), (0.1, 0.3))
    assert MotionRule.from_json(rule.as_json()) == rule
    with pytest.raises(BadInputError, match="damaged"):
        MotionRule.from_json({"normal": True, "speed": [1]})
