"""Names for the colours of pixels, in a space where distance is difference."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_NAMED = {
    "black": (34, 34, 38), "white": (218, 216, 210), "grey": (122, 124, 128),
    "dark blue": (38, 50, 92), "blue": (52, 96, 172), "light blue": (140, 176, 208),
    "red": (168, 40, 42), "green": (54, 112, 66), "yellow": (212, 184, 62),
    "orange": (210, 112, 44), "brown": (98, 70, 50), "beige": (186, 168, 138),
    "purple": (98, 62, 118), "pink": (206, 138, 154),
}  # fmt: skip
COLOUR_NAMES = tuple(_NAMED)
"""What a pixel can be called."""

_GREYS = np.array([name in ("black", "white", "grey") for name in COLOUR_NAMES])
# In units of CIELAB, in which about two are the least difference that is seen; choices.
_DULL_CHROMA = 8.0  # below which a pixel has no hue that anybody would name
_GREY_PENALTY = 60.0  # added to the distance from colours that it must not be called then
_BRIGHTNESS_WEIGHT = 0.5  # in the distance of two names: a shadow changes it, and the colour stays


def colour_numbers(pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Names pixels by the nearest colour.

    Args:
        pixels: uint8 [n, 3], RGB.

    Returns:
        int64 [n], indices in `COLOUR_NAMES`.
    """
    lab = _to_lab(pixels)
    distance = np.linalg.norm(lab[:, None] - _LAB_COLOURS[None], axis=2)
    # A dull pixel is a shade of grey, whatever its brightness is nearest to.
    dull = np.hypot(lab[:, 1], lab[:, 2]) < _DULL_CHROMA
    distance[np.ix_(dull, ~_GREYS)] += _GREY_PENALTY
    return np.asarray(distance.argmin(1), np.int64)


def colour_distance(name: str, other: str) -> float:
    """Returns how far two of `COLOUR_NAMES` lie apart: 60 from red to blue, 36 from black to white.

    Brightness counts half: a shadow changes it, and the colour stays.

    Raises:
        ValueError: it is not one of them.
    """
    first, second = (_LAB_COLOURS[COLOUR_NAMES.index(colour)] for colour in (name, other))
    return float(np.linalg.norm((first - second) * (_BRIGHTNESS_WEIGHT, 1, 1)))


def _to_lab(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Returns L 0..100, a and b, float32 [n, 3], of pixels uint8 [n, 3], RGB."""
    scaled = (pixels.reshape(-1, 1, 3) / 255).astype(np.float32)
    return np.asarray(cv2.cvtColor(scaled, cv2.COLOR_RGB2LAB), np.float32).reshape(-1, 3)


_LAB_COLOURS = _to_lab(np.array(list(_NAMED.values()), np.uint8))
