"""The types of the fields of a manifest, and names that mean the same on every system."""

from __future__ import annotations

import math
import re
from pathlib import PurePosixPath
from typing import Annotated

from engine.core.json_input import Rule, require, within

MAX_BYTES = 1 << 40
"""Size of anything a manifest may speak of; more is a mistake or an attack."""

MAX_ENTRIES = 64  # Of lists and objects in a manifest, more than any pack has; bounds its reading.
_MAX_TEXT = 4000  # Characters of a text; a provenance in words has some hundred.
_MAX_PATH = 160  # Characters of a path, so that it and its folder stay below the 260 of Windows.
_MAX_PATH_PARTS = 4  # Of a path in a pack; packs of this program have one or two.
_PACK_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
_PATH_PART = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_VERSION = re.compile(r"[0-9]+(?:\.[0-9]+){0,3}(?:[-+.][0-9A-Za-z.-]{1,40})?")
# Windows takes these for devices, whatever their ending.
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)


def is_pack_name(name: str) -> bool:
    """Whether a pack may be called that: it becomes a folder's name on every system."""
    return bool(_PACK_NAME.fullmatch(name)) and ".." not in name and not _DEVICES.fullmatch(name)


def is_inner_path(name: str) -> bool:
    """Whether a relative path, with `/` between its parts, stays inside on every system."""
    parts = name.split("/")
    return (
        len(name) <= _MAX_PATH
        and len(parts) <= _MAX_PATH_PARTS
        and all(_PATH_PART.fullmatch(part) and not _DEVICES.fullmatch(part) for part in parts)
        and PurePosixPath(name).as_posix() == name
    )


_NOT_TOO_LONG = require(
    lambda text: len(text) <= _MAX_TEXT, f"has more than {_MAX_TEXT} characters"
)
_PRINTABLE = require(str.isprintable, "has control characters")


def _check_option(value: object) -> object:
    if isinstance(value, str):
        return _PRINTABLE.apply(_NOT_TOO_LONG.apply(value))
    if not isinstance(value, int | float):
        raise ValueError("is not a number")
    if not math.isfinite(value):
        raise ValueError("is not finite")
    return value


Text = Annotated[str, _NOT_TOO_LONG, _PRINTABLE]
"""Printable characters, perhaps none."""

Line = Annotated[str, require(str.strip, "is empty"), _NOT_TOO_LONG, _PRINTABLE]
"""A line of printable characters, not all of them blank."""

PackName = Annotated[Line, require(is_pack_name, "is no name of a pack (a-z, 0-9, dot, dash)")]
"""A name that a pack may have."""

Version = Annotated[Line, require(_VERSION.fullmatch, "is no version")]
"""A version, as `1.0.0`."""

FolderName = Annotated[
    Line, require(lambda name: "/" not in name and is_inner_path(name), "is no name of a folder")
]
"""The name of a folder."""

Sha256 = Annotated[
    str,
    require(lambda value: isinstance(value, str), "is not a SHA-256", before=True),
    require(_SHA256.fullmatch, "is no SHA-256 in lower-case hexadecimal"),
]
"""A SHA-256 in lower-case hexadecimal."""

Option = Annotated[str | int | float | bool, Rule(_check_option, before=True)]
"""A text, a finite number, or true or false."""

Count = Annotated[int, within(0, MAX_BYTES)]
"""A number of bytes or of anything else."""
