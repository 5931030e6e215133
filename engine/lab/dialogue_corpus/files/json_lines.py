"""The files that one stage writes and the next one reads: a JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

from engine.core.errors import BadInputError, ResourceError
from engine.core.files import atomic_path
from engine.core.json_input import JsonFault, parse_json, read_json

T = TypeVar("T")

_AGAIN = "run its stage again"


def plain_values(value: object) -> Any:  # noqa: ANN401
    """Returns JSON values of a record, with the names of fields that its file has (`alias`)."""
    if is_dataclass(value):
        return {
            field.metadata.get("alias", field.name): plain_values(getattr(value, field.name))
            for field in fields(value)
        }
    if isinstance(value, Mapping):
        return {name: plain_values(inner) for name, inner in value.items()}
    return list(map(plain_values, value)) if isinstance(value, list | tuple) else value


def write_lines(path: Path, values: Iterable[Mapping[str, Any]]) -> None:
    """Writes one object a line; the file is there whole or not at all.

    Raises:
        ResourceError: the disk is full or not writable.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as part, part.open("w", encoding="utf-8", newline="\n") as file:
            for value in values:
                file.write(json.dumps(value, ensure_ascii=False, sort_keys=True) + "\n")
    except OSError as error:
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
            value = parse_json(line)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise BadInputError(f"line {number} is no JSON object", path, "remove it and run again")
        yield value


def read_all(path: Path, kind: type[T]) -> list[T]:
    """Reads every line of a file that a stage wrote.

    Raises:
        BadInputError: it is missing, or a line is not what the dataclass says.
    """
    records = []
    for number, value in enumerate(read_lines(path), start=1):
        try:
            records.append(read_json(kind, value, complete=True))
        except JsonFault as fault:
            raise BadInputError(f"line {number} is damaged ({fault})", path, _AGAIN) from fault
    return records
