"""Files between the stages: one JSON object a line, without times of day."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from engine.core.errors import BadInputError, ResourceError

Line = Mapping[str, Any]
T = TypeVar("T")

_AGAIN = "run its stage again"


def write_lines(path: Path, values: Iterable[Mapping[str, Any]]) -> None:
    """Writes one object a line; the file is there whole or not at all.

    Raises:
        ResourceError: the disk is full or not writable.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("w", encoding="utf-8", newline="\n") as file:
            for value in values:
                file.write(json.dumps(value, ensure_ascii=False, sort_keys=True) + "\n")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ResourceError(
            f"cannot be written ({error.strerror or error})", path, "make room and run it again"
        ) from error


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Reads what `write_lines` wrote.

    Raises:
        BadInputError: the file is missing, or a line is no JSON object.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError("cannot be read", path, "run the stage before it") from error
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            value = json.loads(line)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise BadInputError(f"line {number} is no JSON object", path, "remove it and run again")
        yield value


def read_all(path: Path, restore: Callable[[Line], T]) -> list[T]:
    """Reads every line of a file that a stage wrote.

    Raises:
        BadInputError: it is missing, or a line is not what `restore` takes.
    """
    out = []
    for number, value in enumerate(read_lines(path), start=1):
        try:
            out.append(restore(value))
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise BadInputError(f"line {number} is damaged ({error})", path, _AGAIN) from error
    return out
