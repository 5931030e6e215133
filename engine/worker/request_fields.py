"""The fields of each request, which are not trusted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields
from typing import Annotated, Any, Self

from engine.core.errors import BadInputError
from engine.core.json_input import JsonFault, Rule, read_json, require
from engine.core.times import Span
from engine.packs import DEFAULT_PACK

_SHOWN_LENGTH = 80  # Characters of a value that an error shows, so that it stays one short line.


def _is_word(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _read_span(value: object) -> Span:
    """Returns the span that `[start, end]` in seconds stands for."""
    ends = value if isinstance(value, list) else []
    if len(ends) != 2 or not all(type(end) in (int, float) for end in ends):
        raise BadInputError("not a span", _shorten(value), "give [start, end] in seconds")
    if not 0 <= ends[0] <= ends[1] < float("inf"):
        raise BadInputError("a span ends before it starts", _shorten(value), "swap its ends")
    return Span(float(ends[0]), float(ends[1]))


_Word = Annotated[str, require(_is_word, "is no word", before=True)]
_Words = tuple[_Word, ...]
_Spans = tuple[Annotated[Span, Rule(_read_span, before=True)], ...]


@dataclass(frozen=True)
class RequestFields:
    """The fields of one type of request."""

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """Reads the fields of a message; null stands for what is not given, but not for a list.

        Raises:
            BadInputError: one is missing or of another type.
        """
        declared = {field.name: field for field in fields(cls)}
        lists = {field.name for field in declared.values() if field.default == ()}
        present = {
            name: value for name, value in values.items() if value is not None or name in lists
        }
        try:
            return read_json(cls, present)
        except JsonFault as fault:
            raise _refusal(fault, declared[str(fault.path[0])]) from fault


@dataclass(frozen=True)
class HelloFields(RequestFields):
    """Names the case that requests are about, and the token of the session that owns it."""

    case: _Word
    token: _Word


@dataclass(frozen=True)
class AddFields(RequestFields):
    """A file or a folder of images that becomes evidence."""

    path: _Word
    beside_evidence: bool = False
    stream: int | None = None
    fps: float | None = None
    copy: bool = False


@dataclass(frozen=True, kw_only=True)
class RegionFields(RequestFields):
    """Polygons, as `region_mask` reads them, and spans that are marked normal."""

    ignore: Any = ()
    interest: Any = ()
    normal_spans: _Spans = ()


@dataclass(frozen=True, kw_only=True)
class AnalyseFields(RegionFields):
    """An analysis; the prompts are those of `prompt_sets`."""

    mode: str = "auto"
    channels: _Words = ()
    prompts: dict[str, Any] | None = None
    pack: str = DEFAULT_PACK
    device: str = "auto"
    stride: int = 1
    normal: _Words = ()
    evidence_id: int
    variant: str | None = None
    stream: int | None = None


@dataclass(frozen=True, kw_only=True)
class RecalibrateFields(RegionFields):
    """A run whose results are computed again."""

    run_id: int


@dataclass(frozen=True)
class VerifyFields(RequestFields):
    """`head` is one of the audit log noted elsewhere, `also` names other hashes of evidence."""

    head: str | None = None
    also: _Words = ()


@dataclass(frozen=True)
class ReportFields(RequestFields):
    """A report in the file `to`, or with `preview` pictures of its pages."""

    tagged: bool = False
    preview: bool = False
    to: object = None
    beside_evidence: bool = False


@dataclass(frozen=True)
class ExportFields(RequestFields):
    """A file made of a run; marks are those of `still_marks`."""

    to: _Word
    evidence_id: int
    start: float | None = None
    end: float | None = None
    beside_evidence: bool = False
    marks: tuple[Any, ...] = ()
    compared: bool = False
    run_id: int | None = None


@dataclass(frozen=True)
class ArchiveFields(RequestFields):
    """An archive of the case in the file `to`."""

    to: _Word
    with_evidence: bool = False
    beside_evidence: bool = False


@dataclass(frozen=True)
class AskFields(RequestFields):
    """A question about an event or a span; with `prepare` a model only reads the evidence."""

    question: object = ""
    span: str | None = None
    most_tokens: int | None = None
    evidence_id: int | None = None
    event_id: int | None = None
    facts_only: bool = False
    pack: str = DEFAULT_PACK
    runtime: str = "auto"
    seed: int | None = None
    fresh: bool = False
    prepare: bool = False


@dataclass(frozen=True)
class TeachFields(RequestFields):
    """A variant to be taught from marks under a name, or one of which teaching is repeated."""

    repeat: str | None = None
    marks: tuple[Any, ...] = ()
    name: object = None


@dataclass(frozen=True)
class FindFields(RequestFields):
    """A search for moments like a text, like the target of an event, or like marked targets."""

    text: str | None = None
    event_id: int | None = None
    marks: tuple[Any, ...] = ()


def need_word(value: object, name: str) -> str:
    """Returns a value that the request needs as it is.

    Raises:
        BadInputError: it is no text, or empty.
    """
    if not _is_word(value):
        raise BadInputError("a request without a word it needs", name, "name it")
    return str(value)


def _refusal(fault: JsonFault, declared: Field[Any]) -> BadInputError:
    """Returns the error for a field, of which `declared` is what its dataclass says."""
    if len(fault.path) > 1:
        return BadInputError("not a path", _shorten(fault.value), "give a text")
    if declared.default is MISSING and declared.type == "int":
        return BadInputError("a request without a number it needs", declared.name, "give it")
    if declared.default is MISSING:
        return BadInputError("a request without a word it needs", declared.name, "name it")
    kind = "give a list" if declared.default == () else re.split(r"\W", str(declared.type))[0]
    return BadInputError("a request with a value of another type", declared.name, kind)


def _shorten(value: object) -> str:
    return str(value)[:_SHOWN_LENGTH]
