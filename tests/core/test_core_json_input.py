"""The validator of untrusted JSON: limits before parsing, strict types, and named faults."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest

from engine.core.json_input import (
    MAX_DEPTH,
    REFUSE_UNKNOWN,
    JsonFault,
    NestedTooDeeplyError,
    max_entries,
    parse_json,
    read_json,
    require,
    within,
)


@dataclass(frozen=True)
class Point:
    __pydantic_config__ = REFUSE_UNKNOWN

    x: Annotated[int, within(0, 9)]
    y: float = 0.0


@dataclass(frozen=True)
class Shape:
    name: Annotated[str, require(str.strip, "is empty")]
    closed: bool = False
    points: Annotated[tuple[Point, ...], max_entries(3)] = ()
    sides: tuple[float, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    colour: int | None = None


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "Expecting value"),
        (b'{"a": 1, "a": 2}', "a key stands twice"),
        (b"[NaN]", "NaN is no number"),
        (b"[-Infinity]", "-Infinity is no number"),
        (b'"\xff"', "codec can't decode"),
        (b"[" + b"9" * 5000 + b"]", "Exceeds the limit"),
        (b'["' + b"a" * (64 << 20) + b'"]', "more than"),
    ],
)
def test_what_is_no_plain_json_is_refused(data: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_json(data)


@pytest.mark.parametrize("bracket", ["[", '{"a": ', '["\\"[", '])
def test_depth_is_limited_before_anything_is_parsed(bracket: str) -> None:
    with pytest.raises(NestedTooDeeplyError):
        parse_json(bracket * (MAX_DEPTH + 1))


@pytest.mark.parametrize(
    "value", ["[" * 1000, '\\"]' * 1000, ["]" * 1000, "{"], {"[": {"{": []}}, "\udcff"]
)
def test_brackets_in_texts_are_no_depth(value: object) -> None:
    assert parse_json(json.dumps(value)) == value
    assert parse_json(json.dumps(value).encode("utf-16")) == value


def test_a_document_is_read_as_its_dataclass() -> None:
    value = {"name": "a", "points": [{"x": 1}, {"x": 2, "y": 3}], "sides": [1], "later": 1}
    shape = read_json(Shape, value)
    assert shape == Shape("a", points=(Point(1), Point(2, 3.0)), sides=(1.0,))
    assert type(shape.sides[0]) is float


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ([], "it is not an object"),
        ({}, "name is missing"),
        ({"name": 1}, "name is not text"),
        ({"name": " "}, "name is empty"),
        ({"name": "a", "closed": 1}, "closed is neither true nor false"),
        ({"name": "a", "colour": True}, "colour is not a whole number"),
        ({"name": "a", "colour": 1.0}, "colour is not a whole number"),
        ({"name": "a", "colour": "1"}, "colour is not a whole number"),
        ({"name": "a", "points": {}}, "points is not a list"),
        ({"name": "a", "points": [{}] * 4}, "points has more than 3 entries"),
        ({"name": "a", "points": [5]}, "points holds something else than objects (entry 1)"),
        ({"name": "a", "points": [{"x": 10}]}, "points[1].x is not within 0 and 9"),
        ({"name": "a", "points": [{"x": 1, "z": 1}]}, "points[1].z is unknown"),
        ({"name": "a", "points": [{"x": 1, "y": 1e999}]}, "points[1].y is not finite"),
        ({"name": "a", "sides": [1, "2"]}, "sides.2 is not a number"),
        ({"name": "a", "labels": []}, "labels is not an object"),
        ({"name": "a", "labels": {"k": 1}}, "labels.k is not text"),
    ],
)  # fmt: skip
def test_the_first_fault_is_named_with_its_path(value: object, line: str) -> None:
    with pytest.raises(JsonFault) as caught:
        read_json(Shape, value)
    assert str(caught.value) == line


def test_a_complete_document_has_every_field_and_obeys_every_rule() -> None:
    whole: dict[str, Any] = {"x": 1, "y": 2}
    assert read_json(Point, whole, complete=True) == Point(1, 2.0)
    for value, line in (({"x": 1}, "y is missing"), ({"x": 10, "y": 2}, "x is not within 0 and 9")):
        with pytest.raises(JsonFault, match=line):
            read_json(Point, value, complete=True)


def test_pydantic_is_imported_with_the_first_document_only() -> None:
    code = (
        "import sys\n"
        "import engine.core.json_input, engine.protocol, engine.packs.pack, engine.cli.packs\n"
        'engine.protocol.decode(b\'{"v": 1, "id": 1, "type": "packs"}\')\n'
        "print('pydantic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
