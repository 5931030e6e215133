"""Several frames of one event or video in one picture."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.core.geometry import Box
from engine.render.overlay import draw_boxes, draw_path, enlarge, overlay_heatmap
from engine.render.palette import OURS, TRUE, Colour
from engine.render.raster import Rgb, as_rgb, put_text, text_scale

_GAP = 8
_PAPER: Colour = (250, 250, 250)
_INK: Colour = (32, 32, 36)


def blend_frames(frames: NDArray[np.uint8]) -> Rgb:
    """Puts the moving parts of several frames into one picture.

    Each pixel shows the frame that differs most from the median of all, mixed with the median
    by how much it differs, so that a still background stays clean and every target is seen
    at each of its places. Two frames or one have no median background; the first stands for it.

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
        share = np.clip((difference - 10) / 18, 0, 1)[..., None]
        mixed = background + share * (values - background)
        picture[nearer] = mixed[nearer]
        strongest = np.maximum(strongest, difference)
    return np.asarray(np.round(picture), dtype=np.uint8)


def accumulate_heat(
    heatmaps: Sequence[NDArray[np.floating]], height: int, width: int
) -> NDArray[np.float32]:
    """Returns the greatest heat that each pixel ever had, float32 [height, width], 0..1.

    Args:
        heatmaps: each float [h, w], 0..1, any grid; none gives a cold map.
        height: of the frames.
        width: of the frames.
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
        opacity: of the hottest place, 0..1.
        colour_map: one of `colours.COLOUR_MAPS`.

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
        our_boxes: regions found, a sequence a frame.
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
    left = draw_boxes(blended, [b for some in our_boxes for b in some], OURS, thickness=line + 1)
    left = draw_boxes(left, [b for some in true_boxes for b in some], TRUE, thickness=line)
    masks = np.zeros((height, width), dtype=np.float32)
    for mask in true_masks:
        masks += enlarge(mask.astype(np.float32), height, width)
    # A single frame's mask must be visible beside a place that is covered for the whole video.
    level = masks / max(float(masks.max()), 1.0)
    middle = as_rgb(np.where(masks > 0, 80 + 175 * level, 0).astype(np.uint8))
    black = np.zeros((height, width, 3), dtype=np.uint8)
    right = overlay_heatmap(black, accumulate_heat(heatmaps, height, width), opacity=1.0)
    names = ("truth green, found red", "true masks", "heatmap")
    return _side_by_side([left, middle, right], names, title)


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
