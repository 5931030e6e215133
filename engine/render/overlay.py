"""What is drawn over one frame: heat, boxes, paths, the legend and a time stamp."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.core.geometry import Box
from engine.render.palette import RESULT_COLOUR, Colour, colour_table
from engine.render.raster import (
    SUBPIXEL_BITS,
    Rgb,
    as_rgb,
    line_height,
    put_text,
    text_scale,
    text_size,
)

_MIN_VISIBLE = 0.02  # heat from which a pixel is drawn over: less is no difference to be seen
_MAX_COORDINATE = 1e5  # pixels: far outside of any picture, and still exact as a fixed-point number


def enlarge(heatmap: NDArray[np.floating], height: int, width: int) -> NDArray[np.float32]:
    """Enlarges a heatmap bilinearly to a frame.

    Args:
        heatmap: float [h, w], any grid; values outside 0..1 are cut, NaN counts as 0.
        height: of the frame.
        width: of the frame.

    Returns:
        float32 [height, width], 0..1.

    Raises:
        BadInputError: the heatmap is not a picture of numbers.
    """
    if heatmap.ndim != 2 or heatmap.size == 0:
        raise BadInputError("not a heatmap", f"{heatmap.shape}", "give numbers [h, w]")
    clean = np.clip(np.nan_to_num(heatmap.astype(np.float32), nan=0.0), 0, 1)
    large = cv2.resize(clean, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large, dtype=np.float32)


def overlay_heatmap(
    rgb: NDArray[np.uint8],
    heatmap: NDArray[np.floating],
    opacity: float = 0.6,
    colour_map: str = "inferno",
) -> Rgb:
    """Lays heat over a frame; opacity follows heat, so a cold picture stays untouched.

    Args:
        rgb: uint8 [H, W, 3] or grey [H, W].
        heatmap: float [h, w], 0..1, any grid, enlarged bilinearly.
        opacity: opacity of the hottest pixel, 0..1; others have `opacity * heat`.
        colour_map: one of `palette.COLOUR_MAPS`.

    Returns:
        A new picture, uint8 [H, W, 3]; pixels colder than 0.02 are exactly the frame's.

    Raises:
        BadInputError: not a picture, not a heatmap, or no such colour map.
    """
    picture = as_rgb(rgb)
    table = colour_table(colour_map)
    heat = enlarge(heatmap, picture.shape[0], picture.shape[1])
    hot = np.asarray(heat >= _MIN_VISIBLE, dtype=np.uint8)
    # Heat covers little of most pictures, and mixing all of them would cost most of an export.
    x, y, w, h = cv2.boundingRect(hot)
    here = np.s_[y : y + h, x : x + w]
    level = heat[here] * hot[here]
    share = (level * np.float32(np.clip(opacity, 0, 1)))[..., None]
    colours = table[np.round(level * 255).astype(np.uint8)].astype(np.float32)
    mixed = picture[here].astype(np.float32) * (1 - share) + colours * share
    picture[here] = np.round(mixed).astype(np.uint8)
    return picture


def draw_boxes(
    rgb: NDArray[np.uint8],
    boxes: Sequence[Box],
    colour: Colour = RESULT_COLOUR,
    labels: Sequence[str] | None = None,
    thickness: int = 2,
) -> Rgb:
    """Draws boxes whose outer edge lies on the outermost pixels of each box.

    Args:
        rgb: uint8 [H, W, 3] or grey [H, W].
        boxes: boxes in pixels of the frame; parts outside are cut.
        colour: RGB.
        labels: one text a box, written above it on a dark backing; None for none.
        thickness: thickness of the lines, in pixels, drawn inwards.

    Returns:
        A new picture, uint8 [H, W, 3].

    Raises:
        BadInputError: not a picture, or not one label a box.
    """
    picture = as_rgb(rgb)
    if labels is not None and len(labels) != len(boxes):
        raise BadInputError(
            "labels and boxes differ in number", f"{len(labels)} and {len(boxes)}", "give one each"
        )
    scale = text_scale(picture.shape[0])
    for index, box in enumerate(boxes):
        x_min, y_min, x_max, y_max = box.corners
        _darken_edge(picture, x_min - 1, y_min - 1, x_max + 1, y_max + 1)
        for inward in range(thickness):
            if x_max - inward < x_min + inward or y_max - inward < y_min + inward:
                break
            low, high = (x_min + inward, y_min + inward), (x_max - inward, y_max - inward)
            cv2.rectangle(picture, low, high, colour, 1)
        if labels is not None and labels[index]:
            _, height, depth = text_size(labels[index], scale)
            above = y_min - height - depth - 8
            put_text(picture, labels[index], x_min, above, scale, colour)
    return picture


def _darken_edge(picture: Rgb, x_min: int, y_min: int, x_max: int, y_max: int) -> None:
    """Halves the brightness of a rectangle's outline, so that lines show on any ground."""
    height, width = picture.shape[:2]
    across = slice(max(0, x_min), max(0, x_max + 1))
    down = slice(max(0, y_min + 1), max(0, y_max))
    for y in {y_min, y_max} & set(range(height)):
        picture[y, across] //= 2
    for x in {x_min, x_max} & set(range(width)):
        picture[down, x] //= 2


def draw_path(
    rgb: NDArray[np.uint8],
    points: NDArray[np.floating],
    ages: NDArray[np.floating] | None = None,
    colour: Colour = RESULT_COLOUR,
    thickness: int = 2,
    arrow: bool = True,
) -> Rgb:
    """Draws a path that fades with age, with an arrow in its direction.

    Args:
        rgb: uint8 [H, W, 3] or grey [H, W].
        points: float [n, 2], x and y in pixels, oldest first.
        ages: float [n], 0 (now: opaque) … 1 (oldest: a quarter); None for no fading.
        colour: RGB.
        thickness: thickness of the line in pixels.
        arrow: whether its end shows the direction.

    Returns:
        A new picture, uint8 [H, W, 3]; untouched when there are fewer than two points.

    Raises:
        BadInputError: not a picture, not points, or not one age a point.
    """
    picture = as_rgb(rgb)
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        raise BadInputError("not a path", f"{points.shape}", "give finite numbers [n, 2]")
    if ages is not None and len(ages) != len(points):
        raise BadInputError("ages and points differ in number", len(ages), "give one each")
    if len(points) < 2:
        return picture
    strength = np.ones(len(points)) if ages is None else 1 - 0.75 * np.clip(ages, 0, 1)
    layer = np.zeros(picture.shape[:2], dtype=np.uint8)
    limited = np.clip(points, -_MAX_COORDINATE, _MAX_COORDINATE)
    fixed = np.round(limited * 2**SUBPIXEL_BITS).astype(np.int32)
    for index in range(len(points) - 1):
        value = round(255 * float(strength[index + 1]))
        ends = fixed[index].tolist(), fixed[index + 1].tolist()
        cv2.line(layer, *ends, value, thickness, cv2.LINE_AA, SUBPIXEL_BITS)
    if arrow:
        _arrow_head(layer, points, round(255 * float(strength[-1])), thickness)
    _lay_line(picture, layer, colour)
    return picture


def _lay_line(picture: Rgb, layer: NDArray[np.uint8], colour: Colour) -> None:
    """Mixes a line, drawn in `layer` by its strength, into a picture, with a dark seam about it."""
    # Dark seams let a line show on any ground.
    seam = cv2.dilate(layer, np.ones((3, 3), np.uint8))
    # A path covers little of the picture, and mixing all of it would cost most of an export.
    x, y, w, h = cv2.boundingRect(seam)
    here = np.s_[y : y + h, x : x + w]
    touched = picture[here]
    touched[:] = touched * (1 - seam[here].astype(np.float32) / 510)[..., None]
    share = (layer[here].astype(np.float32) / 255)[..., None]
    mixed = touched * (1 - share) + np.array(colour, dtype=np.float32) * share
    touched[:] = np.round(mixed).astype(np.uint8)


def _arrow_head(
    layer: NDArray[np.uint8], points: NDArray[np.floating], value: int, thickness: int
) -> None:
    """Draws a head at the last point; the direction is that of the last few pixels of path."""
    size = 5.0 + 3.0 * thickness
    tip = points[-1].astype(np.float64)
    away = np.linalg.norm(points - tip, axis=1)
    far = np.flatnonzero(away >= size)
    tail = points[far[-1]] if len(far) else points[0]
    along = tip - tail
    length = float(np.linalg.norm(along))
    if length < 1e-6:
        return
    along = along / length
    across = np.array([-along[1], along[0]])
    corners = [tip + along * size * 0.5]
    corners += [tip - along * size * 0.7 + side * across * size * 0.65 for side in (1, -1)]
    limited = np.clip(corners, -_MAX_COORDINATE, _MAX_COORDINATE)
    head = np.round(limited * 2.0**SUBPIXEL_BITS).astype(np.int32)
    cv2.fillConvexPoly(layer, head, value, cv2.LINE_AA, SUBPIXEL_BITS)


def draw_legend(rgb: NDArray[np.uint8], colour_map: str = "inferno", title: str = "score") -> Rgb:
    """Draws the scale of the heat, 0 to 1, as one low line into the lower right corner.

    Args:
        rgb: uint8 [H, W, 3] or grey [H, W].
        colour_map: one of `palette.COLOUR_MAPS`.
        title: written before the scale.

    Returns:
        A new picture, uint8 [H, W, 3]; untouched when it is smaller than the legend.

    Raises:
        BadInputError: not a picture, or no such colour map.
    """
    picture = as_rgb(rgb)
    table = colour_table(colour_map)
    height, width = picture.shape[:2]
    scale = text_scale(height)
    before, after = f"{title} 0", "1"
    bar_w, gap = round(160 * scale) + 16, 4
    left_w, right_w = text_size(before, scale)[0] + 6, text_size(after, scale)[0] + 6
    outer_w, outer_h = left_w + bar_w + right_w + gap, line_height(scale)
    if outer_w + 2 * gap > width or outer_h + 2 * gap > height // 3:
        return picture
    x, y = width - outer_w - gap, height - outer_h - gap
    panel = picture[y : y + outer_h, x : x + outer_w]
    panel[:] = panel // 5
    put_text(picture, before, x, y, scale, backing=None)
    put_text(picture, after, x + outer_w - right_w, y, scale, backing=None)
    ramp = table[np.linspace(0, 255, bar_w).astype(np.uint8)]
    bar_x = x + left_w + gap // 2
    picture[y + 3 : y + outer_h - 3, bar_x : bar_x + bar_w] = ramp[None]
    return picture


def burn_text(rgb: NDArray[np.uint8], text: str | Sequence[str]) -> Rgb:
    """Writes text, such as a time stamp, into the upper left corner on a dark backing.

    Args:
        rgb: uint8 [H, W, 3] or grey [H, W].
        text: one text, or several that share a line where the picture is wide enough and stand
            below each other otherwise. Characters outside ASCII become `?`.

    Returns:
        A new picture, uint8 [H, W, 3].

    Raises:
        BadInputError: not a picture.
    """
    picture = as_rgb(rgb)
    height, width = picture.shape[:2]
    scale = text_scale(height)
    lines = _lines([text] if isinstance(text, str) else text, width - 8, scale)
    for index, line in enumerate(lines):
        put_text(picture, line, 4, 4 + index * line_height(scale), scale)
    return picture


def _lines(texts: Sequence[str], width: int, scale: float) -> list[str]:
    lines: list[str] = []
    for text in texts:
        joined = f"{lines[-1]}   {text}" if lines else text
        if lines and text_size(joined, scale)[0] <= width:
            lines[-1] = joined
        else:
            lines.append(text)
    return lines
