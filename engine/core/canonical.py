"""One byte string for one typed value, and its SHA-256.

The encoding is injective: every value carries its type and its length, so that `1`, `1.0`,
`True` and `"1"` differ, as do `["ab"]` and `["a", "b"]`. JSON would not do: it merges types,
has no bytes, and leaves the form of a float to the writer.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping, Sequence

Canonical = (
    None | bool | int | float | str | bytes | Sequence["Canonical"] | Mapping[str, "Canonical"]
)
"""The values with a canonical form. Lists and tuples are the same; mappings are sorted by key."""

_DOUBLE = struct.Struct(">d").pack


def canonical_bytes(value: object) -> bytes:
    """Encodes a value so that different values never share an encoding.

    Args:
        value: None, bool, int, float (negative zero and every NaN keep their bits), str, bytes,
            or a list, tuple or mapping with text keys of such values.

    Raises:
        TypeError: the value, or one inside it, is of another type.
    """
    parts: list[bytes] = []
    _encode(value, parts)
    return b"".join(parts)


def content_sha256(value: object) -> str:
    """Returns the SHA-256 of the value's canonical form as 64 lower-case hexadecimal digits.

    Raises:
        TypeError: the value has no canonical form.
    """
    return hashlib.sha256(canonical_bytes(value)).hexdigest()


def _encode(value: object, parts: list[bytes]) -> None:
    # The order of the tests matters: bool is an int. The frequent types come first, because
    # a case hashes hundreds of thousands of rows.
    if isinstance(value, str):
        # Names of files may hold bytes that are no UTF-8; Python shows them as lone surrogates.
        data = value.encode("utf-8", "surrogatepass")
        parts.append(b"s%d:%b" % (len(data), data))
    elif isinstance(value, bool):
        parts.append(b"T" if value else b"F")
    elif isinstance(value, int):
        parts.append(b"i%d;" % value)
    elif isinstance(value, float):
        parts.append(b"f" + _DOUBLE(value))
    elif value is None:
        parts.append(b"N")
    elif isinstance(value, bytes | bytearray | memoryview):
        data = bytes(value)
        parts.append(b"b%d:%b" % (len(data), data))
    elif isinstance(value, Mapping):
        _encode_mapping(value, parts)
    elif isinstance(value, list | tuple):
        parts.append(b"l%d:" % len(value))
        for item in value:
            _encode(item, parts)
    else:
        raise TypeError(f"no canonical form for {type(value).__name__}")


def _encode_mapping(value: Mapping[object, object], parts: list[bytes]) -> None:
    keys: list[str] = []
    for key in value:
        if not isinstance(key, str):
            raise TypeError(f"no canonical form for a key of type {type(key).__name__}")
        keys.append(key)
    parts.append(b"d%d:" % len(keys))
    for key in sorted(keys):
        _encode(key, parts)
        _encode(value[key], parts)
