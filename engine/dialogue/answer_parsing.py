"""The words in which evidence is spoken of, and finding them in an answer."""

from __future__ import annotations

import re

from engine.core.directions import CELLS

ACTIONS: dict[str, str] = {
    "running": "running",
    "cycling": "riding a bicycle",
    "skating": "skating",
    "driving": "driving",
    "falling": "falling to the ground",
    "lying": "lying on the ground",
    "fighting": "fighting",
    "leaving": "leaving an object behind",
    "against": "walking against the crowd",
    "loitering": "loitering",
    "left": "standing there abandoned",
}
"""What an abnormal target does, by action class; `left` is the object that someone left."""

COLOURS: tuple[str, ...] = (
    "dark blue", "light blue", "dark grey", "light grey", "black", "white", "grey", "blue", "red",
    "green", "yellow", "orange", "brown", "beige", "purple", "pink", "dark", "light",
)  # fmt: skip
"""Names of colours; those of two words come first, so that they are found whole."""

_CELL = re.compile("|".join(CELLS))
_COLOUR = re.compile(r"\b(?:" + "|".join(COLOURS) + r")\b")
_FACT = re.compile(
    r"\b(?:"
    + "|".join([*ACTIONS.values(), *CELLS, *COLOURS, "yes", "no", "none", "nothing", "nobody"])
    + r")\b"
)
_SAID = re.compile(r"\W*(yes|no)\b")


def facts_in(text: str) -> list[tuple[int, int]]:
    """Returns where the words stand that carry what an answer claims: first and last, exclusive.

    They are yes and no, places, colours and actions; the rest is how it is said.
    """
    return [found.span() for found in _FACT.finditer(text.lower())]


def places_in(text: str) -> tuple[str, str] | None:
    """Returns the cell an answer begins with and the one it ends with; None without any."""
    found = _CELL.findall(text.lower())
    return (str(found[0]), str(found[-1])) if found else None


def yes_or_no(text: str) -> bool | None:
    """Returns what an answer begins with; None when it says neither yes nor no."""
    found = _SAID.match(text.lower())
    return None if found is None else found[1] == "yes"


def action_in(text: str) -> str | None:
    """Returns the action class whose words an answer holds; None without any."""
    said = text.lower()
    return next((name for name, words in ACTIONS.items() if words in said), None)


def colour_in(text: str) -> str | None:
    """Returns the first colour that an answer names; None without any."""
    found = _COLOUR.search(text.lower())
    return None if found is None else found[0]
