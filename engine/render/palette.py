"""Colour maps and the few colours that carry meaning in pictures."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError

Colour = tuple[int, int, int]
"""RGB, 0..255."""

TRUE: Colour = (64, 200, 96)
"""Ground truth."""
OURS: Colour = (240, 72, 64)
"""What the engine found."""
OTHERS: Colour = (236, 236, 240)
"""What stands out but belongs to no target."""
_TARGETS: tuple[Colour, ...] = (
    (72, 220, 255), (128, 240, 112), (255, 128, 216), (128, 168, 255), (240, 232, 96),
    (64, 224, 180),
)  # fmt: skip
CHANNELS: dict[str, Colour] = {
    "fused": (32, 32, 36),
    "scene": (200, 92, 20),
    "text": (40, 104, 192),
}
"""Curves of the channels on a white ground."""

COLOUR_MAPS: tuple[str, ...] = ("inferno", "viridis", "turbo", "grey")
"""Names that `colour_table` knows; the first is the default everywhere."""


def target_colour(number: int) -> Colour:
    """Returns the colour of a target by its number, one that stands out from the hot map."""
    return _TARGETS[(number - 1) % len(_TARGETS)]


@cache
def colour_table(name: str) -> NDArray[np.uint8]:
    """Returns a colour map as a table.

    Args:
        name: one of `COLOUR_MAPS`.

    Returns:
        uint8 [256, 3], RGB, from cold to hot; read-only, because it is kept.

    Raises:
        BadInputError: there is no such colour map.
    """
    if name not in COLOUR_MAPS:
        raise BadInputError("no such colour map", name, f"use one of {', '.join(COLOUR_MAPS)}")
    ramp = np.arange(256, dtype=np.uint8)[:, None]
    table = np.repeat(ramp, 3, axis=1)
    if name != "grey":
        # Imported here because the window needs colours before it needs anything so large.
        import cv2

        number = getattr(cv2, f"COLORMAP_{name.upper()}")
        table = np.asarray(cv2.applyColorMap(ramp, number)[:, 0, ::-1], np.uint8)
    table = np.ascontiguousarray(table)
    table.setflags(write=False)
    return table
