"""Names for the dominant colours of a target: of what it wears above and below."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.render.colour_names import COLOUR_NAMES, colour_numbers

Images = Sequence[NDArray[np.uint8]]
BoxSides = Sequence[int]

_CHANGE_THRESHOLD = 22  # Grey levels by which a pixel differs from the background; a choice.
_MIN_CHANGED_SHARE = 0.08  # Of the box; below it the target hardly moved. A choice.
# Shares of the height of the box at which the head and the upper part end; a choice, for a person
# who stands.
_HEAD_END, _WAIST = 0.18, 0.52
_MIN_PIXELS = 6  # Fewer pixels name no colour: a choice that bounds chance.


def dominant_colours(images: Images, boxes: Sequence[BoxSides]) -> tuple[str, str] | None:
    """Names the colours of a target's upper and lower part.

    Pixels that differ from the median of the images are taken for the target; where it hardly
    moved, the middle of its box is.

    Args:
        images: uint8 [H, W, 3] each, RGB, of different times.
        boxes: x, y, w, h of the target in each.

    Returns:
        Two names, or None when the target is too small for one.
    """
    if not images:
        return None
    background = np.median(np.stack(images), axis=0).astype(np.uint8)
    upper: list[NDArray[np.uint8]] = []
    lower: list[NDArray[np.uint8]] = []
    for image, (x, y, width, height) in zip(images, boxes, strict=True):
        inside = np.s_[max(0, y) : y + height, max(0, x) : x + width]
        crop = image[inside]
        if crop.shape[0] < 6 or crop.shape[1] < 3:
            continue
        mask = cv2.absdiff(crop, background[inside]).max(2) > _CHANGE_THRESHOLD
        if mask.mean() < _MIN_CHANGED_SHARE:
            mask = _middle_mask(crop.shape[0], crop.shape[1])
        for parts, pixels in zip((upper, lower), upper_and_lower(crop, mask), strict=True):
            parts.append(pixels)
    nothing = np.zeros((0, 3), np.uint8)
    above, below = (
        named_colour(np.asarray(np.concatenate([nothing, *parts]), np.uint8))
        for parts in (upper, lower)
    )
    return None if above is None or below is None else (above, below)


def upper_and_lower(
    crop: NDArray[np.uint8], mask: NDArray[np.bool_]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Returns the pixels of what a target wears above and below, without its head.

    Args:
        crop: uint8 [h, w, 3], RGB, the pixels in the target's box.
        mask: bool [h, w], True where the target is.

    Returns:
        Two arrays uint8 [n, 3].
    """
    rows = np.arange(len(crop)) / len(crop)
    above = ((rows >= _HEAD_END) & (rows < _WAIST))[:, None] & mask
    return crop[above], crop[(rows >= _WAIST)[:, None] & mask]


def named_colour(pixels: NDArray[np.uint8]) -> str | None:
    """Returns the name of the colour that most pixels are nearest to; None for too few pixels.

    Args:
        pixels: uint8 [n, 3], RGB.
    """
    if len(pixels) < _MIN_PIXELS:
        return None
    votes = np.bincount(colour_numbers(pixels), minlength=len(COLOUR_NAMES))
    return COLOUR_NAMES[int(votes.argmax())]


def _middle_mask(height: int, width: int) -> NDArray[np.bool_]:
    mask = np.zeros((height, width), np.uint8)
    centre, axes = (width // 2, height // 2), (max(1, width // 4), max(1, height * 2 // 5))
    cv2.ellipse(mask, centre, axes, 0, 0, 360, 1, -1)
    return np.asarray(mask > 0)
