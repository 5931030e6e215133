"""A person on foot: joints of a gait whose feet keep to the ground."""

from __future__ import annotations

import math

import numpy as np

from engine.lab.synthesis.people.clothing import Look
from engine.lab.synthesis.scene.camera import Floats
from engine.lab.synthesis.scene.figures import Figure, Part

THIGH, SHANK, ANKLE = 0.245, 0.246, 0.039
"""Lengths of thigh and shank and height of the ankle, as shares of the body height."""
# Joint indices: 0 pelvis, 1 neck, 2 head, 3 back of the head, 4 bag upper, 5 bag lower,
# 6 belly, 7 face; then per side (8 left, 16 right): hip, knee, ankle, toe, shoulder, elbow,
# hand, hem.
LEFT, RIGHT = 8, 16
"""Indices of the first joint of either side."""
Place = tuple[float, float]


def to_world(local: Floats, place: Place, heading: float) -> Floats:
    """Turns joints from (forward, left, up) around a place into the world; float64 [n, 3]."""
    sine, cosine = math.sin(heading), math.cos(heading)
    world = np.empty_like(local)
    world[:, 0] = place[0] + local[:, 0] * cosine - local[:, 1] * sine
    world[:, 1] = place[1] + local[:, 0] * sine + local[:, 1] * cosine
    world[:, 2] = local[:, 2]
    return world


def walker_figure(
    place: Place, heading: float, distance: float, speed: float, phase: float, look: Look
) -> Figure:
    """Returns a walking person.

    Args:
        place: between the feet, metres on the ground.
        heading: radians from +x towards +y.
        distance: metres walked; drives the gait, so that feet hardly slip.
        speed: metres per second; sets the length of the steps.
        phase: of the gait at distance 0, in radians.
        look: build and clothes.
    """
    height = look.height
    step = 0.41 * height * math.sqrt(max(speed, 0.2) / 1.35)
    swing = math.asin(min(0.75, step / (2 * (THIGH + SHANK) * height)))
    cycle = phase + math.pi * distance / step
    local = _joints(cycle, swing, look)
    return Figure(to_world(local, place, heading), person_parts(look), place)


def _joints(cycle: float, swing: float, look: Look) -> Floats:
    height, wide = look.height, look.height * look.breadth
    joints = np.zeros((24, 3))
    legs = []
    for start, offset in ((LEFT, 0.0), (RIGHT, math.pi)):
        thigh = swing * math.sin(cycle + offset) + 0.03
        flex = 0.08 + 0.8 * max(0.0, math.cos(cycle + offset + 0.45)) ** 2 * (swing / 0.43)
        legs.append((start, thigh, thigh - flex))
    drop = max(THIGH * math.cos(a) + SHANK * math.cos(b) for _, a, b in legs)
    pelvis = (drop + ANKLE) * height
    joints[0] = (0.0, 0.0, pelvis)
    joints[6] = (0.012 * height, 0.0, pelvis + 0.09 * height)
    joints[1] = (0.02 * height, 0.0, pelvis + 0.3 * height)
    joints[2] = (0.035 * height, 0.0, pelvis + 0.398 * height)
    joints[3] = (0.008 * height, 0.0, pelvis + 0.416 * height)
    joints[7] = (0.056 * height, 0.0, pelvis + 0.382 * height)
    if look.bag == "backpack":
        joints[4] = (-0.085 * height, 0.0, pelvis + 0.25 * height)
        joints[5] = (-0.095 * height, 0.0, pelvis + 0.13 * height)
    else:
        joints[4] = (0.0, 0.13 * wide, pelvis + 0.04 * height)
        joints[5] = (0.02 * height, 0.135 * wide, pelvis - 0.05 * height)
    for start, thigh, shank in legs:
        side = 1.0 if start == LEFT else -1.0
        hip = np.array([0.0, side * 0.052 * wide, pelvis])
        knee = hip + THIGH * height * np.array([math.sin(thigh), 0.0, -math.cos(thigh)])
        ankle = knee + SHANK * height * np.array([math.sin(shank), 0.0, -math.cos(shank)])
        pitch = min(0.0, shank) * 0.9
        toe = ankle + 0.115 * height * np.array([math.cos(pitch), 0.0, math.sin(pitch)])
        toe[2] = max(toe[2] - 0.018 * height, 0.02)
        arm = -0.85 * thigh
        bend = arm + 0.22 + 0.3 * max(0.0, arm)
        shoulder = np.array([0.018 * height, side * 0.108 * wide, pelvis + 0.29 * height])
        elbow = shoulder + 0.172 * height * np.array([math.sin(arm), side * 0.16, -math.cos(arm)])
        hand = elbow + 0.17 * height * np.array([math.sin(bend), -side * 0.04, -math.cos(bend)])
        hem = hip + (knee - hip) * 0.9 + np.array([0.0, side * 0.03 * wide, 0.0])
        joints[start : start + 8] = (hip, knee, ankle, toe, shoulder, elbow, hand, hem)
    return joints


def person_parts(look: Look) -> tuple[Part, ...]:
    """Returns the parts around the 24 joints of a person."""
    upper, lower = look.rgb("upper"), look.rgb("lower")
    size, wide = look.height, look.height * look.breadth
    bare = look.garment in ("shorts", "skirt")
    parts: list[Part] = []
    for side in (LEFT, RIGHT):
        hip, knee, ankle, toe, shoulder, elbow, hand = range(side, side + 7)
        shank = look.skin if bare else lower
        sleeve = look.skin if look.short_sleeves else upper
        parts += [
            Part((hip, knee), (0.054 * wide, 0.038 * wide), lower),
            Part((knee, ankle), (0.037 * wide, 0.03 * size), shank),
            Part((ankle, toe), (0.026 * size, 0.02 * size), look.shoes),
            Part((shoulder, elbow), (0.038 * wide, 0.031 * wide), upper),
            Part((elbow, hand), (0.029 * wide, 0.023 * wide), sleeve),
            Part((hand,), (0.023 * size,), look.skin),
        ]
    left, right = LEFT, RIGHT
    torso = (left, right, 6, left + 4, right + 4)
    parts += [
        Part(torso, tuple(r * wide for r in (0.056, 0.056, 0.076, 0.05, 0.05)), upper, lift=0.02),
        Part((1, 2), (0.036 * size, 0.03 * size), look.skin, lift=0.02),
        Part((2, 7), (0.055 * size, 0.042 * size), look.skin, lift=0.03),
        Part((3,), (0.057 * size,), look.hair, lift=0.045),
    ]
    if look.garment == "skirt":
        hems = (left, right, left + 7, right + 7)
        parts.append(Part(hems, (0.06 * wide,) * 4, lower, lift=0.05))
    if look.garment == "coat":
        hems = (left, right, left + 7, right + 7)
        parts.append(Part(hems, (0.06 * wide, 0.06 * wide, 0.05 * wide, 0.05 * wide), upper))
    if look.bag != "none":
        radius = 0.05 if look.bag == "backpack" else 0.034
        parts.append(Part((4, 5), (radius * size, radius * size), look.rgb("bag")))
    return tuple(parts)
