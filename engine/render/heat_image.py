"""Heat as a small picture that is laid over a frame by whoever shows it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.render.palette import colour_table

_MIN_VISIBLE = 5  # of 255: what is colder is not drawn; 0.02, as in `overlay`


def heat_rgba(
    heat: NDArray[np.uint8], colour_map: str = "inferno", opacity: float = 0.55
) -> NDArray[np.uint8]:
    """Colours a heatmap; what is cold is transparent, so that a cold picture stays untouched.

    Args:
        heat: uint8 [R, C], 255 for 1.0.
        colour_map: one of `palette.COLOUR_MAPS`.
        opacity: opacity of the hottest cell, 0..1.

    Returns:
        uint8 [R, C, 4], RGB and alpha, not premultiplied.

    Raises:
        BadInputError: there is no such colour map.
    """
    rgba = np.empty((*heat.shape, 4), np.uint8)
    rgba[..., :3] = colour_table(colour_map)[heat]
    share = np.round(heat.astype(np.float32) * np.float32(np.clip(opacity, 0, 1)))
    rgba[..., 3] = np.where(heat < _MIN_VISIBLE, 0, share).astype(np.uint8)
    return rgba
