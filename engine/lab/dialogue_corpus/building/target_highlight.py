"""A sharp target over a blurred background, so that a description is about the target."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.lab.dialogue_corpus.building.sightings import Sighting

_BLUR = 0.03  # sigma as a share of the frame's width: surroundings stay recognisable; a choice
_MARGIN = 0.08  # share of the box by which the mask grows, for what a target carries; a choice


def highlight(image: NDArray[np.uint8], sighting: Sighting) -> NDArray[np.uint8]:
    """Blurs everything but a target with a Gaussian.

    Args:
        image: uint8 [H, W, 3], RGB.
        sighting: the target in that frame.
    """
    height, width = image.shape[:2]
    blurred = cv2.GaussianBlur(image, (0, 0), max(2.0, _BLUR * width))
    box = sighting.box
    mask = np.zeros((height, width), np.float32)
    mask[box.y : box.y + box.h, box.x : box.x + box.w] = sighting.mask
    # What a target holds in its hands reaches a little beyond its mask.
    grow = max(1, round(_MARGIN * max(box.w, box.h)))
    mask = np.asarray(cv2.dilate(mask, np.ones((2 * grow + 1,) * 2, np.uint8)), np.float32)
    soft = cv2.GaussianBlur(mask, (0, 0), grow)[..., None]
    return np.asarray(np.round(image * soft + blurred * (1 - soft)), np.uint8)
