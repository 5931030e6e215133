"""Reads typed values from untyped rows; a value of another type means a damaged case."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from engine.case.store.database import Database, Row, damage_error
from engine.core.errors import BadInputError


@contextmanager
def decoding(database: Database, table: str) -> Iterator[None]:
    """Turns errors that arise while a row is decoded into one about the case.

    Raises:
        BadInputError: the row does not contain what such a row contains.
    """
    try:
        yield
    except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise damage_error(database.path, f"{table}: {error}") from error


def integer(row: Row, name: str) -> int:
    """Returns an integer column."""
    value = row[name]
    if type(value) is not int:
        raise TypeError(f"{name} is no integer")
    return value


def integer_or_none(row: Row, name: str) -> int | None:
    """Returns an integer column that may be empty."""
    return None if row[name] is None else integer(row, name)


def real(row: Row, name: str) -> float:
    """Returns a real column."""
    value = row[name]
    if not isinstance(value, int | float):
        raise TypeError(f"{name} is no number")
    return float(value)


def real_or_none(row: Row, name: str) -> float | None:
    """Returns a real column that may be empty."""
    return None if row[name] is None else real(row, name)


def text(row: Row, name: str) -> str:
    """Returns a text column."""
    value = row[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} is no text")
    return value


def text_or_none(row: Row, name: str) -> str | None:
    """Returns a text column that may be empty."""
    return None if row[name] is None else text(row, name)


def blob(row: Row, name: str) -> bytes:
    """Returns a blob column."""
    value = row[name]
    if not isinstance(value, bytes):
        raise TypeError(f"{name} is no blob")
    return value


def items(row: Row, name: str) -> list[Any]:
    """Returns a column that contains a JSON list."""
    value = json.loads(text(row, name))
    if not isinstance(value, list):
        raise TypeError(f"{name} is no list")
    return value


def to_json(value: object) -> str:
    """Writes JSON in one form: sorted keys, no spaces, no NaN.

    Raises:
        BadInputError: the value has no JSON.
    """
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (ValueError, TypeError) as error:
        raise BadInputError(f"a value that cannot be stored ({error})") from error


def json_text(value: str | Mapping[str, object]) -> str:
    """Takes JSON text as it is, and writes a mapping as JSON."""
    return value if isinstance(value, str) else to_json(value)


def to_real(value: float) -> float:
    """Returns a float as SQLite gives it back, which keeps no negative zero."""
    return float(value) + 0.0


def to_real_or_none(value: float | None) -> float | None:
    """Returns a float as SQLite gives it back, or None."""
    return None if value is None else to_real(value)
