from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.core.arrays import pack_arrays, unpack_arrays
from engine.core.errors import BadInputError
from engine.motion.box_motion import box_motion
from engine.motion.grid import Grid
from engine.motion.motion_maps import MotionMaps


def some_maps(seed: int, shape: tuple[int, int, int]) -> MotionMaps:
    rng = np.random.default_rng(seed)
    count, rows, columns = shape
    foreground = rng.integers(0, 65, shape).astype(np.uint8)
    foreground[rng.random(shape) < rng.random()] = 0
    present = foreground > 0
    limit = 1 << 15
    return MotionMaps(
        foreground,
        np.where(present, rng.integers(-limit, limit, shape), 0).astype(np.int16),
        np.where(present, rng.integers(-limit, limit, shape), 0).astype(np.int16),
        rng.normal(size=(count, 2)).astype(np.float32),
        rng.random(count) < 0.3,
        rng.integers(0, 256, (rows * 2, columns * 2)).astype(np.uint8),
    )


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.tuples(*[st.integers(1, 6)] * 3))
def test_what_is_encoded_is_decoded(seed: int, shape: tuple[int, int, int]) -> None:
    maps = some_maps(seed, shape)
    blob = maps.encode()
    again = MotionMaps.decode(blob)
    for name in ("foreground", "vx", "vy", "camera", "lighting_change", "background"):
        before, after = getattr(maps, name), getattr(again, name)
        assert before.dtype == after.dtype
        assert np.array_equal(before, after), name
    assert again.encode() == blob


BLOB = some_maps(1, (5, 4, 6)).encode()


@settings(max_examples=60)
@given(st.integers(0, len(BLOB) - 1), st.integers(1, 255))
def test_a_changed_byte_is_noticed_or_harmless(at: int, flip: int) -> None:
    damaged = bytearray(BLOB)
    damaged[at] ^= flip
    try:
        decoded = MotionMaps.decode(bytes(damaged))
    except BadInputError:
        return
    assert decoded.encode() == BLOB


@pytest.mark.parametrize("length", [0, 3, 4, 20, len(BLOB) - 1])
def test_a_cut_blob_is_refused(length: int) -> None:
    with pytest.raises(BadInputError):
        MotionMaps.decode(BLOB[:length])


def altered(**changes: NDArray[Any] | None) -> bytes:
    arrays = {**unpack_arrays(BLOB), **changes}
    return pack_arrays({name: array for name, array in arrays.items() if array is not None})


@pytest.mark.parametrize(
    "changes",
    [
        {"shape": None},
        {"camera": None},
        {"shape": np.array([5, 4], np.int32)},
        {"shape": np.array([-5, -4, 6], np.int32)},
        {"shape": np.array([1 << 12, 1 << 12, 1 << 12], np.int32)},
        {"shape": np.array([5, 4, 7], np.int32)},
        {"foreground": np.zeros((1, 1), np.uint8)},
        {"foreground": np.zeros(3, np.uint8)},
        {"vx": np.zeros((0, 1), np.int16)},
        {"camera": np.zeros((4, 2), np.float32)},
        {"unsteady": np.zeros(9, np.bool_)},
        {"background": np.zeros(9, np.uint8)},
    ],
)
def test_arrays_that_do_not_fit_each_other_are_refused(
    changes: dict[str, NDArray[Any] | None],
) -> None:
    with pytest.raises(BadInputError):
        MotionMaps.decode(altered(**changes))


def test_a_blob_of_something_else_is_refused() -> None:
    with pytest.raises(BadInputError):
        MotionMaps.decode(pack_arrays({"scores": np.zeros(3, np.float32)}))


def test_a_part_is_a_part() -> None:
    maps = some_maps(3, (6, 3, 3))
    part = maps.part(2, 5)
    assert len(part) == 3
    assert np.array_equal(part.vx, maps.vx[2:5])


def test_boxes_average_the_foreground_and_end_at_the_edge() -> None:
    foreground = np.zeros((2, 5, 5), np.uint8)
    foreground[0, 0, 0] = 64
    vx = np.zeros((2, 5, 5), np.int16)
    vx[0, 0, 0] = 40
    none = np.zeros((2, 5, 5), np.int16)
    maps = MotionMaps(
        foreground, vx, none, np.zeros((2, 2), np.float32), np.zeros(2, bool),
        np.zeros((10, 10), np.uint8),
    )  # fmt: skip
    motion = box_motion(maps, 8, 3, 0.02)
    assert motion.present[0, :2, :2].all()
    assert motion.present.sum() == 4
    assert motion.speed[0, :2, :2] == pytest.approx(20)
    assert motion.vx[0, 1, 1] == pytest.approx(20)
    assert motion.share[0, 0, 0] == pytest.approx(1 / 9)
    assert not motion.speed[~motion.present].any()


@pytest.mark.parametrize(
    ("source", "size"),
    [
        ((320, 240), (320, 240)),
        ((321, 243), (320, 240)),
        ((17, 16), (16, 16)),
        ((16, 3000), (16, 3000)),
    ],
)
def test_small_pictures_are_not_scaled(source: tuple[int, int], size: tuple[int, int]) -> None:
    assert Grid.fit(*source, 147_456, 8).size == size


@given(st.integers(16, 20_000), st.integers(16, 20_000))
def test_boxes_of_a_grid_cover_the_picture_and_never_leave_it(width: int, height: int) -> None:
    grid = Grid.fit(width, height, 147_456, 8)
    assert grid.width % 8 == grid.height % 8 == 0
    assert grid.width <= width
    assert grid.height <= height
    whole = grid.box(0, 0, grid.rows - 1, grid.columns - 1)
    assert whole.corners == (0, 0, width - 1, height - 1)
    last = grid.box(grid.rows - 1, grid.columns - 1, grid.rows - 1, grid.columns - 1)
    assert last.w >= 1
    assert last.h >= 1
    assert last.corners[2:] == (width - 1, height - 1)


@given(st.integers(160, 20_000), st.integers(160, 20_000))
def test_large_pictures_are_scaled_to_the_area(width: int, height: int) -> None:
    grid = Grid.fit(width, height, 147_456, 8)
    assert grid.width * grid.height <= 147_456
