"""A video's result beside its truth, in one picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.core.geometry import Box
from engine.render.accumulation import accumulate_heat, blend_frames
from engine.render.overlay import draw_boxes, enlarge, overlay_heatmap
from engine.render.palette import RESULT_COLOUR, TRUTH_COLOUR, Colour
from engine.render.raster import Rgb, as_rgb, put_text, text_scale

_GAP = 8  # pixels between the pictures of a page, and around them
_PAPER: Colour = (250, 250, 250)  # nearly white, so that white pictures have an edge
_INK: Colour = (32, 32, 36)  # nearly black, for text on it


def evaluation_panel(
    frames: NDArray[np.uint8],
    true_boxes: Sequence[Sequence[Box]],
    our_boxes: Sequence[Sequence[Box]],
    true_masks: Sequence[NDArray[np.bool_]],
    heatmaps: Sequence[NDArray[np.floating]],
    title: str,
) -> Rgb:
    """Draws a video's result beside its truth, after the third figure of the T-VAD paper.

    Left to right: frames overlaid with true boxes green and ours red; the accumulated true
    masks; the accumulated heatmap.

    Args:
        frames: uint8 [k, H, W, 3] or [k, H, W], in order of time, k >= 1.
        true_boxes: boxes of the truth, a sequence a frame.
        our_boxes: boxes of our regions, a sequence a frame.
        true_masks: any number, each bool [H, W].
        heatmaps: any number, each float [h, w], 0..1.
        title: written above the three pictures.

    Returns:
        uint8 [h, w, 3], a little more than three frames wide.

    Raises:
        BadInputError: not pictures, or boxes for another number of frames.
    """
    if len(true_boxes) != len(frames) or len(our_boxes) != len(frames):
        raise BadInputError(
            "boxes and frames differ in number",
            f"{len(true_boxes)}, {len(our_boxes)} and {len(frames)}",
            "give one sequence of boxes a frame",
        )
    blended = blend_frames(frames)
    height, width = blended.shape[:2]
    line = 2 if height >= 300 else 1
    # Truth comes last and thinner: where both agree, green still shows outside red.
    ours = [box for boxes in our_boxes for box in boxes]
    left = draw_boxes(blended, ours, RESULT_COLOUR, thickness=line + 1)
    left = draw_boxes(
        left, [b for boxes in true_boxes for b in boxes], TRUTH_COLOUR, thickness=line
    )
    middle = _sum_masks(true_masks, height, width)
    black = np.zeros((height, width, 3), dtype=np.uint8)
    right = overlay_heatmap(black, accumulate_heat(heatmaps, height, width), opacity=1.0)
    names = ("truth green, found red", "true masks", "heatmap")
    return _side_by_side([left, middle, right], names, title)


def _sum_masks(masks: Sequence[NDArray[np.bool_]], height: int, width: int) -> Rgb:
    """Draws how often each pixel is covered, as grey levels."""
    total = np.zeros((height, width), dtype=np.float32)
    for mask in masks:
        total += enlarge(mask.astype(np.float32), height, width)
    # The mask of a single frame must be visible beside pixels covered for the whole video.
    level = total / max(float(total.max()), 1.0)
    return as_rgb(np.where(total > 0, 80 + 175 * level, 0).astype(np.uint8))


def _side_by_side(pictures: Sequence[Rgb], names: Sequence[str], title: str) -> Rgb:
    height, width = pictures[0].shape[:2]
    scale = text_scale(max(height, 360)) * 1.1
    band = round(46 * scale) + 8
    total = len(pictures) * (width + _GAP) + _GAP
    page = np.full((height + 2 * band + _GAP, total, 3), _PAPER, dtype=np.uint8)
    put_text(page, title, _GAP, 4, scale * 1.1, _INK, None)
    for index, (picture, name) in enumerate(zip(pictures, names, strict=True)):
        x = _GAP + index * (width + _GAP)
        put_text(page, name, x - 3, band, scale, _INK, None)
        page[2 * band : 2 * band + height, x : x + width] = picture
    return page
