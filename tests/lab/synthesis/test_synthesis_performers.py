from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.lab.synthesis.footage.wardrobes import SHADES, SPLITS, as_seen, dress, shade
from engine.lab.synthesis.people import gaits, postures
from engine.lab.synthesis.people.body import Pose, body_joints
from engine.lab.synthesis.people.clothing import random_look
from engine.lab.synthesis.people.performers import Act, Performer
from engine.lab.synthesis.people.routes import Route
from engine.lab.synthesis.people.vehicles import KINDS, vehicle
from engine.lab.synthesis.phrases import ABNORMAL, ACTIONS, CLASSES, NORMAL, paraphrases
from engine.lab.synthesis.scene.sensor import MIXES

LOOK = replace(random_look(np.random.default_rng(2)), bag="none", garment="trousers")
EAST = Route((-60.0, 10.0), (60.0, 10.0), 0.0)


def performer(*acts: Act, carried: str = "", kind: str = "person") -> Performer:
    return Performer(1, kind, "walking", "walking", LOOK, acts, 0.4, carried=carried)


def fall(kind: str) -> Performer:
    walk = Act("walking", 0.0, EAST, 57.4, 1.3)
    return performer(walk, Act("falling", 2.0, EAST, 60.0, detail=kind, lasts_s=0.8))


@given(st.floats(-1.5, 1.5), st.floats(-1.5, 1.5), st.floats(0, 2), st.floats(-1, 1))
def test_every_pose_touches_the_ground_and_does_not_sink(
    tip: float, side: float, knee: float, hip: float
) -> None:
    joints = body_joints(Pose(tip=tip, side=side, knee_l=knee, hip_l=hip), LOOK)
    assert np.isfinite(joints).all()
    assert 0 <= joints[:, 2].min() < 0.15


def test_a_mirrored_pose_is_the_mirror_image() -> None:
    pose = gaits.running(0.7, 3.0)
    right, left = body_joints(pose, LOOK), body_joints(pose.mirror(), LOOK)
    swapped = np.concatenate([left[:8], left[16:24], left[8:16]]) * (1, -1, 1)
    limbs = [i for i in range(24) if i not in (4, 5)]
    assert swapped[limbs] == pytest.approx(right[limbs], abs=1e-9)


@pytest.mark.parametrize(("manner", "speed"), [("walking", 1.3), ("running", 4.0)])
def test_the_foot_on_the_ground_hardly_slips(manner: str, speed: float) -> None:
    actor = performer(Act(manner, 0.0, EAST, 50.0, speed))
    times = np.arange(0, 3, 0.01)
    figures = [actor.figure(float(t)) for t in times]
    ankles = np.array([f.joints[[10, 18]] for f in figures if f is not None])
    speeds = np.abs(np.diff(ankles[:, :, 0], axis=0)) / 0.01
    assert np.median(speeds.min(axis=1)) < 0.45 * speed


@pytest.mark.parametrize("kind", postures.FALLS)
def test_a_fall_is_continuous_and_ends_on_the_ground(kind: str) -> None:
    actor = fall(kind)
    times = np.arange(1.6, 4.0, 0.02)
    joints = np.array([f.joints for f in map(actor.figure, map(float, times)) if f is not None])
    assert np.abs(np.diff(joints, axis=0)).max() < 0.4
    assert joints[0, :, 2].max() > 1.45
    assert joints[-1, :, 2].max() < 0.85


def test_the_bag_left_behind_appears_where_it_was_put_down() -> None:
    bag = replace(
        performer(Act("left", 0.0, EAST, 60.0), carried="bag", kind="object"), appears_s=2.0
    )
    assert bag.figure(1.9) is None
    figure = bag.figure(2.0)
    assert figure is not None
    assert 0 <= figure.joints[:, 2].min() < 0.1
    assert bag.words() == {"object": ""}


@pytest.mark.parametrize("kind", KINDS)
def test_a_vehicle_stands_on_its_wheels_and_is_longer_than_wide(kind: str) -> None:
    joints, parts = vehicle(kind, (200, 0, 0), LOOK, 0.3, 1.0).whole()
    assert -0.05 < joints[:, 2].min() < 0.12
    length, width, _ = joints.max(axis=0) - joints.min(axis=0)
    assert length > 1.5 * width
    assert max(max(part.joints) for part in parts) < len(joints)


def test_the_class_changes_with_the_acts() -> None:
    actor = replace(
        fall("forward"),
        class_name="falling",
        classes=((-math.inf, "walking"), (2.0, "falling"), (4.3, "lying")),
        abnormal_s=((2.0, math.inf),),
    )
    assert [actor.doing(t) for t in (1.9, 2.0, 5.0)] == ["walking", "falling", "lying"]
    assert [actor.abnormal_at(t) for t in (1.9, 2.0, 99.0)] == [False, True, True]


def test_every_class_has_paraphrases_and_none_is_both_trained_and_held_out() -> None:
    trained = {phrase for name in CLASSES for phrase in paraphrases(name)}
    held_out = [phrase for name in CLASSES for phrase in paraphrases(name, held_out=True)]
    assert set(ACTIONS) == set(CLASSES) == set(ABNORMAL) | set(NORMAL)
    for name in CLASSES:
        assert len(set(paraphrases(name))) >= 6
        assert len(set(paraphrases(name, held_out=True))) >= 4
    assert not trained & set(held_out)
    assert len(held_out) == len(set(held_out))
    assert {"person riding a bicycle", "vehicle", "person skating"} <= trained


def test_splits_wear_no_common_shade_of_eleven_colours() -> None:
    assert len(SHADES) == 11
    for name in SHADES:
        levels = {}
        for split in SPLITS:
            rng = np.random.default_rng(1)
            drawn = np.array([shade(rng, split, name) for _ in range(30)], dtype=float)
            levels[split] = {tuple(np.round(c / c.sum(), 2)) for c in drawn}
        assert levels["train"]
    bases = [SHADES[name] for name in SHADES]
    assert all(len(set(shades)) == 5 for shades in bases)


def test_a_camera_without_colour_names_only_brightness() -> None:
    rng = np.random.default_rng(3)
    for look in (dress(rng, "train", riding=True) for _ in range(40)):
        seen = as_seen(look, MIXES["infrared"])
        worn = {seen.upper, seen.lower, seen.bag_colour, seen.bicycle}
        assert worn <= {"black", "grey", "white"}
        assert seen.rgb("upper") == look.rgb("upper")
