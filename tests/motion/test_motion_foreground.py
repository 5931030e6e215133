from __future__ import annotations

import numpy as np
import pytest

from engine.motion.background import median_background, sample_plan
from engine.motion.foreground import foreground_mask, prepare_background
from tests.motion.motion_material import moving_square, noisy, texture

GROUND = texture(160, 96)


def share(frame: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> float:
    mask, _ = foreground_mask(frame, prepare_background(GROUND), 20.0, 6.0)
    return float(mask.mean())


@pytest.mark.parametrize("exposure", [-40, -15, 15, 40])
def test_a_change_of_exposure_is_no_foreground(exposure: int) -> None:
    lit = noisy(GROUND.astype(np.int16) + exposure)
    assert share(lit) == 0.0


@pytest.mark.parametrize("sigma", [0.0, 5.0, 25.0, 50.0])
def test_noise_is_no_foreground(sigma: float) -> None:
    assert share(noisy(GROUND, sigma)) < 0.002


def test_a_square_is_foreground_under_another_exposure_and_in_noise() -> None:
    frame = moving_square(1, (0, 0), edge=24)[0]
    mask, _ = foreground_mask(
        noisy(frame.astype(np.int16) - 30, 4.0), prepare_background(GROUND), 20.0, 6.0
    )
    truth = np.zeros(GROUND.shape, bool)
    truth[30:54, 20:44] = True
    assert mask[truth].mean() > 0.9
    assert mask[~truth].mean() < 0.05


def test_a_constant_picture_has_no_texture_and_no_foreground() -> None:
    flat = np.full((32, 32), 90, np.uint8)
    background = prepare_background(flat)
    assert not background.textured.any()
    mask, changed = foreground_mask(flat, background, 20.0, 6.0)
    assert not mask.any()
    assert changed == 0.0


def test_the_median_forgets_what_passes() -> None:
    pictures = moving_square(30, (3, 0), size=(160, 96))
    assert np.array_equal(median_background(pictures), GROUND)


def test_samples_are_the_same_whatever_was_asked_before() -> None:
    seconds, keyframe = np.arange(3000) / 25, np.arange(3000) % 25 == 0
    before = sample_plan(seconds, keyframe, 1000, 1249)
    sample_plan(seconds, keyframe, 0, 249)
    for early, late in zip(before, sample_plan(seconds, keyframe, 1000, 1249), strict=True):
        assert np.array_equal(early, late)


def test_keyframes_around_the_chunk_outnumber_its_own_frames() -> None:
    seconds, keyframe = np.arange(3000) / 25, np.arange(3000) % 25 == 0
    own, around = sample_plan(seconds, keyframe, 1000, 1249)
    assert len(around) > len(own) > 0
    assert keyframe[around].all()
    assert ((around < 1000) | (around > 1249)).all()
    assert ((own >= 1000) & (own <= 1249)).all()
    assert (np.diff(own) > 0).all()
    assert (np.diff(around) > 0).all()
    assert seconds[around].min() >= seconds[1000] - 120
    assert seconds[around].max() <= seconds[1249] + 60


def test_without_keyframes_around_the_chunk_serves_itself() -> None:
    seconds, keyframe = np.arange(250) / 25, np.arange(250) == 0
    own, around = sample_plan(seconds, keyframe, 0, 249)
    assert len(around) == 0
    assert len(own) == 25


def test_a_chunk_of_one_frame_is_its_own_sample() -> None:
    own, around = sample_plan(np.zeros(1), np.ones(1, bool), 0, 0)
    assert own.tolist() == [0]
    assert len(around) == 0
