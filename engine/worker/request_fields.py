"""The fields of a request, which are not trusted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from engine.core.errors import BadInputError
from engine.core.times import Span

Fields = Mapping[str, Any]
T = TypeVar("T")


def text(fields: Fields, name: str) -> str:
    """Returns a word.

    Raises:
        BadInputError: it is missing or of another type.
    """
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise BadInputError("a request without a word it needs", name, "name it")
    return value


def number(fields: Fields, name: str) -> int:
    """Returns a whole number; raises as `text` does."""
    value = fields.get(name)
    if type(value) is not int:
        raise BadInputError("a request without a number it needs", name, "give it")
    return value


def optional(fields: Fields, name: str, kind: type[T], default: Any) -> Any:  # noqa: ANN401
    """Returns a value of a type, or the default where none is given; raises as `text` does."""
    value = fields.get(name)
    if value is None:
        return default
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise BadInputError("a request with a value of another type", name, kind.__name__)
    return value


def listed(fields: Fields, name: str) -> list[Any]:
    """Returns a list, empty where none is given; raises as `text` does."""
    value = fields.get(name, [])
    if not isinstance(value, list):
        raise BadInputError("a request with a value of another type", name, "give a list")
    return value


def word(value: object) -> str:
    """Returns a value that must be a text; raises as `text` does."""
    if not isinstance(value, str) or not value:
        raise BadInputError("not a path", str(value)[:80], "give a text")
    return value


def spans(fields: Fields) -> tuple[Span, ...]:
    """Returns the spans marked normal; raises as `text` does."""
    found = []
    for one in listed(fields, "normal_spans"):
        ends = one if isinstance(one, list) else []
        if len(ends) != 2 or not all(type(end) in (int, float) for end in ends):
            raise BadInputError("not a span", str(one)[:80], "give [start, end] in seconds")
        if not 0 <= ends[0] <= ends[1] < float("inf"):
            raise BadInputError("a span ends before it starts", str(one)[:80], "swap its ends")
        found.append(Span(float(ends[0]), float(ends[1])))
    return tuple(found)
