"""A target kept sharp over a blurred background, so that a description attends to it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.lab.dialogue_corpus.building.sightings import Sighting

_BLUR = 0.03
_MARGIN = 0.08


def highlighted(image: NDArray[np.uint8], sighting: Sighting) -> NDArray[np.uint8]:
    """Keeps a target sharp over a background blurred by a Gaussian (method, data pipeline).

    Args:
        image: uint8 [H, W, 3], RGB.
        sighting: in that frame.
    """
    height, width = image.shape[:2]
    blurred = cv2.GaussianBlur(image, (0, 0), max(2.0, _BLUR * width))
    box = sighting.box
    mask = np.zeros((height, width), np.float32)
    mask[box.y : box.y + box.h, box.x : box.x + box.w] = sighting.mask
    # The edge of the mask belongs to the target: what it holds reaches a little over it.
    grow = max(1, round(_MARGIN * max(box.w, box.h)))
    mask = np.asarray(cv2.dilate(mask, np.ones((2 * grow + 1,) * 2, np.uint8)), np.float32)
    soft = cv2.GaussianBlur(mask, (0, 0), grow)[..., None]
    return np.asarray(np.round(image * soft + blurred * (1 - soft)), np.uint8)
