"""Pictures in and out: any frame to RGB, text in a picture, PNG files."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError, ResourceError
from engine.core.files import atomic_path
from engine.render.palette import Colour

Rgb = NDArray[np.uint8]
"""uint8 [H, W, 3]."""

SUBPIXEL_BITS = 4
"""Bits of a coordinate behind the point with which OpenCV draws smooth lines: a sixteenth of a
pixel, finer than anybody sees."""

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_PAD = 3  # pixels between letters and the edge of their backing
_HEIGHT_AT_SCALE_ONE = 900  # of a picture, in pixels; text takes the same part of every picture
_MIN_SCALE, _MAX_SCALE = 0.36, 1.4  # between what is still legible and what would cover too much
_BOLD_SCALE = 0.8  # from which letters are drawn two pixels wide


def as_rgb(picture: NDArray[np.uint8]) -> Rgb:
    """Returns a new RGB picture of a grey or RGB one.

    Args:
        picture: uint8 [H, W], [H, W, 1] or [H, W, 3].

    Returns:
        uint8 [H, W, 3], never sharing memory with the input.

    Raises:
        BadInputError: the array is no such picture, or is empty.
    """
    if picture.dtype != np.uint8 or picture.ndim not in (2, 3) or picture.size == 0:
        raise BadInputError(
            "not a picture", f"{picture.dtype} {picture.shape}", "give uint8 [H, W] or [H, W, 3]"
        )
    if picture.ndim == 2:
        return np.repeat(picture[:, :, None], 3, axis=2)
    if picture.shape[2] == 1:
        return np.repeat(picture, 3, axis=2)
    if picture.shape[2] != 3:
        raise BadInputError("not a picture", f"{picture.shape}", "give one or three channels")
    return np.array(picture, dtype=np.uint8, order="C")


def text_scale(height: int) -> float:
    """Returns the font scale that stays legible in a picture of `height` pixels."""
    return float(np.clip(height / _HEIGHT_AT_SCALE_ONE, _MIN_SCALE, _MAX_SCALE))


def text_size(text: str, scale: float) -> tuple[int, int, int]:
    """Returns width, height above the base line, and depth below it, in pixels."""
    (width, height), depth = cv2.getTextSize(printable(text), _FONT, scale, _weight(scale))
    return int(width), int(height), int(depth)


def line_height(scale: float) -> int:
    """Returns the height of a line of text with its backing, in pixels."""
    _, height, depth = text_size("Ag", scale)
    return height + depth + 2 * _PAD


def put_text(
    rgb: Rgb,
    text: str,
    x: int,
    y: int,
    scale: float,
    colour: Colour = (255, 255, 255),
    backing: Colour | None = (16, 16, 18),
) -> None:
    """Writes text into `rgb` in place, moved so that it lies inside the picture.

    Args:
        rgb: uint8 [H, W, 3], changed.
        text: characters outside ASCII become `?`.
        x: left edge of the backing, in pixels.
        y: upper edge of the backing, in pixels.
        scale: scale of the font; see `text_scale`.
        colour: colour of the letters.
        backing: colour behind the letters; None for none.
    """
    width, height, depth = text_size(text, scale)
    outer_w, outer_h = width + 2 * _PAD, height + depth + 2 * _PAD
    x = max(0, min(x, rgb.shape[1] - outer_w))
    y = max(0, min(y, rgb.shape[0] - outer_h))
    if backing is not None:
        corner = (x + outer_w - 1, y + outer_h - 1)
        cv2.rectangle(rgb, (x, y), corner, backing, cv2.FILLED)
    base = (x + _PAD, y + _PAD + height)
    cv2.putText(rgb, printable(text), base, _FONT, scale, colour, _weight(scale), cv2.LINE_AA)


def printable(text: str) -> str:
    """Returns text in the characters that the drawing font has."""
    return "".join(char if " " <= char <= "~" else "?" for char in text)


def _weight(scale: float) -> int:
    return 1 if scale < _BOLD_SCALE else 2


def write_png(path: Path, rgb: NDArray[np.uint8]) -> None:
    """Writes a PNG whole or not at all.

    Args:
        path: replaced when it exists; its folder must exist.
        rgb: uint8 [H, W, 3] or [H, W].

    Raises:
        BadInputError: the array is no picture.
        ResourceError: the file cannot be written.
    """
    ok, data = cv2.imencode(".png", cv2.cvtColor(as_rgb(rgb), cv2.COLOR_RGB2BGR))
    if not ok:
        raise ResourceError("a picture cannot be encoded", path, "free some memory")
    try:
        with atomic_path(path) as part:
            part.write_bytes(data.tobytes())
            # A picture is meant to be read by others, whatever the umask.
            part.chmod(0o644)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ResourceError(
            f"a picture cannot be written ({reason})", path, "name a folder with room"
        ) from error
