"""A place under surveillance: its camera, ground, walls, props and light, and its empty picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.lab.synthesis.scene.camera import Camera
from engine.lab.synthesis.scene.figures import Bytes, Shading, cast, paint
from engine.lab.synthesis.scene.grounds import paint_back, paint_ground, tint_picture
from engine.lab.synthesis.scene.props import PropSpec, prop_figure
from engine.lab.synthesis.scene.textures import Picture, Plane, Surfaces, fractal


@dataclass(frozen=True)
class Light:
    """The light over a scene.

    Attributes:
        azimuth: where the sun stands, radians from +x towards +y.
        altitude: its height, radians.
        sun: 0 (overcast, hardly any shadow) … 1 (hard shadows).
        exposure: brightness of the picture, 1 usual.
        warmth: -1 (cold) … 1 (warm).
    """

    azimuth: float
    altitude: float
    sun: float
    exposure: float
    warmth: float

    @property
    def direction(self) -> tuple[float, float, float]:
        """Unit vector towards the sun."""
        flat = math.cos(self.altitude)
        return (
            flat * math.cos(self.azimuth),
            flat * math.sin(self.azimuth),
            math.sin(self.altitude),
        )


@dataclass(frozen=True)
class SceneSpec:
    """Everything about a scene that does not move.

    Attributes:
        camera: who looks.
        layout: one of `grounds.LAYOUTS`.
        way: centre of the path or road, a point on the ground in metres.
        way_turn: its heading in radians.
        way_width: in metres.
        wall: distance of the facade along y, in metres.
        wall_colour: RGB, 0..1.
        tone: brightness of the ground, 0..1.
        slab: width and length of paving slabs in metres.
        light: the light.
        props: what stands there.
        seed: of the textures.
        back: what stands at the far end: `facade`, `hedge` or `concrete`.
        tint: RGB by which the ground's colour is multiplied.
    """

    camera: Camera
    layout: str
    way: tuple[float, float]
    way_turn: float
    way_width: float
    wall: float
    wall_colour: tuple[float, float, float]
    tone: float
    slab: tuple[float, float]
    light: Light
    props: tuple[PropSpec, ...]
    seed: int
    back: str = "facade"
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Backdrop:
    """The empty scene, computed once per video.

    Attributes:
        rgb: uint8 [h, w, 3].
        depth: float32 [h, w], metres to the nearest prop; infinite where none stands.
        ground: uint8 [h, w], 255 where the picture shows open ground.
        light: float32 [h, w], brightness of the light at the ground, 1 in the open.
        weave: uint8 [n, n, 3], cloth texture around 128.
    """

    rgb: Bytes
    depth: NDArray[np.float32]
    ground: Bytes
    light: Plane
    weave: Bytes


def screen_light(camera: Camera, light: Light) -> tuple[float, float]:
    """Returns the unit vector on screen towards the light (y down)."""
    right, down, _ = camera.axes @ np.array(light.direction)
    length = math.hypot(float(right), float(down)) or 1.0
    return float(right) / length, float(down) / length


def build_backdrop(scene: SceneSpec) -> Backdrop:
    """Paints the empty scene at twice the size and reduces it."""
    camera = scene.camera
    rng = np.random.default_rng(scene.seed)
    surfaces = Surfaces(rng)
    light = _light_map(scene, rng)
    large, facing = _surfaces(scene, surfaces)
    size = (camera.width, camera.height)
    picture = cv2.resize(large, size, interpolation=cv2.INTER_AREA)
    ground = np.asarray(cv2.resize(facing, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    picture = picture * (0.25 + 0.75 * light)[..., None] * scene.light.exposure
    warm = np.array([1 + 0.05 * scene.light.warmth, 1.0, 1 - 0.06 * scene.light.warmth])
    rgb = np.clip(picture * warm * 255, 0, 255).astype(np.uint8)
    noise = fractal(rng, 0.7, 128)[..., None].repeat(3, axis=-1)
    weave = np.clip(128 + 7.5 * noise, 80, 180).astype(np.uint8)
    return _with_props(scene, Backdrop(rgb, _nowhere(camera), ground, light, weave))


def _nowhere(camera: Camera) -> NDArray[np.float32]:
    return np.full((camera.height, camera.width), np.inf, dtype=np.float32)


def _light_map(scene: SceneSpec, rng: np.random.Generator) -> Plane:
    """Returns brightness with large soft shade and the lens's fall-off towards the corners."""
    height, width = scene.camera.height, scene.camera.width
    cloud = cv2.resize(fractal(rng, 2.2, 128), (width, height), interpolation=cv2.INTER_CUBIC)
    cloud = cv2.GaussianBlur(cloud, (0, 0), 12)
    across = (np.arange(width) / width - 0.5)[None, :]
    down = (np.arange(height) / height - 0.5)[:, None]
    lens = 1 - 0.28 * (across**2 + down**2)
    shade = 1 + 0.06 * np.clip(cloud, -2, 1)
    return np.asarray(shade * lens, dtype=np.float32)


def _surfaces(scene: SceneSpec, surfaces: Surfaces) -> tuple[Picture, Bytes]:
    """Returns ground, wall and sky at twice the size, and 255 where the ground shows."""
    camera = scene.camera
    rows, columns = np.mgrid[0 : 2 * camera.height, 0 : 2 * camera.width]
    pixels = np.stack([columns + 0.5, rows + 0.5], axis=-1) / 2
    rays = camera.rays(pixels)
    ground = camera.ground(pixels)
    far = ~(ground[..., 1] < scene.wall)
    x = np.where(far, 0.0, ground[..., 0]).astype(np.float32)
    y = np.where(far, scene.wall, ground[..., 1]).astype(np.float32)
    away = np.hypot(x, y)
    fineness = (away**2 / (camera.focal * camera.elevation) / 2).astype(np.float32)
    picture = _ground(scene, surfaces, x, y, fineness)
    if far.any():
        reach = scene.wall / rays[..., 1]
        wall_x = (rays[..., 0] * reach).astype(np.float32)
        wall_z = (camera.elevation + rays[..., 2] * reach).astype(np.float32)
        fine = np.full_like(x, scene.wall / camera.focal / 2)
        facade = paint_back(scene.back, surfaces, wall_x, wall_z, fine, scene.wall_colour)
        foot = np.clip(1 - (scene.wall - y) / 1.2, 0, 1) * 0.3
        picture = np.where(far[..., None], facade, picture * (1 - foot[..., None]))
    return picture.astype(np.float32), np.where(far, 0, 255).astype(np.uint8)


def _ground(scene: SceneSpec, surfaces: Surfaces, x: Plane, y: Plane, fineness: Plane) -> Picture:
    sine, cosine = math.sin(scene.way_turn), math.cos(scene.way_turn)
    dx, dy = x - np.float32(scene.way[0]), y - np.float32(scene.way[1])
    along = (dx * cosine + dy * sine).astype(np.float32)
    aside = (dy * cosine - dx * sine).astype(np.float32)
    picture = paint_ground(
        scene.layout,
        surfaces,
        scene.tone,
        scene.slab,
        scene.way_width / 2,
        (x, y),
        along,
        aside,
        fineness,
    )
    return tint_picture(picture, scene.tint)


def _with_props(scene: SceneSpec, empty: Backdrop) -> Backdrop:
    camera, light = scene.camera, scene.light
    rgb, depth, ground = empty.rgb.copy(), empty.depth.copy(), empty.ground.copy()
    figures = [prop_figure(prop) for prop in scene.props]
    shadow = np.zeros(ground.shape, dtype=np.uint8)
    for figure in figures:
        cast(figure, camera, light.direction, shadow)
    darken(rgb, shadow, ground, light.sun)
    towards = screen_light(camera, light)
    for figure in sorted(figures, key=lambda figure: -figure.foot[1]):
        shading = Shading(towards, light.exposure, light.sun, empty.weave)
        sprite = paint(figure, camera, shading)
        if sprite is None:
            continue
        height, width = sprite.alpha.shape
        window = np.s_[sprite.y : sprite.y + height, sprite.x : sprite.x + width]
        keep = cv2.merge([255 - sprite.alpha] * 3)
        rgb[window] = cv2.add(cv2.multiply(rgb[window], keep, scale=1 / 255), sprite.rgb)
        solid = sprite.alpha > 127
        depth[window][solid] = sprite.depth
        ground[window][solid] = 0
    return Backdrop(rgb, depth, ground, empty.light, empty.weave)


def darken(rgb: Bytes, shadow: Bytes, ground: Bytes, sun: float) -> None:
    """Darkens `rgb` in place where `shadow` falls on open ground; softer when overcast."""
    soft = cv2.GaussianBlur(shadow, (0, 0), 0.9 + 1.6 * (1 - sun))
    share = 0.14 + 0.4 * sun
    falls = cv2.multiply(soft, ground, scale=share / 255)
    keep = cv2.subtract(np.full_like(falls, 255), falls)
    cv2.multiply(rgb, cv2.merge([keep] * 3), dst=rgb, scale=1 / 255)
