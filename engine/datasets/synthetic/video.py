"""Renders a video frame by frame, with the object id of every pixel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.datasets.synthetic.actors import ActorSpec
from engine.datasets.synthetic.figures import Bytes, Shading, Sprite, cast, paint
from engine.datasets.synthetic.scene import (
    Backdrop,
    SceneSpec,
    build_backdrop,
    darken,
    screen_light,
)

_MARGIN = 64


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
    """

    scene: SceneSpec
    fps: int
    seconds: float
    actors: tuple[ActorSpec, ...]
    noise: float
    blur: float
    grey: bool

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
    rng = np.random.default_rng(seed)
    backdrop = build_backdrop(spec.scene)
    grain = _Grain(rng, spec)
    for index in range(spec.frames):
        rgb, ids = _frame(spec, backdrop, index / spec.fps)
        if spec.blur > 0:
            rgb = np.asarray(cv2.GaussianBlur(rgb, (0, 0), spec.blur), dtype=np.uint8)
        if spec.grey:
            rgb = np.asarray(cv2.merge([cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)] * 3), dtype=np.uint8)
        yield grain.over(rgb), ids


def _frame(spec: VideoSpec, backdrop: Backdrop, seconds: float) -> tuple[Bytes, Bytes]:
    camera, light = spec.scene.camera, spec.scene.light
    rgb = backdrop.rgb.copy()
    ids = np.zeros(rgb.shape[:2], dtype=np.uint8)
    shadow = np.zeros(rgb.shape[:2], dtype=np.uint8)
    towards = screen_light(camera, light)
    drawn: list[tuple[int, Sprite]] = []
    for actor in spec.actors:
        figure = actor.figure(seconds)
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
        _place(rgb, ids, backdrop.depth, number, sprite)
    return rgb, ids


def _light_at(backdrop: Backdrop, pixel: NDArray[np.float64]) -> float:
    height, width = backdrop.light.shape
    column = min(width - 1, max(0, int(pixel[0])))
    row = min(height - 1, max(0, int(pixel[1])))
    return 0.25 + 0.75 * float(backdrop.light[row, column])


def _place(rgb: Bytes, ids: Bytes, depth: NDArray[np.float32], number: int, sprite: Sprite) -> None:
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


class _Grain:
    """Sensor noise: one large tile, laid over each frame at another place."""

    def __init__(self, rng: np.random.Generator, spec: VideoSpec) -> None:
        self._rng = rng
        self._width, self._height = spec.size
        shape = (self._height + _MARGIN, self._width + _MARGIN)
        bright = rng.standard_normal(shape, dtype=np.float32)[..., None]
        colour = rng.standard_normal((*shape, 3), dtype=np.float32)
        colour = cv2.GaussianBlur(colour, (0, 0), 0.8) * (0.0 if spec.grey else 1.0)
        mixed = cv2.GaussianBlur((bright + 0.6 * colour).astype(np.float32), (0, 0), 0.45)
        self._tile = np.round(spec.noise * mixed / max(float(mixed.std()), 1e-6)).astype(np.int16)

    def over(self, rgb: Bytes) -> Bytes:
        """Returns the picture with noise."""
        x, y = self._rng.integers(0, _MARGIN, 2)
        tile = self._tile[y : y + self._height, x : x + self._width]
        return np.asarray(cv2.add(rgb, tile, dtype=cv2.CV_8U), dtype=np.uint8)
