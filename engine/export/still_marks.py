"""Marks of an examiner over a still: boxes, arrows and words, drawn by the engine itself."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.core.json_input import JsonFault, read_json, require, within
from engine.core.progress import CancelToken, ProgressCallback
from engine.core.resources import RESOURCES
from engine.export.printable_text import reads_rightwards, visible_text
from engine.export.typesetting import typeset
from engine.render.raster import write_png

KINDS = ("box", "arrow", "text")
MAX_MARKS = 100  # Of one still; beyond that nobody sees what is marked.
_MAX_TEXT = 500  # Characters of words on a still; more do not fit beside what they are about.
_MAX_COORDINATE = 65_536.0  # Pixels; no codec that is decoded here has larger frames.
_TEMPLATE = RESOURCES / "reports" / "marked.typ"
_PICTURE = "frame.png"


def _is_short_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _MAX_TEXT


_Coordinate = Annotated[float, within(-_MAX_COORDINATE, _MAX_COORDINATE)]


@dataclass(frozen=True)
class StillMark:
    """A mark on a still; coordinates are in decoded pixels from the upper left corner.

    Attributes:
        kind: one of `KINDS`.
        x: where it begins: a corner of a box, the tail of an arrow, the upper left of words.
        y: as `x`.
        to_x: the opposite corner, or the tip of an arrow; of no meaning for words.
        to_y: as `to_x`.
        text: the words; empty for boxes and arrows.
    """

    kind: Annotated[str, require(KINDS.__contains__, "is no kind of mark", before=True)]
    x: _Coordinate = 0.0
    y: _Coordinate = 0.0
    to_x: _Coordinate = 0.0
    to_y: _Coordinate = 0.0
    text: Annotated[str, require(_is_short_text, "is no short text", before=True)] = ""


def parse_marks(values: object) -> tuple[StillMark, ...]:
    """Reads marks from JSON values, which are not trusted.

    Raises:
        BadInputError: they are no marks, too many, or out of range.
    """
    if not isinstance(values, list) or len(values) > MAX_MARKS:
        raise BadInputError("not a list of marks", "", f"give at most {MAX_MARKS}")
    return tuple(map(_read_mark, values))


def write_marked(
    path: Path,
    image: NDArray[np.uint8],
    marks: Sequence[StillMark],
    cancel: CancelToken,
    progress: ProgressCallback,
) -> None:
    """Writes a frame with marks over it, in the frame's own size.

    Args:
        path: path of the PNG.
        image: uint8 [height, width, 3], RGB.
        marks: the marks to draw.
        cancel: is checked while Typst runs.
        progress: is called once before it runs.

    Raises:
        BadInputError: it cannot be drawn.
        ResourceError: the disk is full, or the memory did not suffice.
        CancelledError: the user stopped.
    """
    height, width = image.shape[:2]
    values = {
        "picture": _PICTURE,
        "width": width,
        "height": height,
        "marks": [
            {
                **asdict(mark),
                "text": visible_text(mark.text),
                "rtl": not reads_rightwards(mark.text),
            }
            for mark in marks
        ],
    }
    with tempfile.TemporaryDirectory(prefix="marked-", dir=path.parent) as name:
        folder = Path(name)
        write_png(folder / _PICTURE, image)
        drawn = folder / "drawn.png"
        # A point of the page is a pixel of the frame.
        form = {"format": "png", "ppi": 72.0}
        typeset(drawn, _TEMPLATE, values, folder, form, cancel, progress)
        drawn.replace(path)


def _read_mark(value: object) -> StillMark:
    try:
        return read_json(StillMark, value)
    except JsonFault as fault:
        out_of_range = fault.cause is not None or fault.kind == "finite_number"
        remedy = f"use {', '.join(KINDS)} in the picture" if out_of_range else "give kind, x and y"
        raise BadInputError("not a mark", str(value)[:80], remedy) from fault
