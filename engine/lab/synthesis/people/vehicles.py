"""Vehicles: cars, vans and carts, built of faces that catch the light differently."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine.lab.synthesis.people.body import body_joints, body_parts
from engine.lab.synthesis.people.carried_objects import Assembly, shade_of
from engine.lab.synthesis.people.clothing import Look
from engine.lab.synthesis.people.gaits import driving
from engine.lab.synthesis.scene.camera import Floats
from engine.lab.synthesis.scene.figures import Colour, Hull

KINDS = ("car", "van", "cart", "utility cart")
"""What drives: `cart` is an open one with a roof, `utility cart` one with a load bed."""

_GLASS: Colour = (44, 52, 60)  # RGB of a window that reflects little
_TYRE: Colour = (26, 26, 28)  # RGB of rubber
_LAMP: Colour = (236, 232, 214)  # RGB of a headlight that is off
_TAIL: Colour = (156, 32, 30)  # RGB of a rear light that is off


@dataclass(frozen=True)
class _Shape:
    """Lengths in metres; profiles are (forward, up) corners of what is seen from the side."""

    width: float
    body: tuple[tuple[float, float], ...]
    cabin: tuple[tuple[float, float], ...]
    axles: tuple[float, float]
    wheel: float


_SHAPES = {
    "car": _Shape(
        1.72,
        ((-2.0, 0.35), (-2.05, 0.85), (-1.9, 0.95), (0.95, 0.95), (1.95, 0.8), (2.0, 0.35)),
        ((-1.75, 0.95), (-1.35, 1.45), (0.15, 1.45), (0.95, 0.95)),
        (-1.25, 1.3),
        0.31,
    ),
    "van": _Shape(
        1.95,
        ((-2.4, 0.4), (-2.4, 1.2), (1.5, 1.2), (2.3, 1.05), (2.4, 0.4)),
        ((-2.4, 1.2), (-2.35, 2.1), (0.95, 2.1), (1.5, 1.2)),
        (-1.5, 1.5),
        0.34,
    ),
}


def vehicle(kind: str, colour: Colour, look: Look, turned: float, seconds: float) -> Assembly:
    """Returns a vehicle of `KINDS` that heads forward, its middle above the origin.

    Args:
        kind: one of `KINDS`.
        colour: of its body.
        look: of who drives an open one.
        turned: metres driven; turns the wheels.
        seconds: time, for the driver's hands.
    """
    assembly = Assembly()
    if kind in _SHAPES:
        joints, parts = _closed_body(kind, colour)
        assembly.add(joints, parts)
        shape = _SHAPES[kind]
        for axle in shape.axles:
            for side in (-1, 1):
                _wheel(
                    assembly,
                    (axle, side * (shape.width / 2 - 0.06), shape.wheel),
                    shape.wheel,
                    turned,
                )
        return assembly
    _cart(assembly, kind, colour, look, turned, seconds)
    return assembly


@lru_cache(maxsize=64)
def _closed_body(kind: str, colour: Colour) -> tuple[Floats, tuple[Hull, ...]]:
    shape, assembly = _SHAPES[kind], Assembly()
    half = shape.width / 2
    _extrude(assembly, shape.body, half, half, colour, 0.0)
    _extrude(assembly, shape.cabin, half - 0.04, half - 0.22, colour, 0.35)
    _windows(assembly, shape, half)
    front = shape.body[-1][0]
    back = shape.body[0][0]
    for side in (-1, 1):
        for x, tone in ((front, _LAMP), (back, _TAIL)):
            y = side * (half - 0.28)
            spots = np.array([(x, y - 0.14, 0.66), (x, y + 0.14, 0.66)])
            assembly.hull(spots, 0.07, tone, lift=0.25)
    return assembly.whole()


def _extrude(
    assembly: Assembly,
    profile: tuple[tuple[float, float], ...],
    low: float,
    high: float,
    colour: Colour,
    lift: float,
) -> None:
    """Adds the two sides and every face between neighbours of a profile."""
    bottom, top = min(z for _, z in profile), max(z for _, z in profile)

    def half(z: float) -> float:
        return low + (high - low) * (z - bottom) / (top - bottom)

    for side, level in ((-1, 0.86), (1, 0.94)):
        spots = np.array([(x, side * half(z), z) for x, z in profile])
        assembly.hull(spots, 0.03, shade_of(colour, level), lift)
    n = len(profile)
    for index in range(n):
        (x0, z0), (x1, z1) = profile[index], profile[(index + 1) % n]
        if max(z0, z1) == bottom:
            continue
        steep = abs(z1 - z0) / math.hypot(x1 - x0, z1 - z0)
        tone = shade_of(colour, 1.16 - 0.3 * steep)
        face = [(x, s * half(z), z) for x, z in ((x0, z0), (x1, z1)) for s in (-1, 1)]
        assembly.hull(np.array(face), 0.03, tone, lift)


def _windows(assembly: Assembly, shape: _Shape, half: float) -> None:
    cabin = shape.cabin
    z0, z1 = cabin[0][1] + 0.07, cabin[1][1] - 0.1
    share = 0.92 if shape.width < 1.9 else 0.45
    back = cabin[0][0] + 0.3 if share > 0.5 else cabin[3][0] - 1.5
    for side in (-1, 1):
        y0, y1 = side * (half - 0.05), side * (half - 0.19)
        glass = [(back, y0, z0), (cabin[3][0] - 0.2, y0, z0), (cabin[2][0] - 0.05, y1, z1),
                 (max(cabin[1][0], back) + 0.1, y1, z1)]  # fmt: skip
        assembly.hull(np.array(glass), 0.02, _GLASS, lift=0.5)
    for (xa, za), (xb, zb) in ((cabin[3], cabin[2]), (cabin[0], cabin[1])):
        span = []
        for part in (0.12, 0.88):
            x, z = xa + (xb - xa) * part, za + (zb - za) * part
            y = half - 0.12 - 0.16 * part
            span += [(x, -y, z), (x, y, z)]
        assembly.hull(np.array(span), 0.02, shade_of(_GLASS, 1.25), lift=0.5)


def _wheel(
    assembly: Assembly, centre: tuple[float, float, float], radius: float, turned: float
) -> None:
    assembly.wheel(centre, radius, turned / radius, _TYRE)
    assembly.hull(np.array([centre, centre]), radius * 0.5, (138, 140, 144), lift=0.12)


def _cart(
    assembly: Assembly, kind: str, colour: Colour, look: Look, turned: float, seconds: float
) -> None:
    rear = -1.15 if kind == "cart" else -1.6
    assembly.box(
        ((rear + 1.15) / 2, 0.0, 0.42), (1.15 - rear, 1.15, 0.22), shade_of(colour, 0.85), 0.05
    )
    assembly.box((0.95, 0.0, 0.72), (0.42, 1.1, 0.5), colour, 0.08)
    assembly.box((-0.3, 0.0, 0.62), (0.55, 1.05, 0.3), (66, 62, 58), 0.05)
    assembly.box((-0.55, 0.0, 0.92), (0.12, 1.05, 0.45), (66, 62, 58), 0.05)
    joints = body_joints(driving(seconds, look.height), look)
    joints = joints + np.array([-0.28, 0.26, 0.8 - joints[0, 2]])
    assembly.add(joints, body_parts(look))
    if kind == "cart":
        for x, y in ((0.78, 0.5), (0.78, -0.5), (-0.75, 0.5), (-0.75, -0.5)):
            assembly.rod((x, y, 0.6), (x * 0.9, y, 1.82), 0.025, (70, 72, 76))
        assembly.box((0.0, 0.0, 1.86), (1.75, 1.16, 0.09), (214, 210, 200), 0.04, lift=0.5)
    else:
        assembly.box((-1.1, 0.0, 0.72), (0.95, 1.15, 0.42), shade_of(colour, 1.05), 0.04)
        assembly.rod((0.8, 0.5, 0.6), (0.55, 0.5, 1.75), 0.03, (70, 72, 76))
        assembly.rod((0.8, -0.5, 0.6), (0.55, -0.5, 1.75), 0.03, (70, 72, 76))
        assembly.box((0.0, 0.0, 1.78), (1.15, 1.14, 0.08), shade_of(colour, 1.1), 0.04, lift=0.5)
    for x in (rear + 0.35, 0.85):
        for side in (-1, 1):
            _wheel(assembly, (x, side * 0.56, 0.24), 0.24, turned)
