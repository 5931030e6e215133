"""Marks: what an examiner points at in a frame, and what it is called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from engine.core.errors import BadInputError
from engine.core.files import open_regular_file
from engine.core.json_input import JsonFault, Rule, parse_json, read_json, within
from engine.core.times import format_time, parse_time
from engine.packs.prompt_sets import PromptSet, parse_prompts
from engine.protocol import mark_fields

MAX_MARKS = 2000
"""Marks of one request; a variant is learned from a handful of frames."""

_MAX_BYTES = 8 << 20  # Size of a file of marks; `MAX_MARKS` boxes have about 250 KB.
_MAX_POINTS = 4000  # Of a brush; a stroke across a frame of 4K has about as many pixels.
_MAX_VALUE = 1e6  # Of a coordinate in pixels or a time in seconds, far beyond any footage.
_SHOWN_LENGTH = 80  # Characters of a value that an error shows, so that it stays one short line.
_SHAPES = ("box", "point", "brush")
_CORRECT = "give evidence_id, time, name, normal, and box, point or brush"

Point = tuple[float, float]


@dataclass(frozen=True)
class Mark:
    """A target that the examiner marked in one frame; coordinates are in decoded pixels.

    Attributes:
        evidence_id: the evidence.
        seconds: stream time of the frame.
        name: what the target is, as a prompt of a few words.
        normal: whether it is normal; otherwise abnormal.
        shape: `box`, `point` (for the region or what moves there) or `brush`.
        points: two opposite corners of a box, one point, or the line along which a brush moved.
        radius: radius of the brush; 0 for other shapes.
    """

    evidence_id: int
    seconds: float
    name: str
    normal: bool
    shape: str
    points: tuple[Point, ...]
    radius: float = 0.0

    def where(self) -> str:
        """Returns evidence and time of the mark, for errors."""
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
        with open_regular_file(path) as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        what = f"marks cannot be read ({(error.strerror or 'unreadable').lower()})"
        raise BadInputError(what, path, "check the path") from error
    if len(data) > _MAX_BYTES:
        raise BadInputError("marks of more than 8 MB", path, f"give at most {MAX_MARKS} marks")
    try:
        value = parse_json(data, allow_nan=True)
    except ValueError as error:
        raise BadInputError("marks that are no JSON", path, _CORRECT) from error
    return parse_marks(value.get("marks") if isinstance(value, dict) else value)


def parse_marks(value: object) -> tuple[Mark, ...]:
    """Reads marks from JSON values, which are not trusted, and checks that they agree.

    Raises:
        BadInputError: there are none or too many, one is no mark, or a name is marked as normal
            and as abnormal.
    """
    if not isinstance(value, list):
        where = "" if value is None else _shorten(value)
        raise BadInputError("no list of marks", where, 'write {"marks": [...]}')
    if not value:
        raise BadInputError("no marks", "", "mark a target in two or three frames")
    if len(value) > MAX_MARKS:
        raise BadInputError(
            f"{len(value):,} marks",
            "",
            f"give at most {MAX_MARKS:,}; a handful of frames is enough",
        )
    marks = tuple(map(_read_mark, value))
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


def prompts_with_marks(prompts: PromptSet, marks: Sequence[Mark]) -> PromptSet:
    """Returns a prompt set that has every marked name on the side on which it was marked.

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


def _read_time(value: object) -> object:
    """Returns a time in seconds, where it is one."""
    if isinstance(value, str):
        return parse_time(value)
    if isinstance(value, int | float) and not 0 <= value <= _MAX_VALUE:
        raise ValueError("is no time")
    return value


_Pixel = Annotated[float, within(-_MAX_VALUE, _MAX_VALUE)]


@dataclass(frozen=True)
class _BrushFields:
    """A brush as a request or a file has it."""

    points: tuple[tuple[_Pixel, _Pixel], ...]
    radius: _Pixel


@dataclass(frozen=True, kw_only=True)
class _MarkFields:
    """A mark as a request or a file has it."""

    evidence_id: int
    normal: bool
    box: tuple[_Pixel, _Pixel, _Pixel, _Pixel] | None = None
    point: tuple[_Pixel, _Pixel] | None = None
    brush: _BrushFields | None = None
    time: Annotated[float, Rule(_read_time, before=True)]
    name: object = None


def _read_mark(value: Any) -> Mark:  # noqa: ANN401
    try:
        fields = read_json(_MarkFields, value)
    except JsonFault as fault:
        raise _refusal(fault, value) from fault
    shapes = [name for name in _SHAPES if getattr(fields, name) is not None]
    if len(shapes) != 1:
        raise BadInputError("a mark without exactly one shape", _shorten(value), _CORRECT)
    points, radius = _outline(fields, value[shapes[0]])
    # The name becomes a prompt and gets the form that prompts have.
    prompts = {"language": "en", "normal": ["-"], "abnormal": [fields.name]}
    name = parse_prompts(prompts, "a mark").abnormal[0]
    return Mark(fields.evidence_id, fields.time, name, fields.normal, shapes[0], points, radius)


def _outline(fields: _MarkFields, shape: Any) -> tuple[tuple[Point, ...], float]:  # noqa: ANN401
    """Returns the points of a mark and the radius of its brush."""
    if fields.box is not None:
        x, y, width, height = fields.box
        if width <= 0 or height <= 0:
            raise BadInputError("a box without an area", _shorten(shape), "give x, y, w, h")
        return ((x, y), (x + width, y + height)), 0.0
    if fields.point is not None:
        return (fields.point,), 0.0
    assert fields.brush is not None
    points, radius = fields.brush.points, fields.brush.radius
    if not 1 <= len(points) <= _MAX_POINTS:
        raise BadInputError("not a brush", f"{len(points)} points", f"give 1 to {_MAX_POINTS}")
    if radius <= 0:
        raise BadInputError("a brush without a radius", shape["radius"], "give it in pixels")
    return points, radius


def _refusal(fault: JsonFault, mark: Any) -> BadInputError:  # noqa: ANN401
    """Returns the error for what is wrong with a mark."""
    pixels = "give pixels of the picture"
    match fault.path:
        case ():
            return BadInputError("not a mark", _shorten(mark), _CORRECT)
        case ("time",):
            return BadInputError("a mark without a time", _shorten(mark), "give seconds or MM:SS")
        case ("box" | "point" as shape, *_):
            return BadInputError(f"not a {shape}", _shorten(mark[shape]), pixels)
        case ("brush", "points", int(index), *_):
            point = mark["brush"]["points"][index]
            return BadInputError("not a point of a brush", _shorten(point), pixels)
        case ("brush", "radius"):
            return BadInputError("not a radius", _shorten([mark["brush"].get("radius")]), pixels)
        case ("brush", *_):
            return BadInputError("not a brush", _shorten(mark["brush"]), "give points and radius")
    return BadInputError("a mark without evidence_id or normal", _shorten(mark), _CORRECT)


def _shorten(value: object) -> str:
    return str(value)[:_SHOWN_LENGTH]
