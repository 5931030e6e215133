"""Connected parts of a mask and their boxes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def component_boxes(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Finds the 8-connected components of a mask.

    Args:
        mask: bool [height, width].

    Returns:
        Boxes int64 [n, 4] as inclusive corners x_min, y_min, x_max, y_max, and areas int64 [n] in
        pixels, both in raster order of the components.
    """
    import cv2

    _, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    parts = np.asarray(stats[1:], np.int64)
    left, top = parts[:, cv2.CC_STAT_LEFT], parts[:, cv2.CC_STAT_TOP]
    right = left + parts[:, cv2.CC_STAT_WIDTH] - 1
    bottom = top + parts[:, cv2.CC_STAT_HEIGHT] - 1
    return np.column_stack([left, top, right, bottom]), parts[:, cv2.CC_STAT_AREA]


def largest_box(mask: NDArray[np.bool_]) -> NDArray[np.int64] | None:
    """Returns the box int64 [4] (inclusive corners) of the largest component; None when empty."""
    boxes, areas = component_boxes(mask)
    return boxes[int(areas.argmax())] if len(areas) else None
