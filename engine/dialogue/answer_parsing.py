"""What an answer says: its cells, and whether it says yes or no."""

from __future__ import annotations

import re

from engine.core.geometry import CELLS

_CELL = re.compile("|".join(CELLS))
_YES_OR_NO = re.compile(r"\W*(yes|no)\b")


def cells_in(text: str) -> tuple[str, str] | None:
    """Returns the first and the last cell that an answer names; None when it names none."""
    cells = _CELL.findall(text.lower())
    return (str(cells[0]), str(cells[-1])) if cells else None


def yes_or_no(text: str) -> bool | None:
    """Returns whether an answer begins with yes or with no; None when it does with neither."""
    match = _YES_OR_NO.match(text.lower())
    return None if match is None else match[1] == "yes"
