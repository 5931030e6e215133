from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.render.accumulation import accumulate, accumulate_heat, blend_frames


def moving_square(count: int = 5) -> NDArray[np.uint8]:
    background = np.random.default_rng(2).integers(80, 120, (60, 151, 3), dtype=np.uint8)
    frames = np.repeat(background[None], count, axis=0)
    for index in range(count):
        frames[index, 20:34, 8 + 26 * index : 22 + 26 * index] = (250, 20, 20)
    return frames


def test_the_target_shows_at_each_of_its_places_on_a_clean_background() -> None:
    frames = moving_square()
    picture = blend_frames(frames)
    for index in range(5):
        assert picture[27, 15 + 26 * index].tolist() == [250, 20, 20]
    assert np.abs(picture[45:].astype(int) - np.median(frames, axis=0)[45:]).max() <= 1


@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_frames_are_enough(count: int) -> None:
    picture = blend_frames(moving_square(count))
    assert picture.shape == (60, 151, 3)
    assert picture[27, 15 + 26 * (count - 1)].tolist() == [250, 20, 20]


def test_grey_frames_are_blended_too() -> None:
    assert blend_frames(moving_square()[..., 0]).shape == (60, 151, 3)


def test_no_frames_are_refused() -> None:
    with pytest.raises(BadInputError):
        blend_frames(np.zeros((0, 4, 4, 3), np.uint8))
    with pytest.raises(BadInputError):
        blend_frames(np.zeros((4, 4), np.uint8))


def test_heat_accumulates_its_maximum_over_different_grids() -> None:
    first = np.zeros((4, 4), np.float32)
    first[0, 0] = 0.5
    second = np.zeros((8, 6), np.float16)
    second[-1, -1] = 1.0
    heat = accumulate_heat([first, second], 40, 60)
    assert heat[0, 0] == pytest.approx(0.5)
    assert heat[-1, -1] == pytest.approx(1.0)
    assert accumulate_heat([], 7, 9).shape == (7, 9)


def test_the_accumulated_view_without_heat_and_path_is_the_blend() -> None:
    frames = moving_square()
    assert np.array_equal(accumulate(frames, []), blend_frames(frames))
    assert np.array_equal(accumulate(frames, [], np.zeros((0, 2))), blend_frames(frames))


def test_heat_and_path_are_drawn_over_the_blend() -> None:
    frames = moving_square()
    heat = np.zeros((6, 15), np.float32)
    heat[2, 1] = 1.0
    path = np.array([[15.0, 50.0], [119.0, 50.0]])
    plain = blend_frames(frames)
    changed = np.abs(accumulate(frames, [heat], path).astype(int) - plain).max(axis=2) > 20
    assert changed[27, 15]
    assert changed[50, 60]
    assert not changed[5, 100]
