"""Text that others wrote, made safe to show: nothing in it is invisible or reorders the rest."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from functools import cache

from engine.core.resources import RESOURCES

FONTS = RESOURCES / "fonts"
"""Fonts of the PDF, with the list of the characters that they have."""

_KEPT_INVISIBLE = "\u200c\u200d\u200e\u200f"
"""Joiners and direction marks: some scripts cannot be written without them."""

_SPEAKING = ("L", "R", "AL")


def shown(text: str) -> str:
    """Returns text in which control characters and overrides of direction are visible.

    Bytes of a file's name that are no text become `[byte FF]`, other characters that cannot be
    seen `[U+202E]`. Line feeds stay, tabs become spaces.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").expandtabs(4).split("\n")
    return "\n".join("".join(map(_shown, line)) for line in lines)


def one_line(text: str) -> str:
    """Returns shown text on one line."""
    return " ".join(shown(text).split())


def reads_rightwards(text: str) -> bool:
    """Whether text is read from left to right, as its first strong character says."""
    for char in text:
        kind = unicodedata.bidirectional(char)
        if kind in _SPEAKING:
            return kind == "L"
    return True


def with_fonts(text: str) -> str:
    """Returns text in which characters that no font of the PDF has are named `[U+1F600]`."""
    if text.isascii():
        return text
    return "".join(char if char == "\n" or _has_glyph(char) else _named(char) for char in text)


def _shown(char: str) -> str:
    if char.isprintable() or char in _KEPT_INVISIBLE:
        return char
    if unicodedata.category(char) == "Zs":
        return " "
    return _named(char)


def _named(char: str) -> str:
    point = ord(char)
    return f"[byte {point - 0xDC00:02X}]" if 0xDC80 <= point <= 0xDCFF else f"[U+{point:04X}]"


def _has_glyph(char: str) -> bool:
    if char in _KEPT_INVISIBLE:
        return True
    first, last = _coverage()
    place = bisect_right(first, ord(char)) - 1
    return place >= 0 and ord(char) <= last[place]


@cache
def _coverage() -> tuple[list[int], list[int]]:
    lines = (FONTS / "coverage.txt").read_text(encoding="ascii").split()
    pairs = [line.partition("-") for line in lines]
    return [int(one[0], 16) for one in pairs], [int(one[2], 16) for one in pairs]
