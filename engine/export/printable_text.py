"""Makes text that others wrote safe to print: nothing in it is invisible or reorders the rest."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from functools import cache

from engine.core.resources import RESOURCES

FONTS = RESOURCES / "fonts"
"""The folder with the fonts of PDF reports and the list of the characters that they have."""

_ALLOWED_INVISIBLE = "\u200c\u200d\u200e\u200f"
"""Joiners and direction marks: some scripts cannot be written without them."""

_STRONG = ("L", "R", "AL")
"""The bidirectional classes that decide the direction of a text (Unicode Annex 9)."""


def visible_text(text: str) -> str:
    """Returns text in which control characters and overrides of direction are spelt out.

    Bytes of a file's name that are no text become `[byte FF]`, other characters that cannot be
    seen `[U+202E]`. Line feeds stay, tabs become spaces.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").expandtabs(4).split("\n")
    return "\n".join("".join(map(_make_visible, line)) for line in lines)


def one_line(text: str) -> str:
    """Returns visible text on one line."""
    return " ".join(visible_text(text).split())


def reads_rightwards(text: str) -> bool:
    """Returns whether text is read from left to right, as its first strong character says."""
    for char in text:
        kind = unicodedata.bidirectional(char)
        if kind in _STRONG:
            return kind == "L"
    return True


def with_fonts(text: str) -> str:
    """Returns text in which characters that no font of the PDF has are named `[U+1F600]`."""
    if text.isascii():
        return text
    return "".join(char if char == "\n" or _has_glyph(char) else _code_point(char) for char in text)


def _make_visible(char: str) -> str:
    if char.isprintable() or char in _ALLOWED_INVISIBLE:
        return char
    if unicodedata.category(char) == "Zs":
        return " "
    return _code_point(char)


def _code_point(char: str) -> str:
    point = ord(char)
    return f"[byte {point - 0xDC00:02X}]" if 0xDC80 <= point <= 0xDCFF else f"[U+{point:04X}]"


def _has_glyph(char: str) -> bool:
    if char in _ALLOWED_INVISIBLE:
        return True
    first, last = _coverage()
    index = bisect_right(first, ord(char)) - 1
    return index >= 0 and ord(char) <= last[index]


@cache
def _coverage() -> tuple[list[int], list[int]]:
    lines = (FONTS / "coverage.txt").read_text(encoding="ascii").split()
    pairs = [line.partition("-") for line in lines]
    return [int(pair[0], 16) for pair in pairs], [int(pair[2], 16) for pair in pairs]
