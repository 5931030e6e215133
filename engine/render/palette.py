"""Colour maps and the few colours that carry meaning in pictures."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError

Colour = tuple[int, int, int]
"""RGB, 0..255."""

TRUTH_COLOUR: Colour = (64, 200, 96)
"""Of ground truth."""
RESULT_COLOUR: Colour = (240, 72, 64)
"""Of what the engine finds."""
OTHER_COLOUR: Colour = (236, 236, 240)
"""Of what stands out but belongs to no target."""
_TARGET_COLOURS: tuple[Colour, ...] = (
    (72, 220, 255), (128, 240, 112), (255, 128, 216), (128, 168, 255), (240, 232, 96),
    (64, 224, 180),
)  # fmt: skip
"""Of targets, in turn; each stands out from the hot end of the default colour map."""
CHANNEL_COLOURS: dict[str, Colour] = {
    "fused": (32, 32, 36),
    "scene": (200, 92, 20),
    "text": (40, 104, 192),
}
"""Of the curves of the channels on a white ground."""

COLOUR_MAPS: tuple[str, ...] = ("inferno", "viridis", "turbo", "grey")
"""Names that `colour_table` knows; the first is the default everywhere."""


def target_colour(number: int) -> Colour:
    """Returns the colour of a target by its number, one that stands out from the hot map."""
    return _TARGET_COLOURS[(number - 1) % len(_TARGET_COLOURS)]


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
