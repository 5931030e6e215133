"""The one validator of JSON that nobody vouches for: parsed within limits, read as dataclasses.

What a document must hold is what the fields of a frozen dataclass say. A `Rule` in the annotation
of a field demands more than its type does. Unknown fields are ignored; a dataclass with
`__pydantic_config__ = REFUSE_UNKNOWN` refuses them. Pydantic is imported when the first document is
read, because that takes longer than the start of a command may.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails, SchemaValidator

T = TypeVar("T")

REFUSE_UNKNOWN = {"extra": "forbid"}
"""Makes a dataclass refuse fields that it does not have, as the value of `__pydantic_config__`."""

MAX_BYTES = 64 << 20
"""Size of the largest document that is parsed; the longest message of the protocol has it."""

MAX_DEPTH = 64
"""Objects and lists inside one another; what this program writes has less than ten."""

_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_NO_BRACKETS = re.compile(r"[^\[\]{}]+")

_REASONS = {
    "missing": "is missing",
    "unexpected_keyword_argument": "is unknown",
    "string_type": "is not text",
    "int_type": "is not a whole number",
    "float_type": "is not a number",
    "bool_type": "is neither true nor false",
    "literal_error": "is none of {expected}",
    "finite_number": "is not finite",
    "dataclass_type": "is not an object",
    "dict_type": "is not an object",
    "tuple_type": "is not a list",
}
"""Our words for the kinds of errors that pydantic finds; `{}` is filled from its context."""


class NestedTooDeeplyError(ValueError):
    """A document that has more than `MAX_DEPTH` objects and lists inside one another."""


class JsonFault(ValueError):
    """The first thing about a document that is not as its dataclass says.

    Attributes:
        path: keys and 0-based indices that lead to the value.
        kind: pydantic's word for what is wrong with it, as `int_type`; `value_error` for a `Rule`.
        reason: what is wrong with it, as `is not a whole number`.
        value: the value itself; of a missing one the object that should have it.
        cause: the error that a `Rule` raised.
    """

    def __init__(self, details: ErrorDetails) -> None:
        context = details.get("ctx", {})
        self.path = details["loc"]
        self.kind = details["type"]
        self.value: object = details["input"]
        self.cause: object = context.get("error")
        reason = _REASONS.get(self.kind, "is not what it must be").format(**context)
        self.reason = str(self.cause or reason)
        super().__init__(self.line())

    def line(self) -> str:
        """Returns where the value stands and what is wrong with it, lists counted from 1."""
        *outer, last = self.path or ("it",)
        if not outer or not isinstance(last, int):
            names = [f"[{key + 1}]" if isinstance(key, int) else f".{key}" for key in outer]
            return f"{''.join([*names, f'.{last}']).lstrip('.')} {self.reason}"
        if self.kind == "dataclass_type":
            return f"{outer[-1]} holds something else than objects (entry {last + 1})"
        return f"{outer[-1]}.{last + 1} {self.reason}"


@dataclass(frozen=True)
class Rule:
    """A demand on a field beside its type; stands in the annotation of the field.

    Attributes:
        apply: returns the value, changed or not; raises ValueError with what is wrong, as
            `is empty`.
        before: whether it gets the value before its type is looked at.
    """

    apply: Callable[[Any], object]
    before: bool = False

    def __get_pydantic_core_schema__(
        self, source: object, handler: Callable[[object], dict[str, Any]]
    ) -> dict[str, Any]:
        return {
            "type": "function-before" if self.before else "function-after",
            "function": {"type": "no-info", "function": self.apply},
            "schema": handler(source),
        }


def require(holds: Callable[[Any], object], reason: str, before: bool = False) -> Rule:
    """Returns the rule that a condition holds of a value, with what is wrong where it does not."""

    def apply(value: object) -> object:
        if not holds(value):
            raise ValueError(reason)
        return value

    return Rule(apply, before)


def within(low: float, high: float) -> Rule:
    """Returns the rule that a number lies within bounds."""
    return require(lambda value: low <= value <= high, f"is not within {low} and {high}")


def max_entries(count: int) -> Rule:
    """Returns the rule that a list or an object is no longer, checked before what is in it."""
    sized = (list, tuple, dict)
    reason = f"has more than {count} entries"
    return require(lambda value: not isinstance(value, sized) or len(value) <= count, reason, True)


def parse_json(data: bytes | str, *, allow_nan: bool = False) -> Any:  # noqa: ANN401
    """Parses JSON of limited size and depth in which no key stands twice.

    Args:
        data: the document, in any of JSON's encodings.
        allow_nan: whether NaN and infinities pass, for a reader that names the value they stand in;
            `read_json` refuses them where a number is due.

    Raises:
        ValueError: it is no such document.
        NestedTooDeeplyError: it is nested too deeply.
    """
    if len(data) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES} bytes")
    text = (
        data if isinstance(data, str) else data.decode(json.detect_encoding(data), "surrogatepass")
    )
    _check_depth(text)
    refuse = None if allow_nan else _refuse_constant
    return json.loads(text, object_pairs_hook=_without_doubles, parse_constant=refuse)


def read_json(kind: type[T], value: object, *, complete: bool = False) -> T:
    """Reads parsed JSON as a dataclass: strictly, so that no value becomes one of another type.

    Args:
        kind: the dataclass.
        value: what `parse_json` returned, or a part of it.
        complete: whether fields with a default must be there all the same.

    Raises:
        JsonFault: a value is missing, of another type, not finite, or against a rule.
    """
    from pydantic_core import ValidationError

    try:
        result: T = _validator(cast("Any", kind), complete).validate_python(value)
    except ValidationError as error:
        raise JsonFault(error.errors(include_url=False)[0]) from error
    return result


def _check_depth(text: str) -> None:
    depth = 0
    for bracket in _NO_BRACKETS.sub("", _STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > MAX_DEPTH:
            raise NestedTooDeeplyError(f"nested more than {MAX_DEPTH} deep")


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a key stands twice")
    return fields


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is no number")


@cache
def _validator(kind: type, complete: bool) -> SchemaValidator:
    from pydantic.type_adapter import TypeAdapter
    from pydantic_core import SchemaValidator

    schema: Any = TypeAdapter(kind).core_schema
    _make_strict(schema, complete)
    return SchemaValidator(schema)


def _make_strict(schema: object, complete: bool) -> None:
    """Makes the leaves of a schema strict, and with `complete` its fields required.

    The strict mode of pydantic itself would refuse a dictionary for a dataclass and a list for a
    tuple, and its mode for JSON the names of files that are no text.
    """
    if isinstance(schema, dict):
        if schema.get("type") in ("str", "int", "float", "bool"):
            schema["strict"] = True
        if schema.get("type") == "float":
            schema["allow_inf_nan"] = False
        field = schema["schema"] if schema.get("type") == "dataclass-field" else {}
        if complete and field.get("type") == "default":
            schema["schema"] = field["schema"]
        for name, inner in schema.items():
            if name not in ("default", "metadata"):
                _make_strict(inner, complete)
    elif isinstance(schema, list):
        for inner in schema:
            _make_strict(inner, complete)
