from __future__ import annotations

import numpy as np
import pytest

from engine.motion.motion_meter import ChunkPictures, MotionMeter
from engine.motion.people_height import RunningSpeed, people_height
from tests.motion.motion_material import SETTINGS, grid_of, measured, moving_square, noisy


def chunk(step: tuple[float, float], count: int = 24) -> ChunkPictures:
    pictures = moving_square(count, step)
    around = moving_square(9, (12, 0), start=(0, 60))
    return ChunkPictures(pictures, np.arange(count) / 25, 0, 0, around, np.arange(count))


def test_maps_with_detail_are_those_without() -> None:
    moving = chunk((2, 0))
    with MotionMeter(grid_of(moving.pictures), SETTINGS, 25.0, 1) as meter:
        maps, detail = meter.measure_with_detail(moving, [4, 10])
        _, nothing = meter.measure_with_detail(moving, [])
    assert maps.encode() == measured(moving).encode()
    assert detail.shape == (2, 6, 24, 40)
    assert nothing.shape == (0, 6, 24, 40)


def test_detail_says_where_and_how_fast_something_moves() -> None:
    moving = chunk((2, 1))
    with MotionMeter(grid_of(moving.pictures), SETTINGS, 25.0, 1) as meter:
        _, detail = meter.measure_with_detail(moving, [10])
    inside = detail[0, :, 11:15, 11:15]
    outside = detail[0, :, :5, 30:]
    assert inside[0].mean() == pytest.approx(50, rel=0.25)
    assert inside[1].mean() == pytest.approx(25, rel=0.4)
    assert inside[2].mean() == pytest.approx(np.hypot(50, 25), rel=0.25)
    assert inside[5].mean() > 0.9
    assert np.abs(outside[:4]).max() < 5
    assert outside[5].max() < 0.1


def test_swinging_has_deviation_without_velocity() -> None:
    steps = np.where(np.arange(24) % 4 < 2, 2, -2)
    places = 50 + np.cumsum(steps)
    pictures = np.concatenate([moving_square(1, (0, 0), start=(x, 30)) for x in places])
    pictures_of_people = ChunkPictures.alone(noisy(pictures, 0.5), np.arange(24) / 25)
    with MotionMeter(grid_of(pictures), SETTINGS, 25.0, 1) as meter:
        _, detail = meter.measure_with_detail(pictures_of_people, [12])
    inside = detail[0, :, 9:13, 14:18]
    assert inside[3].mean() > 25
    assert abs(float(inside[0].mean())) < float(inside[3].mean()) / 2


def test_height_of_people_is_that_of_what_is_higher_than_wide() -> None:
    pictures = moving_square(40, (3, 0), size=(320, 160), edge=16, start=(20, 50))
    tall = pictures.copy()
    for i in range(40):
        x = 20 + 3 * i
        tall[i, 66:98, x : x + 16] = np.tile(pictures[i, 50:66, x : x + 16], (2, 1))
    maps = measured(ChunkPictures.alone(tall, np.arange(40) / 25))
    height = people_height(maps, SETTINGS.cell)
    assert height is not None
    assert 40 <= height <= 60
    assert people_height(maps.part(0, 2), SETTINGS.cell) is None


def test_usual_speed_is_learned_from_what_was_seen() -> None:
    moving = chunk((3, 0), 36)
    maps = measured(moving)
    speed = RunningSpeed(maps.foreground.shape[1], SETTINGS.cell)
    assert not speed.line().any()
    speed.add(maps)
    assert speed.line()[5] == pytest.approx(75, rel=0.35)
