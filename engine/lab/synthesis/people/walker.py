"""A person on foot: the joints, the parts around them, and where they are in the world."""

from __future__ import annotations

import math

import numpy as np

from engine.lab.synthesis.people.clothing import Look
from engine.lab.synthesis.scene.camera import Floats
from engine.lab.synthesis.scene.figures import Hull

THIGH, SHANK, ANKLE = 0.245, 0.246, 0.039
"""Lengths of thigh and shank and height of the ankle, as shares of the body height."""
# Joint indices: 0 pelvis, 1 neck, 2 head, 3 back of the head, 4 bag upper, 5 bag lower,
# 6 belly, 7 face; then per side (8 left, 16 right): hip, knee, ankle, toe, shoulder, elbow,
# hand, hem.
LEFT, RIGHT = 8, 16
"""Indices of the first joint of either side."""
GroundPoint = tuple[float, float]


def to_world(local: Floats, position: GroundPoint, heading: float) -> Floats:
    """Turns joints from (forward, left, up) around a place into the world; float64 [n, 3]."""
    sine, cosine = math.sin(heading), math.cos(heading)
    world = np.empty_like(local)
    world[:, 0] = position[0] + local[:, 0] * cosine - local[:, 1] * sine
    world[:, 1] = position[1] + local[:, 0] * sine + local[:, 1] * cosine
    world[:, 2] = local[:, 2]
    return world


def person_parts(look: Look) -> tuple[Hull, ...]:
    """Returns the parts around the 24 joints of a person."""
    upper, lower = look.rgb("upper"), look.rgb("lower")
    size, wide = look.height, look.height * look.breadth
    bare = look.garment in ("shorts", "skirt")
    parts: list[Hull] = []
    for side in (LEFT, RIGHT):
        hip, knee, ankle, toe, shoulder, elbow, hand = range(side, side + 7)
        shank = look.skin if bare else lower
        sleeve = look.skin if look.short_sleeves else upper
        parts += [
            Hull((hip, knee), (0.054 * wide, 0.038 * wide), lower),
            Hull((knee, ankle), (0.037 * wide, 0.03 * size), shank),
            Hull((ankle, toe), (0.026 * size, 0.02 * size), look.shoes),
            Hull((shoulder, elbow), (0.038 * wide, 0.031 * wide), upper),
            Hull((elbow, hand), (0.029 * wide, 0.023 * wide), sleeve),
            Hull((hand,), (0.023 * size,), look.skin),
        ]
    left, right = LEFT, RIGHT
    torso = (left, right, 6, left + 4, right + 4)
    parts += [
        Hull(torso, tuple(r * wide for r in (0.056, 0.056, 0.076, 0.05, 0.05)), upper, lift=0.02),
        Hull((1, 2), (0.036 * size, 0.03 * size), look.skin, lift=0.02),
        Hull((2, 7), (0.055 * size, 0.042 * size), look.skin, lift=0.03),
        Hull((3,), (0.057 * size,), look.hair, lift=0.045),
    ]
    if look.garment == "skirt":
        hems = (left, right, left + 7, right + 7)
        parts.append(Hull(hems, (0.06 * wide,) * 4, lower, lift=0.05))
    if look.garment == "coat":
        hems = (left, right, left + 7, right + 7)
        parts.append(Hull(hems, (0.06 * wide, 0.06 * wide, 0.05 * wide, 0.05 * wide), upper))
    if look.bag != "none":
        radius = 0.05 if look.bag == "backpack" else 0.034
        parts.append(Hull((4, 5), (radius * size, radius * size), look.rgb("bag")))
    return tuple(parts)
