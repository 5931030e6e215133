"""The words that state facts in answers (actions, colours, cells, yes and no), and finding them."""

from __future__ import annotations

import re

from engine.core.geometry import CELLS

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
"""How answers put into words what an abnormal target does, by action class.

`left` is the abandoned object.
"""

COLOURS: tuple[str, ...] = (
    "dark blue", "light blue", "dark grey", "light grey", "black", "white", "grey", "blue", "red",
    "green", "yellow", "orange", "brown", "beige", "purple", "pink", "dark", "light",
)  # fmt: skip
"""The names of colours; those of two words come first, so that they are matched as a whole."""

_COLOUR = re.compile(r"\b(?:" + "|".join(COLOURS) + r")\b")
_FACT = re.compile(
    r"\b(?:"
    + "|".join([*ACTIONS.values(), *CELLS, *COLOURS, "yes", "no", "none", "nothing", "nobody"])
    + r")\b"
)


def fact_word_spans(text: str) -> list[tuple[int, int]]:
    """Returns the start and the end (exclusive) of each word in an answer that states a fact.

    Such words are yes and no, cells, colours and actions; all others only form the sentence.
    """
    return [match.span() for match in _FACT.finditer(text.lower())]


def action_in(text: str) -> str | None:
    """Returns the action class whose words an answer contains; None when it contains none."""
    lower = text.lower()
    return next((name for name, words in ACTIONS.items() if words in lower), None)


def colour_in(text: str) -> str | None:
    """Returns the first colour that an answer names; None when it names none."""
    match = _COLOUR.search(text.lower())
    return None if match is None else match[0]
