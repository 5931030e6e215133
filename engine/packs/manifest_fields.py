"""Reads typed fields of a manifest that nobody vouches for; each refusal names the field."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from engine.core.errors import BadInputError

MOST_BYTES = 1 << 40
"""Size of anything a manifest may speak of; more is a mistake or an attack."""

_LONGEST_TEXT = 4000
_LONGEST_PATH = 160
_DEEPEST_PATH = 4
_PACK_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
_PATH_PART = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_SHA256 = re.compile(r"[0-9a-f]{64}")
# Windows takes these for devices, whatever their ending.
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)
_RESTORE = "restore the pack or ask its maker"


def parse_object(data: bytes, where: object) -> dict[str, Any]:
    """Parses one JSON object strictly: UTF-8, no double key, no NaN, no endless nesting.

    Raises:
        BadInputError: it is something else.
    """
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_single, parse_constant=_refuse)
    except RecursionError as error:
        raise BadInputError("a manifest nested too deeply", where, _RESTORE) from error
    except ValueError as error:
        raise BadInputError(f"a manifest that is no JSON ({error})", where, _RESTORE) from error
    if not isinstance(value, dict):
        raise BadInputError("a manifest that is no object", where, _RESTORE)
    return value


def _single(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a key stands twice")
    return fields


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no number")


def is_pack_name(name: str) -> bool:
    """Whether a pack may be called that: it becomes a folder's name on every system."""
    return bool(_PACK_NAME.fullmatch(name)) and ".." not in name and not _DEVICES.fullmatch(name)


def is_inner_path(name: str) -> bool:
    """Whether a relative path, with `/` between its parts, stays inside on every system."""
    parts = name.split("/")
    return (
        len(name) <= _LONGEST_PATH
        and len(parts) <= _DEEPEST_PATH
        and all(_PATH_PART.fullmatch(part) and not _DEVICES.fullmatch(part) for part in parts)
        and PurePosixPath(name).as_posix() == name
    )


class Fields:
    """The fields of one object of a manifest.

    Args:
        values: the object.
        where: the manifest's path, for errors.
        path: where the object stands inside it, as `backbone.`; empty for the whole.
    """

    def __init__(self, values: Mapping[str, Any], where: Path | str, path: str = "") -> None:
        self._values = values
        self._where = where
        self._path = path

    def bad(self, name: str, what: str) -> BadInputError:
        """Returns the error for a field that is not what it must be."""
        return BadInputError(f"{self._path}{name} {what}", self._where, _RESTORE)

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self._values.get(name) is not None

    def text(self, name: str, empty: bool = False) -> str:
        """Returns a line of text without control characters.

        Raises:
            BadInputError: it is missing, of another type, empty, over-long, or has control
                characters.
        """
        value = self._of(name, str, "text")
        if not value.strip() and not empty:
            raise self.bad(name, "is empty")
        if len(value) > _LONGEST_TEXT:
            raise self.bad(name, f"has more than {_LONGEST_TEXT} characters")
        if not value.isprintable():
            raise self.bad(name, "has control characters")
        return str(value)

    def number(self, name: str, least: int = 0, most: int = MOST_BYTES) -> int:
        """Returns a whole number within bounds.

        Raises:
            BadInputError: it is missing, of another type, or out of bounds.
        """
        value = self._of(name, int, "a whole number")
        if not least <= value <= most:
            raise self.bad(name, f"is not within {least} and {most}")
        return int(value)

    def real(self, name: str) -> float:
        """Returns a finite number.

        Raises:
            BadInputError: it is missing, of another type, or infinite.
        """
        value = self._of(name, (int, float), "a number")
        if not math.isfinite(value):
            raise self.bad(name, "is not finite")
        return float(value)

    def sha256(self, name: str) -> str:
        """Returns a SHA-256 in lower-case hexadecimal.

        Raises:
            BadInputError: it is missing or is none.
        """
        value = self._of(name, str, "a SHA-256")
        if not _SHA256.fullmatch(value):
            raise self.bad(name, "is no SHA-256 in lower-case hexadecimal")
        return str(value)

    def inner(self, name: str) -> Fields:
        """Returns the fields of an object inside this one.

        Raises:
            BadInputError: it is missing or no object.
        """
        return Fields(self._of(name, dict, "an object"), self._where, f"{self._path}{name}.")

    def mapping(self, name: str, most: int) -> dict[str, Any]:
        """Returns an object with free keys, at most so many.

        Raises:
            BadInputError: it is missing, no object, or too large.
        """
        value: dict[str, Any] = self._of(name, dict, "an object")
        if len(value) > most:
            raise self.bad(name, f"has more than {most} entries")
        return value

    def each(self, name: str, most: int) -> list[Fields]:
        """Returns the fields of every object of a list.

        Raises:
            BadInputError: it is missing, no list, too long, or holds something else.
        """
        found = []
        for place, item in enumerate(self._list(name, most), 1):
            if not isinstance(item, dict):
                raise self.bad(name, f"holds something else than objects (entry {place})")
            found.append(Fields(item, self._where, f"{self._path}{name}[{place}]."))
        return found

    def texts(self, name: str, most: int) -> tuple[str, ...]:
        """Returns a list of lines of text.

        Raises:
            BadInputError: as for `text`, or it is no list or too long.
        """
        items = self._list(name, most)
        inner = Fields({str(i): item for i, item in enumerate(items, 1)}, self._where, f"{name}.")
        return tuple(inner.text(str(place)) for place in range(1, len(items) + 1))

    def numbers(self, name: str, most: int) -> tuple[int, ...]:
        """Returns a list of whole numbers.

        Raises:
            BadInputError: as for `number`, or it is no list or too long.
        """
        items = self._list(name, most)
        inner = Fields({str(i): item for i, item in enumerate(items, 1)}, self._where, f"{name}.")
        return tuple(inner.number(str(place)) for place in range(1, len(items) + 1))

    def _list(self, name: str, most: int) -> list[Any]:
        value: list[Any] = self._of(name, list, "a list")
        if len(value) > most:
            raise self.bad(name, f"has more than {most} entries")
        return value

    def _of(self, name: str, kind: type | tuple[type, ...], shown: str) -> Any:  # noqa: ANN401
        if name not in self._values:
            raise self.bad(name, "is missing")
        value = self._values[name]
        # A bool is an int in Python, and never meant as one here.
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self.bad(name, f"is not {shown}")
        return value
