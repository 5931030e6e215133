"""Reads a cell array of matrices from a MATLAB file of version 5 to 7.

SciPy's reader ends the whole process on some damaged files; this one checks every length first.
Source: "MAT-File Format", The MathWorks, chapter 1 (Level 5 MAT-files).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError

# Data types of elements and classes of arrays, as chapter 1 numbers them; 6 to 15 are numeric.
_NUMBERS = {
    1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8",
}  # fmt: skip
_MATRIX, _COMPRESSED = 14, 15  # miMATRIX and miCOMPRESSED, data types of elements
_CELL, _NUMERIC = 1, range(6, 16)
_HEADER = 128  # bytes of the file's header, whose last two give the byte order
_MAX_BYTES = 3 << 30  # of a file, packed or not; a choice that bounds memory, 3 GiB


class _DamagedError(Exception):
    """A length, type or number in the file is impossible."""


def read_cells(path: Path, name: str) -> list[NDArray[np.generic]]:
    """Reads a variable that is a cell array of real matrices, as `volLabel` of CUHK Avenue.

    Args:
        path: the `.mat` file.
        name: the variable.

    Returns:
        The matrices [rows, columns] in MATLAB's order; views of one buffer.

    Raises:
        BadInputError: the file cannot be read, is damaged or has no such variable.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        return _cells(data, name)
    except OSError as error:
        reason = error.strerror or "cannot be read"
    except (_DamagedError, struct.error, zlib.error, ValueError, OverflowError) as error:
        reason = str(error)
    raise BadInputError(
        f"no readable {name} ({reason})", path, "restore this file from the data set"
    )


def _cells(data: bytes, name: str) -> list[NDArray[np.generic]]:
    order = {b"IM": "<", b"MI": ">"}.get(data[126:_HEADER])
    if order is None or len(data) > _MAX_BYTES:
        raise _DamagedError("not a MATLAB file of version 5 to 7")
    for kind, body in _elements(memoryview(data)[_HEADER:], order):
        if kind == _COMPRESSED:
            whole = zlib.decompressobj().decompress(body, _MAX_BYTES)
            kind, body = next(_elements(memoryview(whole), order), (0, body))
        if kind == _MATRIX:
            flags, variable, _, rest = _matrix(body, order)
            if variable == name:
                if flags != _CELL:
                    raise _DamagedError("it is not a cell array")
                return [_numbers(cell, order) for kind, cell in rest if kind == _MATRIX]
    raise _DamagedError("the file has no such variable")


def _elements(data: memoryview, order: str) -> Iterator[tuple[int, memoryview]]:
    """Yields type and content of the data elements that follow each other."""
    at = 0
    while at + 8 <= len(data):
        kind, size = struct.unpack_from(f"{order}II", data, at)
        if kind >> 16:
            # A small element holds its size in the upper half and up to four bytes of content.
            kind, size, start, end = kind & 0xFFFF, kind >> 16, at + 4, at + 8
            if size > 4:
                raise _DamagedError("an element is longer than its place")
        else:
            start = at + 8
            end = start + size if kind == _COMPRESSED else start + -(-size // 8) * 8
        if start + size > len(data):
            raise _DamagedError("an element is cut short")
        yield kind, data[start : start + size]
        at = end


def _matrix(
    body: memoryview, order: str
) -> tuple[int, str, tuple[int, ...], Iterator[tuple[int, memoryview]]]:
    """Returns class, name, shape and the remaining elements of a matrix."""
    parts = _elements(body, order)
    heads = [content for _, content in (next(parts, (0, None)) for _ in range(3)) if content]
    if len(heads) < 2 or len(heads[0]) != 8 or len(heads[1]) % 4:
        raise _DamagedError("a matrix has no shape")
    flags = struct.unpack(f"{order}I", heads[0][:4])[0]
    if flags & 0x0800:
        raise _DamagedError("a matrix is complex")
    shape = struct.unpack(f"{order}{len(heads[1]) // 4}i", heads[1])
    name = bytes(heads[2]).decode("latin-1") if len(heads) == 3 else ""
    return flags & 0xFF, name, shape, parts


def _numbers(body: memoryview, order: str) -> NDArray[np.generic]:
    flags, _, shape, parts = _matrix(body, order)
    kind, content = next(parts, (0, memoryview(b"")))
    if flags not in _NUMERIC or kind not in _NUMBERS or len(shape) != 2 or min(shape) < 1:
        raise _DamagedError("a cell is not a matrix of numbers")
    dtype = np.dtype(order + _NUMBERS[kind])
    if shape[0] * shape[1] * dtype.itemsize != len(content):
        raise _DamagedError("a matrix does not fill its shape")
    return np.frombuffer(content, dtype).reshape(shape, order="F")
