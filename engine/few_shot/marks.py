"""Marks: what an examiner points at in a frame, and what it is called."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.core.errors import BadInputError
from engine.core.times import format_time, parse_time
from engine.packs.prompt_sets import PromptSet, parse_prompts
from engine.protocol import mark_fields

MOST_MARKS = 2000
_MOST_BYTES = 8 << 20
_MOST_POINTS = 4000
_FURTHEST = 1e6
_SHAPES = ("box", "point", "brush")
_CORRECT = "give evidence_id, time, name, normal, and box, point or brush"

Point = tuple[float, float]


@dataclass(frozen=True)
class Mark:
    """One target in one frame; places are in decoded pixels.

    Attributes:
        evidence_id: the evidence.
        seconds: stream time of the frame.
        name: what it is, a prompt at word level.
        normal: whether it is normal; otherwise abnormal.
        shape: `box`, `point` (the region or the moving thing there) or `brush`.
        points: of a box two opposite corners, of a point one, of a brush the way of its middle.
        radius: of the brush.
    """

    evidence_id: int
    seconds: float
    name: str
    normal: bool
    shape: str
    points: tuple[Point, ...]
    radius: float = 0.0

    def where(self) -> str:
        """Says which mark it is, for errors."""
        return f"evidence {self.evidence_id} at {format_time(self.seconds)}"

    def as_json(self) -> dict[str, Any]:
        """Returns JSON values, as `parse_marks` reads them."""
        return mark_fields(self)


def load_marks(path: Path) -> tuple[Mark, ...]:
    """Reads a file of marks.

    Raises:
        BadInputError: it cannot be read, is no JSON, or `parse_marks` refuses it.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        what = f"marks cannot be read ({(error.strerror or 'unreadable').lower()})"
        raise BadInputError(what, path, "check the path") from error
    if len(data) > _MOST_BYTES:
        raise BadInputError("marks of more than 8 MB", path, f"give at most {MOST_MARKS} marks")
    try:
        said = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadInputError("marks that are no JSON", path, _CORRECT) from error
    return parse_marks(said.get("marks") if isinstance(said, dict) else said)


def parse_marks(said: object) -> tuple[Mark, ...]:
    """Reads marks from JSON values, which are not trusted, and checks that they agree.

    Raises:
        BadInputError: there are none or too many, one is no mark, or a name is marked as normal
            and as abnormal.
    """
    if not isinstance(said, list):
        found = "" if said is None else str(said)[:80]
        raise BadInputError("no list of marks", found, 'write {"marks": [...]}')
    if not said:
        raise BadInputError("no marks", "", "mark a target in two or three frames")
    if len(said) > MOST_MARKS:
        raise BadInputError(
            f"{len(said):,} marks",
            "",
            f"give at most {MOST_MARKS:,}; a handful of frames is enough",
        )
    marks = tuple(_parsed(one) for one in said)
    kinds: dict[str, Mark] = {}
    for mark in marks:
        other = kinds.setdefault(mark.name.casefold(), mark)
        if other.normal != mark.normal:
            raise BadInputError(
                f'"{mark.name}" is marked as normal and as abnormal',
                f"{other.where()}, {mark.where()}",
                "give the two different names, or remove one",
            )
    return marks


def taught_prompts(prompts: PromptSet, marks: Sequence[Mark]) -> PromptSet:
    """Returns a prompt set in which every marked name stands where it was marked.

    Raises:
        BadInputError: no abnormal or no normal prompt would be left, or there are too many.
    """
    keys = {mark.name.casefold(): mark for mark in marks}
    sides: dict[bool, list[str]] = {}
    for normal, words in ((True, prompts.normal), (False, prompts.abnormal)):
        sides[normal] = [
            word
            for word in words
            if word.casefold() not in keys or keys[word.casefold()].normal == normal
        ]
    for key, mark in keys.items():
        if key not in {word.casefold() for word in sides[mark.normal]}:
            sides[mark.normal].append(mark.name)
    values = {**prompts.as_json(), "normal": sides[True], "abnormal": sides[False]}
    return parse_prompts(values, "the marks")


def _parsed(said: object) -> Mark:
    if not isinstance(said, Mapping):
        raise BadInputError("not a mark", str(said)[:80], _CORRECT)
    evidence, normal = said.get("evidence_id"), said.get("normal")
    if type(evidence) is not int or not isinstance(normal, bool):
        raise BadInputError("a mark without evidence_id or normal", str(said)[:80], _CORRECT)
    shapes = [name for name in _SHAPES if said.get(name) is not None]
    if len(shapes) != 1:
        raise BadInputError("a mark without exactly one shape", str(said)[:80], _CORRECT)
    points, radius = _points(shapes[0], said[shapes[0]])
    return Mark(evidence, _seconds(said), _name(said), normal, shapes[0], points, radius)


def _name(said: Mapping[str, Any]) -> str:
    """Returns the name in the form that prompts have."""
    values = {"language": "en", "normal": ["-"], "abnormal": [said.get("name")]}
    return parse_prompts(values, "a mark").abnormal[0]


def _seconds(said: Mapping[str, Any]) -> float:
    time = said.get("time")
    if isinstance(time, str):
        return parse_time(time)
    if isinstance(time, bool) or not isinstance(time, int | float) or not _sane(time) or time < 0:
        raise BadInputError("a mark without a time", str(said)[:80], "give seconds or MM:SS")
    return float(time)


def _points(shape: str, said: object) -> tuple[tuple[Point, ...], float]:
    if shape == "box":
        x, y, w, h = _numbers(said, 4, "box")
        if w <= 0 or h <= 0:
            raise BadInputError("a box without an area", str(said)[:80], "give x, y, w, h")
        return ((x, y), (x + w, y + h)), 0.0
    if shape == "point":
        x, y = _numbers(said, 2, "point")
        return ((x, y),), 0.0
    if not isinstance(said, Mapping) or not isinstance(said.get("points"), list):
        raise BadInputError("not a brush", str(said)[:80], "give points and radius")
    places, radius = said["points"], said.get("radius")
    if not 1 <= len(places) <= _MOST_POINTS:
        raise BadInputError("not a brush", f"{len(places)} points", f"give 1 to {_MOST_POINTS}")
    (width,) = _numbers([radius], 1, "radius")
    if width <= 0:
        raise BadInputError("a brush without a radius", str(radius), "give it in pixels")
    found = [_numbers(one, 2, "point of a brush") for one in places]
    return tuple((one[0], one[1]) for one in found), width


def _numbers(said: object, count: int, name: str) -> list[float]:
    values = said if isinstance(said, list) else []
    numbers = [
        float(one) for one in values if isinstance(one, int | float) and not isinstance(one, bool)
    ]
    if len(values) != count or len(numbers) != count or not all(map(_sane, numbers)):
        raise BadInputError(f"not a {name}", str(said)[:80], "give pixels of the picture")
    return numbers


def _sane(value: float) -> bool:
    return math.isfinite(value) and abs(value) <= _FURTHEST
