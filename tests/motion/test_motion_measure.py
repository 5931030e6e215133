from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.errors import CancelledError
from engine.core.progress import CancelToken
from engine.motion.motion_maps import SPEED_UNIT, MotionMaps
from engine.motion.motion_meter import ChunkPictures, MotionMeter
from tests.motion.motion_material import (
    SETTINGS,
    Picture,
    grid_of,
    measured,
    measured_alone,
    moving_square,
    noisy,
    texture,
    velocity,
)


@pytest.mark.parametrize(("rate", "step"), [(5.0, 8), (12.5, 4), (25.0, 2), (50.0, 1)])
def test_a_known_step_gives_its_speed_in_pixels_a_second(rate: float, step: int) -> None:
    count = 160 // step
    pictures = moving_square(count, (step, step / 4), size=(240, 120), start=(5, 20), edge=40)
    maps = measured_alone(noisy(pictures), rate)
    vx, vy = velocity(maps, count // 2)
    assert vx == pytest.approx(step * rate, rel=0.2)
    assert vy == pytest.approx(step / 4 * rate, rel=0.3)
    assert not maps.camera.any()
    assert not maps.lighting_change.any()


def test_a_variable_rate_does_not_change_the_speed() -> None:
    """The step is in proportion to the time that passed, so the speed is 60 px/s throughout."""
    steps = np.array([0, *[1, 2, 3] * 5])
    seconds = np.cumsum(steps) / 20
    pictures = np.concatenate(
        [moving_square(1, (0, 0), start=(20 + 60 * s, 30), size=(200, 96)) for s in seconds]
    )
    maps = measured(ChunkPictures.alone(noisy(pictures), seconds), 10.0)
    assert velocity(maps, 7)[0] == pytest.approx(60, rel=0.15)


def test_velocity_is_kept_where_there_is_foreground_only() -> None:
    maps = measured_alone(noisy(moving_square(12, (3, 0))))
    assert not maps.vx[maps.foreground == 0].any()
    assert not maps.vy[maps.foreground == 0].any()
    assert (maps.foreground <= SETTINGS.cell**2).all()


def test_a_light_switched_on_leaves_frames_that_are_not_trusted() -> None:
    ground = texture(160, 96)
    across = np.linspace(-60, 100, 160)
    lit = np.clip(ground + across[None], 0, 255)
    maps = measured_alone(noisy(np.stack([ground] * 20 + [lit.astype(np.uint8)] * 8)))
    assert not maps.lighting_change[:20].any()
    assert maps.lighting_change[20:].all()
    assert not maps.foreground[20:].any()
    assert not maps.camera.any()


def test_a_brighter_exposure_is_trusted() -> None:
    ground = texture(160, 96)
    pictures = np.stack([ground] * 12 + [ground + np.uint8(30)] * 12)
    maps = measured_alone(noisy(pictures))
    assert not maps.lighting_change.any()
    assert not maps.foreground.any()


def pan(count: int, step: int, target_step: int = 0) -> Picture:
    """A camera that pans over a ground, with a square that moves against the ground."""
    wide = texture(160 + count * abs(step) + 40, 96)
    pictures = np.stack([wide[:, i * step : i * step + 160] for i in range(count)])
    target = texture(24, 24, 1, 180, 255)
    for i in range(count):
        x = 60 + i * (target_step - step)
        if target_step and 0 <= x <= 136:
            pictures[i, 30:54, x : x + 24] = target
    return noisy(pictures)


def test_a_panning_camera_is_flagged_and_taken_away() -> None:
    maps = measured_alone(pan(14, 3))
    middle = slice(3, 11)
    assert maps.camera[middle, 0] == pytest.approx(-75, rel=0.1)
    assert np.abs(maps.camera[middle, 1]).max() < 5
    speed = np.hypot(maps.vx[middle], maps.vy[middle]) * SPEED_UNIT
    moving = maps.foreground[middle] > 32
    assert moving.mean() < 0.05
    assert np.median(speed[moving]) < 40 if moving.any() else True


def test_under_a_panning_camera_a_target_moves_against_the_ground() -> None:
    maps = measured_alone(pan(14, 2, target_step=5))
    assert maps.camera[:, 0] == pytest.approx(-50, rel=0.1)
    # Cells at the target's edge see it in part of the window only; its middle sees all of it.
    assert maps.vx[7].max() * SPEED_UNIT == pytest.approx(5 * 25, rel=0.2)


def test_a_still_camera_with_a_target_is_still() -> None:
    assert not measured_alone(noisy(moving_square(24, (4, 0), start=(5, 30), edge=40))).camera.any()


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("size", [(16, 16), (24, 8), (17, 23)])
def test_the_shortest_and_smallest_chunks(count: int, size: tuple[int, int]) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (count, size[1], size[0]), dtype=np.uint8)
    grid = grid_of(pictures)
    pictures = np.ascontiguousarray(pictures[:, : grid.height, : grid.width])
    maps = measured_alone(pictures)
    assert maps.foreground.shape == (count, grid.rows, grid.columns)
    assert len(maps.camera) == len(maps.lighting_change) == count


def test_a_constant_picture_has_no_motion() -> None:
    maps = measured_alone(np.full((20, 32, 48), 128, np.uint8))
    assert not maps.foreground.any()
    assert not maps.camera.any()
    assert not maps.lighting_change.any()


def equal(maps: MotionMaps, other: MotionMaps) -> bool:
    return maps.encode() == other.encode()


def test_the_number_of_threads_changes_nothing() -> None:
    pictures = noisy(moving_square(40, (2, 0), size=(160, 96)))
    chunk = ChunkPictures.alone(pictures, np.arange(40) / 25)
    assert equal(measured(chunk, threads=1), measured(chunk, threads=3))


PICTURES = noisy(moving_square(36, (2, 0), size=(160, 64), start=(10, 20)))
SECONDS = np.arange(36) / 25
# The same sample over and over decides the median, whatever the chunk adds of its own.
AROUND = np.repeat(texture(160, 64)[None], 9, axis=0)


def piece(first: int, last: int) -> MotionMaps:
    with MotionMeter(grid_of(PICTURES), SETTINGS, 25.0, 1) as meter:
        begin = max(0, first - meter.context - 1)
        end = min(len(PICTURES), last + meter.context)
        return meter.measure(
            ChunkPictures(
                PICTURES[begin:end],
                SECONDS[begin:end],
                first - begin,
                end - last,
                AROUND,
                np.zeros(1, np.int64),
            )
        )


WHOLE = piece(0, len(PICTURES))


@settings(max_examples=12, deadline=None)
@given(st.sets(st.integers(1, len(PICTURES) - 1), max_size=4))
def test_cutting_into_chunks_changes_nothing(cuts: set[int]) -> None:
    borders = [0, *sorted(cuts), len(PICTURES)]
    parts = [piece(first, last) for first, last in itertools.pairwise(borders)]
    for name in ("foreground", "vx", "vy", "camera", "lighting_change"):
        joined = np.concatenate([getattr(part, name) for part in parts])
        assert np.array_equal(joined, getattr(WHOLE, name)), name


def test_a_wish_to_stop_ends_the_measurement() -> None:
    token = CancelToken()
    token.cancel()
    chunk = ChunkPictures.alone(PICTURES, SECONDS)
    with MotionMeter(grid_of(PICTURES), SETTINGS, 25.0, 1) as meter, pytest.raises(CancelledError):
        meter.measure(chunk, token)
