"""The small parts that the document of a report is made of."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from engine.export.printable_text import reads_rightwards, visible_text

Section = dict[str, Any]
"""A part of a document: values of the types that JSON has."""


def user_text(text: str) -> Section:
    """Returns a text that anybody may have written, safe to print, with its reading direction."""
    safe = visible_text(text)
    return {"text": safe, "rtl": not reads_rightwards(safe)}


def row(label: str, text: str, *, mono: bool = False, bad: bool = False) -> Section:
    """Returns a labelled value.

    Args:
        label: a word of ours.
        text: the value, which anybody may have written.
        mono: whether it is printed in letters of equal width.
        bad: whether it means that the integrity of evidence is broken.
    """
    return {"label": label, "mono": mono, "bad": bad, "hash": False, **user_text(text)}


def hash_row(label: str, sha256: str, *, bad: bool = False) -> Section:
    """Returns a labelled hash."""
    return {**row(label, sha256, mono=True, bad=bad), "hash": True}


def plural(count: int, singular: str, several: str) -> str:
    """Returns a number with its noun."""
    return f"{count:,} {singular if count == 1 else several}"


def join_words(words: Iterable[str]) -> Section:
    """Returns words as one text, separated by commas."""
    return user_text(", ".join(words))


def when(utc: str) -> str:
    """Returns a stored time in a readable form; what is no time is returned as it is."""
    try:
        time = datetime.fromisoformat(utc)
    except ValueError:
        return utc
    zone = "UTC" if time.utcoffset() is not None and not time.utcoffset() else time.strftime("%z")
    return f"{time:%Y-%m-%d %H:%M:%S} {zone}".rstrip()
