"""Intersection over union of many boxes at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def box_ious(
    boxes: NDArray[np.int64] | NDArray[np.float64], others: NDArray[np.int64] | NDArray[np.float64]
) -> NDArray[np.float64]:
    """Computes the IoU of boxes whose corners are inclusive pixels.

    Args:
        boxes: [..., 4], x_min, y_min, x_max, y_max.
        others: the same, of a shape that broadcasts with that of `boxes`.

    Returns:
        float64 [...], 0..1.
    """
    low = np.maximum(boxes[..., :2], others[..., :2])
    high = np.minimum(boxes[..., 2:], others[..., 2:])
    shared = np.prod(np.maximum(high - low + 1, 0), axis=-1)
    areas = np.prod(boxes[..., 2:] - boxes[..., :2] + 1, axis=-1)
    areas = areas + np.prod(others[..., 2:] - others[..., :2] + 1, axis=-1)
    return np.asarray(shared / (areas - shared), np.float64)
