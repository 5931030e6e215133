from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from engine.lab.synthesis.people.clothing import random_look
from engine.lab.synthesis.people.performers import Act, Performer
from engine.lab.synthesis.people.routes import Route
from engine.lab.synthesis.render_video import VideoSpec, render_video
from engine.lab.synthesis.scene.backdrop import Light, SceneSpec, build_backdrop
from engine.lab.synthesis.scene.camera import Camera
from engine.lab.synthesis.scene.figures import Bytes
from engine.lab.synthesis.scene.grounds import LAYOUTS
from engine.lab.synthesis.scene.props import KINDS, PropSpec, prop_figure

CAMERA = Camera(320, 180, elevation=5.0, tilt=math.radians(22), focal=280.0)
LOOK = replace(random_look(np.random.default_rng(1)), upper="red", lower="blue")


PARK = SceneSpec(
    camera=CAMERA,
    layout="park",
    way=(0.0, 12.1),
    way_turn=0.11,
    way_width=5.2,
    wall=20.5,
    wall_colour=(0.6, 0.52, 0.42),
    tone=0.56,
    slab=(0.8, 0.6),
    light=Light(azimuth=2.5, altitude=0.85, sun=0.6, exposure=1.12, warmth=0.5),
    props=(),
    seed=7,
)


def scene(**changes: Any) -> SceneSpec:
    return replace(PARK, **changes)


def walker(number: int, y: float, speed: float = 1.3) -> Performer:
    route = Route((-3.0, y), (3.0, y), 0.0)
    walk = Act("walking", 0.0, route, 0.0, speed)
    return Performer(number, "person", "walking", "walking", LOOK, (walk,))


def video(*actors: Performer, position: SceneSpec | None = None, noise: float = 0.0) -> VideoSpec:
    return VideoSpec(position or scene(), 5, 1.0, actors, noise=noise, blur=0.0, grey=False)


def frames(spec: VideoSpec, seed: int = 1) -> list[tuple[Bytes, Bytes]]:
    return list(render_video(spec, seed))


def test_an_empty_scene_is_its_backdrop_in_every_frame() -> None:
    empty = build_backdrop(scene()).rgb
    for rgb, ids in frames(video()):
        assert np.array_equal(rgb, empty)
        assert not ids.any()


def test_ids_say_which_pixels_an_actor_covers() -> None:
    empty = build_backdrop(scene()).rgb.astype(int)
    overcast = scene(light=replace(scene().light, sun=0.0))
    plain = build_backdrop(overcast).rgb.astype(int)
    assert plain.shape == empty.shape
    for rgb, ids in frames(video(walker(7, 10.0), position=overcast)):
        assert set(np.unique(ids)) == {0, 7}
        changed = np.abs(rgb.astype(int) - plain).max(axis=2) > 40
        around = cv2.dilate((ids == 7).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        assert not (changed & ~around).any()
        assert changed[ids == 7].mean() > 0.8


def test_shadows_darken_the_ground_and_belong_to_nobody() -> None:
    sunny = scene(light=replace(scene().light, sun=0.9, altitude=0.7))
    empty = build_backdrop(sunny).rgb.astype(int)
    rgb, ids = frames(video(walker(1, 10.0), position=sunny))[2]
    darker = (empty - rgb.astype(int)).min(axis=2) > 15
    assert (darker & (ids == 0)).sum() > 60


def test_the_nearer_actor_hides_the_farther_one() -> None:
    near, far = walker(1, 9.0), walker(2, 9.6)
    alone = frames(video(near))[2][1] > 0
    both, swapped = frames(video(near, far))[2][1], frames(video(far, near))[2][1]
    assert alone.any()
    assert np.array_equal(both == 1, alone)
    assert np.array_equal(both, swapped)


def test_a_prop_hides_who_walks_behind_it_but_not_who_walks_before_it() -> None:
    wall = tuple(PropSpec("bin", (x, 9.5), 0.0, 1.1, 1) for x in np.arange(-3.4, 3.5, 0.35))
    position = scene(props=wall)
    behind = frames(video(walker(1, 10.2), position=position))[2][1]
    before = frames(video(walker(1, 8.8), position=position))[2][1]
    open_ground = frames(video(walker(1, 10.2)))[2][1]
    assert 0 < (behind > 0).sum() < 0.75 * (open_ground > 0).sum()
    assert np.array_equal(before, frames(video(walker(1, 8.8)))[2][1])


def test_people_get_smaller_with_distance() -> None:
    def height(y: float) -> int:
        rows = np.flatnonzero((frames(video(walker(1, y)))[2][1] > 0).any(axis=1))
        return int(rows[-1] - rows[0])

    assert height(8.0) / height(16.0) == pytest.approx(2, rel=0.25)


def test_same_seed_same_frames_and_another_seed_another_noise() -> None:
    spec = video(walker(1, 10.0), noise=2.0)
    first, again, other = frames(spec), frames(spec), frames(spec, seed=2)
    for (a, ids_a), (b, ids_b), (c, ids_c) in zip(first, again, other, strict=True):
        assert np.array_equal(a, b)
        assert np.array_equal(ids_a, ids_b)
        assert np.array_equal(ids_a, ids_c)
        assert not np.array_equal(a, c)
        assert 1 < np.std(a.astype(int) - c.astype(int)) < 5


def test_a_grey_camera_gives_a_grey_picture() -> None:
    for rgb, _ in frames(replace(video(walker(1, 10.0), noise=2.0), grey=True)):
        assert np.array_equal(rgb[..., 0], rgb[..., 1])
        assert np.array_equal(rgb[..., 0], rgb[..., 2])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_has_texture_for_flow_everywhere(layout: str) -> None:
    rgb = build_backdrop(scene(layout=layout, seed=5)).rgb
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    mean = cv2.blur(grey, (33, 33))
    spread = np.sqrt(np.maximum(cv2.blur(grey * grey, (33, 33)) - mean * mean, 0))
    assert spread[90:].min() > 1.0
    assert 40 < grey.mean() < 200


@pytest.mark.parametrize("kind", KINDS)
def test_every_prop_stands_on_the_ground(kind: str) -> None:
    figure = prop_figure(PropSpec(kind, (1.0, 12.0), 0.7, 1.0, 3))
    assert -0.01 <= figure.joints[:, 2].min() < 0.15
    assert figure.foot == (1.0, 12.0)
