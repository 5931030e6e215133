"""Marks of an examiner over a still: boxes, arrows and words, drawn by the engine itself."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, ProgressCallback
from engine.core.resources import RESOURCES
from engine.export.printable_text import reads_rightwards, shown
from engine.export.typesetting import typeset
from engine.render.raster import write_png

KINDS = ("box", "arrow", "text")
MOST_MARKS = 100
_LONGEST = 500
_FURTHEST = 65_536.0
_TEMPLATE = RESOURCES / "reports" / "marked.typ"
_PICTURE = "frame.png"


@dataclass(frozen=True)
class Mark:
    """One mark; places are in decoded pixels from the upper left corner.

    Attributes:
        kind: one of `KINDS`.
        x: where it begins: a corner of a box, the tail of an arrow, the upper left of words.
        y: likewise.
        to_x: the opposite corner, or the tip of an arrow; of no meaning for words.
        to_y: likewise.
        text: the words; empty for boxes and arrows.
    """

    kind: str
    x: float
    y: float
    to_x: float = 0.0
    to_y: float = 0.0
    text: str = ""


def parse_marks(said: object) -> tuple[Mark, ...]:
    """Reads marks from JSON values, which are not trusted.

    Raises:
        BadInputError: they are no marks, too many, or out of range.
    """
    if not isinstance(said, list) or len(said) > MOST_MARKS:
        raise BadInputError("not a list of marks", "", f"give at most {MOST_MARKS}")
    return tuple(map(_parsed, said))


def write_marked(
    path: Path,
    image: NDArray[np.uint8],
    marks: Sequence[Mark],
    cancel: CancelToken,
    progress: ProgressCallback,
) -> None:
    """Writes a frame with marks over it, in the frame's own size.

    Args:
        path: of a PNG.
        image: uint8 [height, width, 3], RGB.
        marks: over it.
        cancel: looked at while it is drawn.
        progress: told that it is being drawn.

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
            {**asdict(one), "text": shown(one.text), "rtl": not reads_rightwards(one.text)}
            for one in marks
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


def _parsed(said: Any) -> Mark:  # noqa: ANN401
    try:
        kind, text = said["kind"], said.get("text", "")
        places = [float(said.get(name, 0.0)) for name in ("x", "y", "to_x", "to_y")]
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise BadInputError("not a mark", str(said)[:80], "give kind, x and y") from error
    sound = kind in KINDS and isinstance(text, str) and len(text) <= _LONGEST
    if not sound or not all(abs(one) <= _FURTHEST for one in places):
        raise BadInputError("not a mark", str(said)[:80], f"use {', '.join(KINDS)} in the picture")
    x, y, to_x, to_y = places
    return Mark(kind, x, y, to_x, to_y, text)
