"""The dominant colours of a target, named: what it wears above and below."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.render.colour_names import COLOUR_NAMES, colour_numbers

Pictures = Sequence[NDArray[np.uint8]]
Box = Sequence[int]

_CHANGED = 22
_LEAST_SHARE = 0.08
_HEAD, _MIDDLE = 0.18, 0.52
_LEAST_PIXELS = 6


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
    upper: list[NDArray[np.uint8]] = []
    lower: list[NDArray[np.uint8]] = []
    for picture, (x, y, width, height) in zip(pictures, boxes, strict=True):
        left, top = max(0, x), max(0, y)
        cut = picture[top : y + height, left : x + width]
        if cut.shape[0] < 6 or cut.shape[1] < 3:
            continue
        mask = cv2.absdiff(cut, usual[top : y + height, left : x + width]).max(2) > _CHANGED
        if mask.mean() < _LEAST_SHARE:
            mask = _middle(cut.shape[0], cut.shape[1])
        for kept, pixels in zip((upper, lower), upper_and_lower(cut, mask), strict=True):
            kept.append(pixels)
    nothing = np.zeros((0, 3), np.uint8)
    above, below = (np.concatenate([nothing, *one]) for one in (upper, lower))
    named = named_colour(np.asarray(above, np.uint8)), named_colour(np.asarray(below, np.uint8))
    return None if named[0] is None or named[1] is None else (named[0], named[1])


def upper_and_lower(
    cut: NDArray[np.uint8], mask: NDArray[np.bool_]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Returns the pixels of what a target wears above and below, without its head.

    Args:
        cut: uint8 [h, w, 3], RGB, of the target's box.
        mask: bool [h, w], True where the target is.
    """
    rows = np.arange(len(cut)) / len(cut)
    above = ((rows >= _HEAD) & (rows < _MIDDLE))[:, None] & mask
    return cut[above], cut[(rows >= _MIDDLE)[:, None] & mask]


def named_colour(pixels: NDArray[np.uint8]) -> str | None:
    """Names the colour that most pixels are nearest to; None when they are too few."""
    if len(pixels) < _LEAST_PIXELS:
        return None
    votes = np.bincount(colour_numbers(pixels), minlength=len(COLOUR_NAMES))
    return COLOUR_NAMES[int(votes.argmax())]


def _middle(height: int, width: int) -> NDArray[np.bool_]:
    mask = np.zeros((height, width), np.uint8)
    centre, axes = (width // 2, height // 2), (max(1, width // 4), max(1, height * 2 // 5))
    cv2.ellipse(mask, centre, axes, 0, 0, 360, 1, -1)
    return np.asarray(mask > 0)
