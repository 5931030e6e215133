"""The small pieces that a report's document is made of."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from engine.export.printable_text import reads_rightwards, shown

Section = dict[str, Any]
"""A piece of a document: values of JSON's types."""


def user_text(text: str) -> Section:
    """Returns a text that others may have written, with the direction it is read in."""
    safe = shown(text)
    return {"text": safe, "rtl": not reads_rightwards(safe)}


def row(label: str, text: str, *, mono: bool = False, bad: bool = False) -> Section:
    """Returns a labelled value.

    Args:
        label: our word for it.
        text: the value, by whomever.
        mono: whether it is set in letters of equal width.
        bad: whether it says that integrity failed.
    """
    return {"label": label, "mono": mono, "bad": bad, "hash": False, **user_text(text)}


def hash_row(label: str, sha256: str, *, bad: bool = False) -> Section:
    """Returns a labelled hash."""
    return {**row(label, sha256, mono=True, bad=bad), "hash": True}


def plural(count: int, one: str, more: str) -> str:
    """Returns a number with its noun."""
    return f"{count:,} {one if count == 1 else more}"


def joined(words: Iterable[str]) -> Section:
    """Returns words between commas as one text."""
    return user_text(", ".join(words))


def when(utc: str) -> str:
    """Returns a stored UTC time as people read it; what is no time is shown as it is."""
    try:
        time = datetime.fromisoformat(utc)
    except ValueError:
        return utc
    zone = "UTC" if time.utcoffset() is not None and not time.utcoffset() else time.strftime("%z")
    return f"{time:%Y-%m-%d %H:%M:%S} {zone}".rstrip()
