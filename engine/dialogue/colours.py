"""The dominant colours of a target, named: what it wears above and below."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Pictures = Sequence[NDArray[np.uint8]]
Box = Sequence[int]

_NAMED = {
    "black": (34, 34, 38), "white": (218, 216, 210), "grey": (122, 124, 128),
    "dark blue": (38, 50, 92), "blue": (52, 96, 172), "light blue": (140, 176, 208),
    "red": (168, 40, 42), "green": (54, 112, 66), "yellow": (212, 184, 62),
    "orange": (210, 112, 44), "brown": (98, 70, 50), "beige": (186, 168, 138),
    "purple": (98, 62, 118), "pink": (206, 138, 154),
}  # fmt: skip
_CHANGED = 22
_LEAST_SHARE = 0.08
_HEAD, _MIDDLE = 0.18, 0.52
_DULL = 8.0


def dominant_colours(pictures: Pictures, boxes: Sequence[Box]) -> tuple[str, str] | None:
    """Names the colours of a target's upper and lower part.

    Pixels that differ from the median of the pictures belong to the target; where it hardly moved,
    the middle of its box stands for it.

    Args:
        pictures: uint8 [H, W, 3] each, RGB, of different times.
        boxes: x, y, w, h of the target in each.

    Returns:
        Two names, or None when the target is too small to say.
    """
    if not pictures:
        return None
    usual = np.median(np.stack(pictures), axis=0).astype(np.uint8)
    upper, lower = [], []
    for picture, (x, y, width, height) in zip(pictures, boxes, strict=True):
        left, top = max(0, x), max(0, y)
        cut = picture[top : y + height, left : x + width]
        if cut.shape[0] < 6 or cut.shape[1] < 3:
            continue
        mask = cv2.absdiff(cut, usual[top : y + height, left : x + width]).max(2) > _CHANGED
        if mask.mean() < _LEAST_SHARE:
            mask = _middle(cut.shape[0], cut.shape[1])
        rows = np.arange(len(cut)) / len(cut)
        upper.append(cut[((rows >= _HEAD) & (rows < _MIDDLE))[:, None] & mask])
        lower.append(cut[(rows >= _MIDDLE)[:, None] & mask])
    nothing = np.zeros((0, 3), np.uint8)
    above, below = (np.concatenate([nothing, *one]) for one in (upper, lower))
    if len(above) < 6 or len(below) < 6:
        return None
    return _named(np.asarray(above, np.uint8)), _named(np.asarray(below, np.uint8))


def _middle(height: int, width: int) -> NDArray[np.bool_]:
    mask = np.zeros((height, width), np.uint8)
    centre, axes = (width // 2, height // 2), (max(1, width // 4), max(1, height * 2 // 5))
    cv2.ellipse(mask, centre, axes, 0, 0, 360, 1, -1)
    return np.asarray(mask > 0)


def _named(pixels: NDArray[np.uint8]) -> str:
    """Names the colour that most pixels are nearest to, in a space where distance is difference."""
    names = list(_NAMED)
    wanted = _lab(np.array(list(_NAMED.values()), np.uint8))
    found = _lab(pixels.astype(np.uint8))
    distance = np.linalg.norm(found[:, None] - wanted[None], axis=2)
    # A dull pixel is a shade of grey, whatever its brightness is nearest to.
    dull = np.hypot(found[:, 1], found[:, 2]) < _DULL
    greys = np.array([name in ("black", "white", "grey") for name in names])
    distance[np.ix_(dull, ~greys)] += 60
    votes = np.bincount(distance.argmin(1), minlength=len(names))
    return names[int(votes.argmax())]


def _lab(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Returns L 0..100, a and b, float32 [n, 3]."""
    scaled = (pixels.reshape(-1, 1, 3) / 255).astype(np.float32)
    return np.asarray(cv2.cvtColor(scaled, cv2.COLOR_RGB2LAB), np.float32).reshape(-1, 3)
