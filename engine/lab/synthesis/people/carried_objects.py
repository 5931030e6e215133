"""Things that people carry, push, pull, ride or leave behind."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from engine.lab.synthesis.people.cyclist import WHEEL, bicycle_joints, bicycle_parts
from engine.lab.synthesis.scene.camera import Floats
from engine.lab.synthesis.scene.figures import Colour, Hull

Point3 = tuple[float, float, float]
_METAL: Colour = (120, 124, 130)  # RGB of galvanised tubes
_RUBBER: Colour = (30, 30, 32)  # RGB of tyres and grips
_CORNERS = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=float)


@dataclass
class Assembly:
    """Joints and parts put together piece by piece, in one (forward, left, up) frame in metres."""

    joints: list[Floats] = field(default_factory=list)
    parts: list[Hull] = field(default_factory=list)
    count: int = 0

    def add(self, joints: Floats, parts: tuple[Hull, ...]) -> None:
        """Adds a piece whose parts number its own joints from 0."""
        shift = self.count
        self.joints.append(joints)
        self.count += len(joints)
        self.parts += [
            Hull(tuple(j + shift for j in p.joints), p.radii, p.colour, p.line, p.lift)
            for p in parts
        ]

    def hull(self, spots: Floats, radius: float, colour: Colour, lift: float = 0.0) -> None:
        """Adds a convex piece around points, float64 [n, 3]."""
        n = len(spots)
        self.add(spots, (Hull(tuple(range(n)), (radius,) * n, colour, None, lift),))

    def rod(
        self, start: Point3, end: Point3, radius: float, colour: Colour, lift: float = 0.0
    ) -> None:
        """Adds a thin line."""
        self.add(np.array([start, end]), (Hull((0, 1), (radius,), colour, "open", lift),))

    def box(
        self, centre: Point3, size: Point3, colour: Colour, soft: float = 0.02, lift: float = 0.0
    ) -> None:
        """Adds a box with rounded edges; `size` is the whole length, width and height."""
        half = np.maximum(np.array(size) / 2 - soft, 0.001)
        self.hull(np.array(centre) + _CORNERS * half, soft, colour, lift)

    def wheel(self, centre: Point3, radius: float, turned: float, colour: Colour = _RUBBER) -> None:
        """Adds a small solid wheel that rolls forward."""
        angles = turned + np.arange(8) * math.pi / 4
        ring = np.stack([np.sin(angles), np.zeros(8), np.cos(angles)], axis=-1)
        self.hull(np.array(centre) + ring * radius * 0.8, radius * 0.2, colour)

    def whole(self) -> tuple[Floats, tuple[Hull, ...]]:
        """Returns joints float64 [n, 3] and parts of everything added."""
        return np.concatenate(self.joints), tuple(self.parts)


def shade_of(colour: Colour, level: float) -> Colour:
    """Returns a colour made darker or brighter."""
    red, green, blue = (min(255, max(0, round(value * level))) for value in colour)
    return red, green, blue


def add_suitcase(assembly: Assembly, hand: Point3, colour: Colour, distance: float) -> None:
    """Adds a wheeled suitcase drawn behind the right hand."""
    x, y = hand[0] - 0.42, hand[1] - 0.05
    top = (x + 0.06, y, 0.62)
    assembly.box((x, y, 0.38), (0.24, 0.4, 0.56), colour, 0.04)
    assembly.rod(top, hand, 0.012, _METAL)
    for side in (-0.14, 0.14):
        assembly.wheel((x - 0.06, y + side, 0.05), 0.05, distance / 0.05)


def add_trolley(assembly: Assembly, colour: Colour, distance: float) -> None:
    """Adds a shopping trolley pushed in front: a basket of wires on four wheels."""
    low, high = 0.52, 0.98
    for x, y in ((0.42, 0.24), (0.42, -0.24), (1.12, 0.2), (1.12, -0.2)):
        assembly.rod((x, y, 0.1), (x, y, high), 0.014, _METAL)
        assembly.wheel((x, y, 0.07), 0.07, distance / 0.07)
    for z in (low, 0.75, high):
        corners = np.array([(0.42, 0.24, z), (1.12, 0.2, z), (1.12, -0.2, z), (0.42, -0.24, z)])
        assembly.add(corners, (Hull((0, 1, 2, 3), (0.014,), _METAL, "closed"),))
    assembly.rod((0.36, 0.26, 1.02), (0.36, -0.26, 1.02), 0.02, colour)
    assembly.box((0.78, 0.0, 0.68), (0.5, 0.34, 0.26), colour, 0.05)


def add_pushchair(assembly: Assembly, colour: Colour, distance: float) -> None:
    """Adds a pushchair with its hood and a child under a blanket."""
    assembly.hull(
        np.array([(0.55, y, z) for y in (-0.17, 0.17) for z in (0.42, 0.85)]
                 + [(0.98, y, 0.42) for y in (-0.17, 0.17)]),
        0.05, colour,
    )  # fmt: skip
    hood = [(0.5 + 0.3 * math.cos(a), y, 0.82 + 0.28 * math.sin(a))
            for a in (0.2, 1.0, 1.8, 2.6) for y in (-0.18, 0.18)]  # fmt: skip
    assembly.hull(np.array(hood), 0.04, shade_of(colour, 0.75), lift=0.05)
    assembly.hull(np.array([(0.72, 0.0, 0.7), (0.76, 0.0, 0.66)]), 0.09, (206, 168, 142), lift=0.12)
    for y in (-0.24, 0.24):
        assembly.rod((0.36, y, 1.0), (0.92, y, 0.2), 0.016, _METAL)
        assembly.rod((0.5, y, 0.55), (0.42, y, 0.2), 0.016, _METAL)
        assembly.wheel((0.42, y, 0.14), 0.14, distance / 0.14)
        assembly.wheel((0.95, y, 0.1), 0.1, distance / 0.1)
    assembly.rod((0.36, 0.24, 1.0), (0.36, -0.24, 1.0), 0.018, _RUBBER)


def add_umbrella(assembly: Assembly, hand: Point3, height: float, colour: Colour) -> None:
    """Adds an open umbrella over the head."""
    x, y, z = hand[0] - 0.08, hand[1] * 0.3, height + 0.12
    angles = np.arange(10) * math.pi / 5
    ring = np.stack([x + 0.52 * np.cos(angles), y + 0.52 * np.sin(angles), np.full(10, z)], axis=-1)
    assembly.rod(hand, (x, y, z + 0.2), 0.012, _METAL)
    assembly.hull(np.concatenate([ring, [(x, y, z + 0.24)]]), 0.02, colour, lift=0.3)
    for start in (0, 3, 6):
        assembly.hull(
            np.stack([ring[start], ring[start + 1], np.array([x, y, z + 0.24])]), 0.012,
            shade_of(colour, 0.8), lift=0.4,
        )  # fmt: skip


def add_bicycle(assembly: Assembly, colour: Colour, distance: float, aside: float) -> None:
    """Adds a bicycle without a rider, `aside` metres to the left."""
    joints = bicycle_joints(distance / WHEEL) + np.array([0.12, aside, 0.0])
    assembly.add(joints, bicycle_parts(colour))


def add_dog(assembly: Assembly, hand: Point3, cycle: float, colour: Colour, size: float) -> None:
    """Adds a dog on a lead, in front and to the right."""
    x, y, up = 0.75, -0.55, 0.46 * size
    body = np.array([(x - 0.3 * size, y, up), (x, y, up), (x + 0.22 * size, y, up + 0.02)])
    assembly.add(body, (Hull((0, 1, 2), (0.1 * size, 0.1 * size, 0.12 * size), colour),))
    head = np.array([(x + 0.42 * size, y, up + 0.2 * size), (x + 0.56 * size, y, up + 0.14 * size)])
    assembly.add(head, (Hull((0, 1), (0.08 * size, 0.045 * size), colour, lift=0.02),))
    for index, (dx, dy) in enumerate(((0.22, 0.07), (0.22, -0.07), (-0.28, 0.07), (-0.28, -0.07))):
        swing = 0.12 * size * math.sin(1.7 * cycle + (0, math.pi, math.pi, 0)[index])
        leg = np.array(
            [(x + dx * size, y + dy * size, up), (x + dx * size + swing, y + dy * size, 0.03)]
        )
        assembly.add(leg, (Hull((0, 1), (0.045 * size, 0.025 * size), shade_of(colour, 0.85)),))
    tail = np.array([(x - 0.36 * size, y, up + 0.04), (x - 0.52 * size, y, up + 0.2 * size)])
    assembly.add(tail, (Hull((0, 1), (0.03 * size, 0.02 * size), colour),))
    assembly.rod(hand, (x + 0.34 * size, y, up + 0.1 * size), 0.008, _RUBBER)


def add_board(assembly: Assembly, colour: Colour, distance: float) -> None:
    """Adds a skateboard below the feet, along the frame's left axis."""
    deck = np.array(
        [
            (x, y, z)
            for x in (-0.07, 0.07)
            for y, z in ((-0.4, 0.14), (-0.3, 0.1), (0.3, 0.1), (0.4, 0.14))
        ]
    )
    assembly.hull(deck, 0.02, colour)
    for y in (-0.24, 0.24):
        for x in (-0.07, 0.07):
            assembly.hull(
                np.array([(x, y - 0.005, 0.04), (x, y + 0.005, 0.04)]), 0.04, (212, 206, 190)
            )


def add_bag(assembly: Assembly, kind: str, spot: Point3, colour: Colour) -> None:
    """Adds a bag, suitcase or box whose handle is at (or bottom below) a spot; see `BAGS`."""
    length, width, height = BAGS[kind]
    x, y, z = spot
    assembly.box((x, y, z + height / 2), (length, width, height), colour, min(0.06, width / 3))
    band = shade_of(colour, 0.7 if sum(colour) > 180 else 1.9)
    assembly.box((x, y, z + height * 0.62), (length * 1.01, width * 1.01, 0.04), band, 0.01, 0.05)
    if kind != "box":
        assembly.rod(
            (x - 0.08, y, z + height + 0.1), (x + 0.08, y, z + height + 0.1), 0.012, _RUBBER
        )
        for side in (-0.08, 0.08):
            assembly.rod((x + side, y, z + height), (x + side, y, z + height + 0.1), 0.012, _RUBBER)


BAGS: dict[str, Point3] = {
    "bag": (0.5, 0.26, 0.3),
    "suitcase": (0.52, 0.24, 0.6),
    "backpack": (0.34, 0.24, 0.46),
    "box": (0.45, 0.35, 0.35),
}
"""Length, width and height in metres of what people leave behind."""
