from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.lab.synthesis.people.clothing import random_look
from engine.lab.synthesis.people.cyclist import cyclist_figure
from engine.lab.synthesis.people.routes import Route
from engine.lab.synthesis.scene.camera import Camera

CAMERA = Camera(640, 360, elevation=5.0, tilt=math.radians(22), focal=560.0)


@given(x=st.floats(0, 639), y=st.floats(60, 359))
def test_pixel_to_ground_and_back_is_the_same_pixel(x: float, y: float) -> None:
    ground = CAMERA.ground(np.array([x, y]))
    pixel, depth = CAMERA.project(np.array([ground[0], ground[1], 0.0]))
    assert depth > 0
    assert pixel == pytest.approx([x, y], abs=1e-6)


def test_there_is_no_ground_above_the_horizon() -> None:
    level = Camera(640, 360, elevation=5.0, tilt=0.0, focal=560.0)
    assert np.isnan(level.ground(np.array([320.0, 100.0]))).all()
    assert level.pixels_per_metre(np.array(100.0)) == 0


def test_a_metre_across_measures_the_scale_of_its_row() -> None:
    for row in (80.0, 200.0, 340.0):
        position = CAMERA.ground(np.array([320.0, row]))
        ends = np.array([[position[0], position[1], 0.0], [position[0] + 1, position[1], 0.0]])
        pixels, _ = CAMERA.project(ends)
        scale = float(CAMERA.pixels_per_metre(np.array(row)))
        assert pixels[1, 0] - pixels[0, 0] == pytest.approx(scale)


@pytest.mark.parametrize("bend", [0.0, 0.8, -0.8])
def test_a_route_is_continuous_and_starts_and_ends_where_it_says(bend: float) -> None:
    route = Route((-5.0, 8.0), (5.0, 11.0), bend)
    assert route.at(0.0)[0] == pytest.approx(route.start)
    assert route.at(route.length)[0] == pytest.approx(route.end)
    places = [route.at(d)[0] for d in np.arange(-3, route.length + 3, 0.1)]
    steps = [math.dist(a, b) for a, b in pairwise(places)]
    assert max(steps) < 0.12
    assert min(steps) > 0.09


def test_a_bicycle_stands_on_its_wheels() -> None:
    look = random_look(np.random.default_rng(4), riding=True)
    for distance in np.arange(0, 4, 0.1):
        joints = cyclist_figure((0.0, 9.0), 1.0, float(distance), 6.0, 0.0, look).joints
        assert abs(joints[:, 2].min()) < 0.02
        assert np.isfinite(joints).all()
