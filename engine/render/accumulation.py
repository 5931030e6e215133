"""Several frames of one event or video in one picture."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.render.overlay import draw_path, enlarge, overlay_heatmap
from engine.render.raster import Rgb, as_rgb

# Difference to the background, in grey levels, below which a pixel is background, and how much more
# makes it all target: between noise and what is seen at a glance. Choices.
_MIN_DIFFERENCE, _DIFFERENCE_RANGE = 10, 18


def blend_frames(frames: NDArray[np.uint8]) -> Rgb:
    """Puts the moving parts of several frames into one picture.

    Each pixel shows the frame that differs most from the median of all, mixed with the median
    by how much it differs, so that a still background stays clean and every target is seen
    wherever it was. Two frames or one have no median background; the first stands for it.

    Args:
        frames: uint8 [k, H, W, 3] or [k, H, W], k >= 1.

    Returns:
        uint8 [H, W, 3].

    Raises:
        BadInputError: not pictures, or none.
    """
    if frames.ndim not in (3, 4) or len(frames) == 0:
        raise BadInputError("no frames to blend", f"{frames.shape}", "give uint8 [k, H, W, 3]")
    stack = np.stack([as_rgb(frame) for frame in frames])
    if len(stack) < 3:
        background = stack[0].astype(np.float32)
    else:
        background = np.median(stack, axis=0).astype(np.float32)
    strongest = np.zeros(stack.shape[1:3], dtype=np.float32)
    picture = background.copy()
    soft = max(1.2, stack.shape[1] / 240)
    for frame in stack:
        values = frame.astype(np.float32)
        difference = cv2.GaussianBlur(np.abs(values - background).max(axis=2), (0, 0), soft)
        nearer = difference > strongest
        share = np.clip((difference - _MIN_DIFFERENCE) / _DIFFERENCE_RANGE, 0, 1)[..., None]
        mixed = background + share * (values - background)
        picture[nearer] = mixed[nearer]
        strongest = np.maximum(strongest, difference)
    return np.asarray(np.round(picture), dtype=np.uint8)


def accumulate_heat(
    heatmaps: Sequence[NDArray[np.floating]], height: int, width: int
) -> NDArray[np.float32]:
    """Returns the greatest heat that each pixel ever had, float32 [height, width], 0..1.

    Args:
        heatmaps: heatmaps, each float [h, w], 0..1, any grid; none gives a cold map.
        height: height of the frames.
        width: width of the frames.
    """
    heat = np.zeros((height, width), dtype=np.float32)
    for heatmap in heatmaps:
        heat = np.maximum(heat, enlarge(heatmap, height, width))
    return heat


def accumulate(
    frames: NDArray[np.uint8],
    heatmaps: Sequence[NDArray[np.floating]],
    path: NDArray[np.floating] | None = None,
    opacity: float = 0.5,
    colour_map: str = "inferno",
) -> Rgb:
    """Draws the accumulated view of an event: its frames, all its heat, its path and direction.

    Args:
        frames: uint8 [k, H, W, 3] or [k, H, W], in order of time, k >= 1.
        heatmaps: any number, each float [h, w], 0..1.
        path: float [n, 2], x and y in pixels, oldest first; None for none.
        opacity: opacity of the hottest pixel, 0..1.
        colour_map: one of `palette.COLOUR_MAPS`.

    Returns:
        uint8 [H, W, 3].

    Raises:
        BadInputError: not pictures, not heatmaps, not a path, or no such colour map.
    """
    picture = blend_frames(frames)
    heat = accumulate_heat(heatmaps, *picture.shape[:2])
    picture = overlay_heatmap(picture, heat, opacity, colour_map)
    if path is None or len(path) < 2:
        return picture
    line = draw_path(picture, path, colour=(16, 16, 18), thickness=5)
    ages = np.linspace(1, 0, len(path))
    return draw_path(line, path, ages * 0.5, (120, 220, 255), thickness=2)
