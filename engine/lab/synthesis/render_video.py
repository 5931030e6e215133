"""Renders a video frame by frame, with the object id of every pixel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.lab.synthesis.actors import Actor
from engine.lab.synthesis.scene.backdrop import (
    Backdrop,
    SceneSpec,
    build_backdrop,
    darken,
    screen_light,
)
from engine.lab.synthesis.scene.figures import Bytes, Shading, Sprite, cast, paint
from engine.lab.synthesis.scene.sensor import PLAIN, Exposure, Sensor


@dataclass(frozen=True)
class VideoSpec:
    """Everything that a video shows.

    Attributes:
        scene: the place and its camera, which fixes the picture's size.
        fps: frames a second.
        seconds: duration.
        actors: who moves.
        noise: standard deviation of the sensor's noise, in grey levels.
        blur: standard deviation of the lens's blur, in pixels.
        grey: whether the camera gives a grey picture.
        sensor: how the camera sees beyond that.
    """

    scene: SceneSpec
    fps: int
    seconds: float
    actors: tuple[Actor, ...]
    noise: float
    blur: float
    grey: bool
    sensor: Sensor = PLAIN

    @property
    def frames(self) -> int:
        """Number of frames."""
        return round(self.fps * self.seconds)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.scene.camera.width, self.scene.camera.height


def render_video(spec: VideoSpec, seed: int) -> Iterator[tuple[Bytes, Bytes]]:
    """Renders a video.

    Args:
        spec: what it shows.
        seed: of the sensor's noise.

    Yields:
        The picture, uint8 [h, w, 3] RGB, and the id of the actor that each pixel shows,
        uint8 [h, w], 0 where none does. Shadows belong to nobody. Same spec and seed, same
        frames.
    """
    backdrop = build_backdrop(spec.scene)
    sensor = spec.sensor
    if spec.grey and not sensor.colourless:
        sensor = replace(sensor, look="grey")
    exposure = Exposure(sensor, spec.size, spec.noise, spec.blur, seed)
    for index in range(spec.frames):
        seconds = index / spec.fps
        yield exposure.take(*_frame(spec, backdrop, seconds), seconds)


def _frame(spec: VideoSpec, backdrop: Backdrop, seconds: float) -> tuple[Bytes, Bytes]:
    camera, light = spec.scene.camera, spec.scene.light
    rgb = backdrop.rgb.copy()
    ids = np.zeros(rgb.shape[:2], dtype=np.uint8)
    shadow = np.zeros(rgb.shape[:2], dtype=np.uint8)
    towards = screen_light(camera, light)
    drawn: list[tuple[int, Sprite]] = []
    for actor in spec.actors:
        figure = actor.figure(seconds)
        if figure is None:
            continue
        gain = light.exposure * _light_at(
            backdrop, camera.project(np.array([*figure.foot, 0.0]))[0]
        )
        sprite = paint(figure, camera, Shading(towards, gain, light.sun, backdrop.weave))
        cast(figure, camera, light.direction, shadow)
        if sprite is not None:
            drawn.append((actor.number, sprite))
    if shadow.any():
        darken(rgb, shadow, backdrop.ground, light.sun)
    for number, sprite in sorted(drawn, key=lambda pair: -pair[1].depth):
        _paste_sprite(rgb, ids, backdrop.depth, number, sprite)
    return rgb, ids


def _light_at(backdrop: Backdrop, pixel: NDArray[np.float64]) -> float:
    height, width = backdrop.light.shape
    column = min(width - 1, max(0, int(pixel[0])))
    row = min(height - 1, max(0, int(pixel[1])))
    return 0.25 + 0.75 * float(backdrop.light[row, column])


def _paste_sprite(
    rgb: Bytes, ids: Bytes, depth: NDArray[np.float32], number: int, sprite: Sprite
) -> None:
    """Lays a sprite over the frame in place, behind nearer props."""
    height, width = sprite.alpha.shape
    window = np.s_[sprite.y : sprite.y + height, sprite.x : sprite.x + width]
    alpha, colour = sprite.alpha, sprite.rgb
    hidden = depth[window] < sprite.depth
    if hidden.any():
        alpha, colour = alpha.copy(), colour.copy()
        alpha[hidden] = 0
        colour[hidden] = 0
    keep = cv2.merge([255 - alpha] * 3)
    rgb[window] = cv2.add(cv2.multiply(rgb[window], keep, scale=1 / 255), colour)
    ids[window][alpha > 127] = number
