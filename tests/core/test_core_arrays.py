"""Packed arrays come back as they were and damage is told."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine.core.arrays import pack_arrays, unpack_arrays
from engine.core.errors import BadInputError

TYPES = ["?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", ">i8", ">f4"]
ARRAYS = st.sampled_from(TYPES).flatmap(
    lambda kind: hnp.arrays(np.dtype(kind), hnp.array_shapes(min_dims=0, min_side=0, max_side=6))
)


@given(st.dictionaries(st.text(max_size=5), ARRAYS, max_size=3))
def test_arrays_come_back_bit_for_bit(arrays: dict[str, np.ndarray]) -> None:
    packed = pack_arrays(arrays)
    assert pack_arrays(arrays) == packed
    back = unpack_arrays(packed)
    assert list(back) == list(arrays)
    for name, array in arrays.items():
        assert back[name].shape == array.shape
        assert back[name].dtype == array.dtype.newbyteorder("<")
        native = array.astype(array.dtype.newbyteorder("<"))
        assert back[name].tobytes() == native.tobytes()


@given(st.data())
def test_damage_never_ends_in_another_error(data: st.DataObject) -> None:
    packed = bytearray(pack_arrays({"a": np.arange(20), "b": np.ones((2, 3), np.float32)}))
    place = data.draw(st.integers(0, len(packed) - 1))
    packed[place] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.integers(0, len(packed)))
    for blob in (bytes(packed), bytes(packed[:cut])):
        try:
            back = unpack_arrays(blob)
        except BadInputError:
            continue
        assert list(back) == ["a", "b"]


def test_a_blob_that_claims_too_much_is_refused() -> None:
    head = b'[["a","<f8",[1000000000],0]]'
    bomb = b"SLA1" + zlib.compress(len(head).to_bytes(4, "little") + head)
    with pytest.raises(BadInputError, match="too large"):
        unpack_arrays(bomb)


def test_frame_numbers_and_pts_become_almost_nothing() -> None:
    assert len(pack_arrays({"pts": np.arange(2_160_000, dtype=np.int64) * 512})) < 100_000
