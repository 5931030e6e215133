"""Figures made of hulls around spheres, and how a camera sees them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.lab.synthesis.scene.camera import Camera, Floats

Bytes = NDArray[np.uint8]

Colour = tuple[int, int, int]
"""RGB, 0..255."""

_MIN_DEPTH_M = 0.6  # metres in front of the camera; what is nearer is not drawn
_SHIFT = 4  # bits of a part of a pixel in OpenCV's drawing functions
_CIRCLE = np.stack(
    [np.cos(np.arange(12) * math.pi / 6), np.sin(np.arange(12) * math.pi / 6)], axis=-1
)
# Radius, shift towards the light and brightness of each band of a shaded sphere.
_BANDS = ((1.0, 0.0, 0.66), (0.8, 0.14, 0.92), (0.5, 0.3, 1.1))


@dataclass(frozen=True)
class Hull:
    """A convex hull around spheres, or a line through their centres.

    Attributes:
        joints: indices of the sphere centres among the figure's joints.
        radii: of the spheres, in metres; of a line, half its thickness once.
        colour: RGB of the lit surface.
        line: None for a hull; else whether the line through the centres is `closed` or `open`.
        lift: metres by which the part counts as nearer when parts are sorted by depth.
    """

    joints: tuple[int, ...]
    radii: tuple[float, ...]
    colour: Colour
    line: str | None = None
    lift: float = 0.0


@dataclass(frozen=True)
class Figure:
    """A thing in the world.

    Attributes:
        joints: float64 [n, 3], metres.
        parts: what lies around them.
        foot: the point on the ground that says how far away it is.
        smooth: whether its surface has no weave, like a car's.
    """

    joints: Floats
    parts: tuple[Hull, ...]
    foot: tuple[float, float]
    smooth: bool = False


@dataclass(frozen=True)
class Sprite:
    """A drawn figure.

    Attributes:
        x: column of its left edge in the frame.
        y: row of its upper edge in the frame.
        rgb: uint8 [h, w, 3], already multiplied by alpha.
        alpha: uint8 [h, w], 255 where the figure covers the pixel.
        depth: metres from the camera along its axis.
    """

    x: int
    y: int
    rgb: Bytes
    alpha: Bytes
    depth: float


@dataclass(frozen=True)
class Shading:
    """Light on one figure.

    Attributes:
        towards: unit vector on screen towards the light (y down).
        gain: brightness of the light there, 1 in the open.
        contrast: 0 (flat, overcast) … 1 (hard sun).
        weave: uint8 [n, n, 3], cloth texture around 128.
    """

    towards: tuple[float, float]
    gain: float
    contrast: float
    weave: Bytes


def paint(figure: Figure, camera: Camera, shading: Shading) -> Sprite | None:
    """Draws a figure with soft edges.

    Returns:
        The part of it inside the frame, or None when nothing of it is.
    """
    pixels, depth = camera.project(figure.joints)
    if float(depth.min()) < _MIN_DEPTH_M:
        return None
    scale = camera.focal / depth
    margin = 0.32 * float(scale.max()) + 2
    x_min, y_min = np.maximum(np.floor(pixels.min(axis=0) - margin), 0).astype(int)
    x_max, y_max = np.minimum(
        np.ceil(pixels.max(axis=0) + margin), [camera.width, camera.height]
    ).astype(int)
    if x_max <= x_min or y_max <= y_min:
        return None
    finer = 3 if y_max - y_min < 90 else 2
    canvas = np.zeros(((y_max - y_min) * finer, (x_max - x_min) * finer, 4), dtype=np.uint8)
    position = (pixels - (x_min, y_min)) * finer - 0.5
    _paint_parts(canvas, figure.parts, position, depth, scale * finer, shading)
    small = cv2.resize(canvas, (x_max - x_min, y_max - y_min), interpolation=cv2.INTER_AREA)
    alpha = np.ascontiguousarray(small[..., 3], dtype=np.uint8)
    if not alpha.any():
        return None
    root = (float(pixels[0, 0]) - x_min, float(pixels[0, 1]) - y_min)
    rgb = np.ascontiguousarray(small[..., :3], dtype=np.uint8)
    if not figure.smooth:
        rgb = _weave(rgb, shading, root, float(scale[0]))
    foot = np.array([*figure.foot, 0.0])
    return Sprite(int(x_min), int(y_min), rgb, alpha, float(camera.project(foot)[1]))


def _paint_parts(
    canvas: Bytes,
    parts: tuple[Hull, ...],
    position: Floats,
    depth: Floats,
    scale: Floats,
    shading: Shading,
) -> None:
    distance = [float(np.mean(depth[list(part.joints)])) - part.lift for part in parts]
    towards = np.array(shading.towards)
    bands = [
        (_rings(parts, position, scale, share, shift * towards), bright)
        for share, shift, bright in _BANDS
    ]
    for index in np.argsort(np.array(distance))[::-1]:
        part = parts[index]
        if part.line is not None:
            _draw_line(canvas, part, position, scale, _tone(part.colour, shading, 0.9), cv2.LINE_8)
            continue
        for rings, bright in bands:
            level = 1 + (bright - 1) * (0.45 + 0.55 * shading.contrast)
            tone = _tone(part.colour, shading, level)
            hull = cv2.convexHull(rings[index])
            cv2.fillConvexPoly(canvas, hull, tone, cv2.LINE_8, _SHIFT)


def _rings(
    parts: tuple[Hull, ...],
    position: Floats,
    scale: Floats,
    share: float = 1.0,
    shift: Floats | float = 0.0,
    circle: Floats = _CIRCLE,
) -> list[NDArray[np.int32]]:
    """Returns points around the spheres of each part, int32 [12 n, 2] in parts of a pixel.

    Args:
        parts: of a figure; those of lines get none.
        position: float64 [n, 2], pixels of the joints.
        scale: float64 [n], pixels of a metre there.
        share: of the radii.
        shift: of the centres, in radii.
        circle: points around a sphere of one pixel.
    """
    # All at once: one by one, numpy's own overhead takes most of the time of a frame.
    spheres = [() if part.line is not None else part.joints for part in parts]
    joints = np.array([joint for indices in spheres for joint in indices], np.intp)
    metres = [radius for part in parts if part.line is None for radius in part.radii]
    radii = np.array(metres) * scale[joints]
    centres = position[joints] + radii[:, None] * shift
    points = centres[:, None, :] + (radii * share)[:, None, None] * circle
    points = np.rint(points * 2**_SHIFT).astype(np.int32).reshape(-1, 2)
    counts = [len(circle) * len(indices) for indices in spheres]
    ends = np.cumsum(counts)
    return [points[end - count : end] for count, end in zip(counts, ends, strict=True)]


def _draw_line(
    canvas: Bytes,
    part: Hull,
    position: Floats,
    scale: Floats,
    tone: int | tuple[int, int, int, int],
    kind: int,
) -> None:
    joints = list(part.joints)
    thickness = max(1, round(2 * part.radii[0] * float(scale[joints[0]])))
    points = np.round(position[joints] * 2**_SHIFT).astype(np.int32)
    cv2.polylines(canvas, [points], part.line == "closed", tone, thickness, kind, _SHIFT)


def _tone(colour: Colour, shading: Shading, level: float) -> tuple[int, int, int, int]:
    factor = shading.gain * level
    red, green, blue = (min(255, round(value * factor)) for value in colour)
    return red, green, blue, 255


def _weave(rgb: Bytes, shading: Shading, root: tuple[float, float], scale: float) -> Bytes:
    tile = shading.weave.shape[0]
    step = scale * 1.4 / tile
    matrix = np.array([[step, 0.0, root[0] - step * tile / 2], [0.0, step, root[1]]])
    cloth = cv2.warpAffine(
        shading.weave,
        matrix,
        (rgb.shape[1], rgb.shape[0]),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_WRAP,
    )
    return np.asarray(cv2.multiply(rgb, cloth, scale=1 / 128), dtype=np.uint8)


def cast(figure: Figure, camera: Camera, sun: tuple[float, float, float], shadow: Bytes) -> None:
    """Draws a figure's shadow on the ground into `shadow` (uint8 [h, w], 255 = full shadow).

    Args:
        figure: what casts.
        camera: who looks.
        sun: direction towards the light, z > 0.
        shadow: changed in place.
    """
    fall = np.array([sun[0], sun[1]]) / sun[2]
    flat = figure.joints.copy()
    flat[:, :2] -= flat[:, 2:] * fall
    flat[:, 2] = 0.0
    pixels, depth = camera.project(flat)
    if float(depth.min()) < _MIN_DEPTH_M:
        return
    low, high = pixels.min(axis=0) - 0.3 * camera.focal / float(depth.min()), pixels.max(axis=0)
    high = high + 0.3 * camera.focal / float(depth.min())
    if (high < 0).any() or low[0] > camera.width or low[1] > camera.height:
        return
    scale = camera.focal / depth
    excess_to_score = np.array([1.0, max(0.3, math.sin(camera.tilt))])
    rings = _rings(figure.parts, pixels, scale, circle=_CIRCLE * excess_to_score)
    for part, ring in zip(figure.parts, rings, strict=True):
        if part.line is not None:
            _draw_line(shadow, part, pixels, scale, 255, cv2.LINE_AA)
        else:
            cv2.fillConvexPoly(shadow, cv2.convexHull(ring), 255, cv2.LINE_AA, _SHIFT)
