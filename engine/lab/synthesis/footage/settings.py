"""Draws the place of a video: camera, ground, far end, light, props, and the camera's sensor."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from engine.lab.synthesis.footage.wardrobes import SPLITS
from engine.lab.synthesis.people.routes import GroundPoint
from engine.lab.synthesis.scene.backdrop import Light, SceneSpec
from engine.lab.synthesis.scene.camera import Camera
from engine.lab.synthesis.scene.grounds import LAYOUTS
from engine.lab.synthesis.scene.props import PropSpec
from engine.lab.synthesis.scene.sensor import Sensor

PERSON_M = 1.72
"""Height of a usual person in metres."""

_RESIDUES = {"train": (0, 1, 2), "validation": (3,), "test": (4,)}
_WALLS = {
    "train": ((0.52, 0.38, 0.3), (0.6, 0.55, 0.47), (0.48, 0.48, 0.5), (0.4, 0.4, 0.38)),
    "validation": ((0.56, 0.5, 0.36), (0.44, 0.36, 0.34)),
    "test": ((0.62, 0.5, 0.38), (0.5, 0.54, 0.56), (0.36, 0.34, 0.36)),
}
_TINTS = {
    "train": ((1.0, 1.0, 1.0), (1.04, 0.97, 0.9), (0.96, 1.0, 1.04)),
    "validation": ((1.06, 0.96, 0.86),),
    "test": ((0.94, 0.98, 1.06), (1.02, 1.0, 0.93)),
}
_LAYOUT_SHARES = (0.15, 0.13, 0.1, 0.24, 0.12, 0.14, 0.12)


@dataclass(frozen=True)
class Setting:
    """A place and how it is filmed.

    Attributes:
        scene: the place with its camera.
        sensor: how the camera sees.
        fps: frames a second.
        noise: standard deviation of the noise in grey levels.
        blur: standard deviation of the lens's blur in pixels of the sensor.
        person: height of a person in the middle of the view, in pixels.
    """

    scene: SceneSpec
    sensor: Sensor
    fps: int
    noise: float
    blur: float
    person: float


def random_setting(rng: np.random.Generator, split: str, size: tuple[int, int]) -> Setting:
    """Draws where and how the videos of one scene are filmed.

    Cameras of different splits lie in different cells of (elevation, tilt, focal length).

    Args:
        rng: the generator.
        split: `train`, `validation` or `test`.
        size: width and height in pixels.
    """
    camera, person = _camera(rng, split, size)
    look = str(rng.choice(("colour", "grey", "infrared"), p=(0.52, 0.28, 0.2)))
    night = look == "infrared"
    scene = _scene(rng, split, camera, person, night)
    sharpness = float(rng.choice((1.0, rng.uniform(0.45, 1.0)), p=(0.3, 0.7)))
    sensor = Sensor(
        look=look,
        sharpness=round(sharpness, 3),
        shake=float(rng.choice((0.0, rng.uniform(0.15, 0.9)), p=(0.7, 0.3))),
        contrast=float(rng.uniform(0.75, 1.25)),
        gamma=float(rng.uniform(0.8, 1.3)),
        flicker=float(rng.choice((0.0, rng.uniform(0.002, 0.012)), p=(0.6, 0.4))),
        saturation=float(rng.uniform(0.45, 1.1)),
        clock=str(
            rng.choice(("", "top left", "top right", "bottom right"), p=(0.7, 0.1, 0.1, 0.1))
        ),
        clock_start=int(rng.integers(86400)),
        crf=int(rng.integers(18, 33)),
    )
    return Setting(
        scene=scene,
        sensor=sensor,
        fps=int(rng.choice((10, 12, 15, 20, 25, 30), p=(0.16, 0.1, 0.18, 0.12, 0.29, 0.15))),
        noise=float(rng.uniform(2.0, 6.0) if night else rng.uniform(0.8, 4.0)),
        blur=float(rng.uniform(0.35, 0.8)),
        person=person,
    )


def _camera(rng: np.random.Generator, split: str, size: tuple[int, int]) -> tuple[Camera, float]:
    """Draws a camera and the height of a person in the middle of its view, in pixels."""
    width, height = size
    while True:
        low, high = ((18, 26), (26, 60), (60, 120))[rng.choice(3, p=(0.1, 0.62, 0.28))]
        person = math.exp(rng.uniform(math.log(low), math.log(high))) * height / 360
        tilt = math.radians(rng.uniform(9, 48))
        view = rng.uniform(18, 76)
        focal = width / 2 / math.tan(math.radians(view) / 2)
        elevation = PERSON_M * math.cos(tilt) * math.sin(tilt) * focal / person
        if not 2.5 <= elevation <= 24 or not person * 1.6 < 0.5 * height:
            continue
        # A cell of three ranges belongs to one split, so that no two share a camera.
        cell = int(elevation / 1.5) + 3 * int(math.degrees(tilt) / 4) + 7 * int(view / 8)
        if cell % 5 in _RESIDUES[split]:
            return Camera(width, height, float(elevation), tilt, float(focal)), person


def _scene(
    rng: np.random.Generator, split: str, camera: Camera, person: float, night: bool
) -> SceneSpec:
    layout = str(rng.choice(LAYOUTS, p=_LAYOUT_SHARES))
    middle = _ground_at(camera, 0.5, float(rng.uniform(0.48, 0.68)))
    away = layout != "street" and rng.random() < 0.22
    turn = float(rng.uniform(1.1, 2.0)) if away else float(rng.normal(0, 0.28))
    sun = float(rng.choice((rng.uniform(0.0, 0.25), rng.uniform(0.4, 0.9)), p=(0.6, 0.4)))
    light = Light(
        azimuth=float(rng.uniform(0, 2 * math.pi)),
        altitude=float(rng.uniform(0.6, 1.25)),
        sun=0.0 if night or layout == "hall" else sun,
        exposure=float(rng.uniform(0.95, 1.35) if night else rng.uniform(0.78, 1.2)),
        warmth=float(rng.uniform(-1, 1)),
    )
    backs = ("facade", "concrete") if layout == "hall" else ("facade", "hedge", "concrete")
    walls, tints = _WALLS[split], _TINTS[split]
    seed = int(rng.integers(2**28)) * len(SPLITS) + SPLITS.index(split)
    scene = SceneSpec(
        camera=camera,
        layout=layout,
        way=middle,
        way_turn=turn,
        way_width=float(rng.uniform(3.5, 9.0)),
        wall=_far_end(rng, camera, person),
        wall_colour=walls[int(rng.integers(len(walls)))],
        tone=float(rng.uniform(0.34, 0.7)),
        slab=(float(rng.uniform(0.5, 1.4)), float(rng.uniform(0.4, 1.0))),
        light=light,
        props=(),
        seed=seed,
        back=str(rng.choice(backs)),
        tint=tints[int(rng.integers(len(tints)))],
    )
    return replace(scene, props=_props(rng, scene))


def _far_end(rng: np.random.Generator, camera: Camera, person: float) -> float:
    """Draws the distance of the far end; people there keep at least a third of their size."""
    row = camera.height * float(rng.uniform(-0.25, 0.3))
    # Scale falls linearly to nothing at the horizon, so a third of it lies here.
    horizon = camera.height / 2 - camera.focal * math.tan(camera.tilt)
    highest_row = horizon + (camera.height / 2 - horizon) * min(
        0.7, max(0.34, 15 / 360 * camera.height / person)
    )
    return float(camera.ground(np.array([camera.width / 2, max(row, highest_row)]))[1])


def _ground_at(camera: Camera, across: float, down: float) -> GroundPoint:
    position = camera.ground(np.array([across * camera.width, down * camera.height]))
    return float(position[0]), float(position[1])


def _props(rng: np.random.Generator, scene: SceneSpec) -> tuple[PropSpec, ...]:
    kinds = ("lamp", "tree", "bollard", "bin", "bench", "sign")
    shares = (0.2, 0.0, 0.25, 0.2, 0.2, 0.15) if scene.layout == "hall" else (
        0.2, 0.22, 0.18, 0.12, 0.16, 0.12)  # fmt: skip
    props: list[PropSpec] = []
    for _ in range(int(rng.integers(2, 9))):
        kind = str(rng.choice(kinds, p=shares))
        position = _ground_at(scene.camera, rng.uniform(0.03, 0.97), rng.uniform(0.1, 1.0))
        if not (position[1] < scene.wall - 0.7 and position[1] > 0):
            continue
        beside = abs(aside(scene, position)) > scene.way_width / 2 + 0.3
        if kind in ("bench", "bin", "bollard") and not beside and rng.random() < 0.7:
            continue
        if kind == "tree" and scene.camera.pixels_per_metre(np.array(0.0)) > 60:
            continue
        turn = float(rng.uniform(0, 2 * math.pi))
        if kind == "bench":
            turn = scene.way_turn + float(rng.choice((0.0, math.pi), p=(0.75, 0.25)))
        props.append(
            PropSpec(kind, position, turn, float(rng.uniform(0.9, 1.15)), int(rng.integers(2**31)))
        )
    return tuple(props)


def aside(scene: SceneSpec, position: GroundPoint) -> float:
    """Returns how far a place lies from the middle of the way, in metres; left positive."""
    dx, dy = position[0] - scene.way[0], position[1] - scene.way[1]
    return dy * math.cos(scene.way_turn) - dx * math.sin(scene.way_turn)
