from __future__ import annotations

import numpy as np
import pytest

from engine.core.errors import BadInputError
from engine.motion.flow import Flow, changed_part
from tests.motion.motion_material import moving_square, texture


def test_nothing_changed_between_equal_pictures_and_noise() -> None:
    ground = texture(160, 96)
    noise = np.random.default_rng(0).integers(-4, 5, ground.shape)
    assert changed_part(ground, ground, 5.0) == (None, 0.0)
    assert changed_part(ground, (ground + noise).astype(np.uint8), 5.0) == (None, 0.0)


def test_the_changed_part_holds_the_moved_square_and_little_else() -> None:
    previous, current = moving_square(2, (4, 0), start=(40, 32))
    part, share = changed_part(previous, current, 5.0)
    assert part is not None
    x0, y0, x1, y1 = part
    assert 24 <= x0 <= 40
    assert 24 <= y0 <= 32
    assert 68 <= x1 <= 80
    assert 56 <= y1 <= 64
    assert 0 < share < 0.15


@pytest.mark.parametrize("size", [(16, 16), (8, 40), (40, 8), (24, 16)])
def test_tiny_pictures_have_flow(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    previous, current = rng.integers(0, 256, (2, size[1], size[0]), dtype=np.uint8)
    part, _ = changed_part(previous, current, 5.0)
    field = Flow("fast", 1).between(previous, current, part)
    assert field.shape == (size[1], size[0], 2)
    assert np.isfinite(field).all()


def test_without_change_there_is_no_flow() -> None:
    ground = texture(64, 48)
    assert not Flow("fast", 1).between(ground, ground, None).any()


def test_flow_of_the_changed_part_is_right_there_and_zero_elsewhere() -> None:
    previous, current = moving_square(2, (3, 2), size=(480, 320), start=(40, 40))
    part, _ = changed_part(previous, current, 5.0)
    field = Flow("fast", 1).between(previous, current, part)
    inside = field[48:60, 48:60].reshape(-1, 2)
    assert np.median(inside, axis=0) == pytest.approx([3, 2], abs=0.3)
    # The square with its margin ends long before the middle of the picture.
    assert not field[:, 240:].any()
    assert not field[200:].any()


def test_an_unknown_preset_is_named() -> None:
    with pytest.raises(BadInputError, match="perfect"):
        Flow("perfect", 1)
