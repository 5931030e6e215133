"""Named arrays as one compressed blob, equal bytes for equal arrays.

Layout: `SLA1`, then a zlib stream of a length-prefixed JSON header (name, type, shape, filter of
each array) and the arrays' bytes in that order. One-dimensional integers are stored as
differences (frame numbers and PTS become almost nothing), everything wider than a byte with its
bytes sorted by significance, which halves what zlib makes of floats.
"""

from __future__ import annotations

import json
import math
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError

_MAGIC = b"SLA1"
_MAX_BYTES = 1 << 30  # Of the arrays of a blob, far more than a chunk takes; a damaged one may lie.
_TYPES = frozenset(
    ["|b1", "|u1", "|i1", "<u2", "<i2", "<u4", "<i4", "<u8", "<i8", "<f2", "<f4", "<f8"]
)


def pack_arrays(arrays: Mapping[str, NDArray[Any]], level: int = 1) -> bytes:
    """Packs arrays into a compressed blob; the same arrays always give the same bytes.

    Args:
        arrays: by name, of booleans, integers or floats and any shape.
        level: zlib's, 0..9.

    Raises:
        ValueError: an array's type is not stored.
    """
    header: list[list[object]] = []
    bodies: list[bytes] = []
    for name, source in arrays.items():
        array = np.ascontiguousarray(source, dtype=source.dtype.newbyteorder("<"))
        kind = array.dtype.str
        if kind not in _TYPES:
            raise ValueError(f"arrays of type {kind} are not stored")
        delta = source.ndim == 1 and array.dtype.kind in "iu"
        if delta:
            # Unsigned differences wrap, so the sum restores every value exactly.
            unsigned = array.view(f"<u{array.dtype.itemsize}")
            array = np.diff(unsigned, prepend=unsigned.dtype.type(0))
        planes = array.reshape(-1).view(np.uint8).reshape(-1, array.dtype.itemsize)
        header.append([name, kind, list(source.shape), int(delta)])
        bodies.append(np.ascontiguousarray(planes.T).tobytes())
    head = json.dumps(header, separators=(",", ":")).encode()
    return _MAGIC + zlib.compress(struct.pack("<I", len(head)) + head + b"".join(bodies), level)


def unpack_arrays(blob: bytes) -> dict[str, NDArray[Any]]:
    """Restores what `pack_arrays` packed.

    Raises:
        BadInputError: the blob is damaged or claims more than 1 GiB.
    """
    try:
        return _unpack(blob)
    except (ValueError, TypeError, KeyError, struct.error, zlib.error) as error:
        raise BadInputError(
            "stored arrays are damaged", str(error), "verify the case; a recovery copy may help"
        ) from error


def _unpack(blob: bytes) -> dict[str, NDArray[Any]]:
    if blob[:4] != _MAGIC:
        raise ValueError("not a blob of arrays")
    stream = zlib.decompressobj()
    start = stream.decompress(blob[4:], 4)
    (length,) = struct.unpack("<I", start)
    if length > 1 << 20:
        raise ValueError("header too long")
    head = stream.decompress(stream.unconsumed_tail, length) if length else b""
    arrays: dict[str, NDArray[Any]] = {}
    total = 0
    for name, kind, shape, delta in json.loads(head):
        if kind not in _TYPES or any(type(n) is not int or n < 0 for n in shape):
            raise ValueError("unknown type or shape")
        total += math.prod(shape) * np.dtype(kind).itemsize
        if total > _MAX_BYTES:
            raise ValueError("arrays too large")
        arrays[str(name)] = _read_array(stream, np.dtype(kind), tuple(shape), bool(delta))
    if stream.decompress(stream.unconsumed_tail, 1) or not stream.eof:
        raise ValueError("more or less data than the header says")
    return arrays


def _read_array(
    stream: zlib._Decompress, dtype: np.dtype[Any], shape: tuple[int, ...], delta: bool
) -> NDArray[Any]:
    size = math.prod(shape) * dtype.itemsize
    data = stream.decompress(stream.unconsumed_tail, size) if size else b""
    if len(data) != size:
        raise ValueError("data end early")
    planes = np.frombuffer(data, np.uint8).reshape(dtype.itemsize, -1)
    flat = np.ascontiguousarray(planes.T).reshape(-1).view(dtype)
    if delta:
        unsigned = flat.view(f"<u{dtype.itemsize}")
        flat = np.cumsum(unsigned, dtype=unsigned.dtype).view(dtype)
    return flat.reshape(shape)
