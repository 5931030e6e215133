"""A person on a bicycle: turning wheels and pedalling legs."""

from __future__ import annotations

import math

import numpy as np

from engine.lab.synthesis.people.clothing import Look
from engine.lab.synthesis.people.walker import to_world
from engine.lab.synthesis.scene.camera import Floats
from engine.lab.synthesis.scene.figures import Colour, Figure, Hull

WHEEL = 0.345
"""Radius of a wheel in metres."""
_REAR, _FRONT = -0.48, 0.56  # metres from the bracket to the axles of a city bicycle
_BRACKET = np.array([-0.04, 0.0, 0.28])
_SADDLE = np.array([-0.22, 0.0, 0.96])
_STEERER = np.array([0.36, 0.0, 0.88])
_METRES_PER_TURN = 5.2  # metres ridden for one turn of the pedals: a middle gear
_RIM = 20  # points around a rim, enough to look round at the largest size
_TYRE: Colour = (30, 30, 32)  # RGB of rubber
_SPOKE: Colour = (150, 152, 156)  # RGB of steel
# Joint indices: 0 pelvis, 1 chest, 2 head, 3 back of the head, 4 bracket, 5 saddle, 6 steerer,
# 7 rear axle, 8 front axle, 9 face, 10 backpack upper, 11 backpack lower; from 12 and 20 per
# side: hip, knee, ankle, toe, shoulder, elbow, hand, pedal; then rims and spoke ends.
_LEFT, _RIGHT, _RIMS = 12, 20, 28


def cyclist_figure(
    position: tuple[float, float],
    heading: float,
    distance: float,
    speed: float,
    phase: float,
    look: Look,
) -> Figure:
    """Returns a person who rides a bicycle.

    Args:
        position: below the pedals, metres on the ground.
        heading: radians from +x towards +y.
        distance: metres ridden; turns wheels and pedals.
        speed: metres per second; a faster rider bends lower.
        phase: of the pedals at distance 0, in radians.
        look: build, clothes and the colour of the bicycle.
    """
    turn = phase + 2 * math.pi * distance / _METRES_PER_TURN
    rider = _rider(turn, min(1.0, max(0.0, (speed - 3) / 5)), look)
    local = np.concatenate([rider, *_wheels(distance / WHEEL)])
    return Figure(to_world(local, position, heading), _parts(look), position)


def _rider(turn: float, low: float, look: Look) -> Floats:
    size = look.height / 1.72
    joints = np.zeros((28, 3))
    pelvis = _SADDLE + np.array([0.02, 0.0, 0.07])
    lean = 0.55 + 0.35 * low
    along = np.array([math.sin(lean), 0.0, math.cos(lean)])
    neck = pelvis + 0.52 * size * along
    joints[0], joints[1] = pelvis, pelvis + 0.3 * size * along
    joints[2] = neck + size * np.array([0.1, 0.0, 0.19])
    joints[3] = joints[2] + size * np.array([-0.05, 0.0, 0.035])
    joints[9] = joints[2] + size * np.array([0.045, 0.0, -0.025])
    joints[4], joints[5], joints[6] = _BRACKET, _SADDLE, _STEERER
    joints[7], joints[8] = (_REAR, 0.0, WHEEL), (_FRONT, 0.0, WHEEL)
    back = np.array([-math.cos(lean), 0.0, math.sin(lean)]) * 0.16 * size
    joints[10], joints[11] = pelvis + 0.42 * size * along + back, pelvis + 0.2 * size * along + back
    for start, offset, side in ((_LEFT, 0.0, 1.0), (_RIGHT, math.pi, -1.0)):
        hip = pelvis + np.array([0.0, side * 0.09 * look.breadth, 0.0])
        angle = turn + offset
        crank = 0.17 * np.array([math.sin(angle), 0.0, math.cos(angle)])
        pedal = _BRACKET + crank + np.array([0.0, side * 0.12, 0.0])
        ankle = pedal + np.array([-0.08, 0.0, 0.09])
        knee = _knee(hip, ankle, 0.43 * size, 0.44 * size)
        shoulder = neck + np.array([0.0, side * 0.19 * look.breadth, -0.03])
        hand = _STEERER + np.array([0.1, side * 0.24, 0.12])
        elbow = (shoulder + hand) / 2 + np.array([-0.05, side * 0.06, -0.06])
        toe = pedal + np.array([0.09, 0.0, 0.02])
        joints[start : start + 8] = (hip, knee, ankle, toe, shoulder, elbow, hand, pedal)
    return joints


def _knee(hip: Floats, ankle: Floats, thigh: float, shank: float) -> Floats:
    """Returns where a leg of two links bends forward between hip and ankle."""
    reach = ankle - hip
    length = min(float(np.linalg.norm(reach)), 0.998 * (thigh + shank))
    unit = reach / np.linalg.norm(reach)
    along = (thigh**2 - shank**2 + length**2) / (2 * length)
    out = math.sqrt(max(thigh**2 - along**2, 0.0))
    return np.asarray(hip + along * unit + out * np.array([-unit[2], 0.0, unit[0]]))


def bicycle_parts(frame: Colour) -> tuple[Hull, ...]:
    """Returns the parts of a bicycle around the joints of `bicycle_joints`."""
    parts = [Hull((a, b), (0.022,), frame, "open") for a, b in ((0, 1), (0, 2), (1, 2), (0, 3))]
    parts += [
        Hull((1, 3), (0.014,), frame, "open"),
        Hull((2, 4), (0.022,), frame, "open"),
    ]
    for start in (8, 8 + _RIM):
        parts.append(Hull(tuple(range(start, start + _RIM)), (0.024,), _TYRE, "closed"))
        for spoke in (0, 3, 7):
            ends = (start + spoke, start + spoke + _RIM // 2)
            parts.append(Hull(ends, (0.006,), _SPOKE, "open", lift=-0.02))
    parts += [
        Hull((5, 6), (0.016,), _TYRE, "open"),
        Hull((2, 7), (0.016,), _TYRE, "open"),
    ]
    return (*parts, Hull((1,), (0.07,), _TYRE))


def bicycle_joints(turned: float) -> Floats:
    """Returns a bicycle without a rider, float64 [48, 3] in (forward, left, up) metres.

    Bracket, saddle, steerer, rear axle, front axle, left grip, right grip, stem; then two rims.

    Args:
        turned: angle of the wheels in radians.
    """
    stem = _STEERER + np.array([0.1, 0.0, 0.12])
    grips = [stem + np.array([0.0, side * 0.24, 0.0]) for side in (1.0, -1.0)]
    axles = [np.array([axle, 0.0, WHEEL]) for axle in (_REAR, _FRONT)]
    frame = np.stack([_BRACKET, _SADDLE, _STEERER, *axles, *grips, stem])
    return np.concatenate([frame, *_wheels(turned)])


def _wheels(turned: float) -> list[Floats]:
    angles = turned + 2 * math.pi * np.arange(_RIM) / _RIM
    ring = np.stack([np.sin(angles), np.zeros(_RIM), np.cos(angles)], axis=-1) * WHEEL
    return [ring + np.array([axle, 0.0, WHEEL]) for axle in (_REAR, _FRONT)]


def _parts(look: Look) -> tuple[Hull, ...]:
    upper, lower, frame = look.rgb("upper"), look.rgb("lower"), look.rgb("bicycle")
    size, wide = look.height, look.height * look.breadth
    parts = [Hull((a, b), (0.022,), frame, "open") for a, b in ((4, 5), (4, 6), (5, 6), (4, 7))]
    parts += [
        Hull((5, 7), (0.014,), frame, "open"),
        Hull((6, 8), (0.022,), frame, "open"),
    ]
    for start in (_RIMS, _RIMS + _RIM):
        parts.append(Hull(tuple(range(start, start + _RIM)), (0.024,), _TYRE, "closed"))
        for spoke in (0, 3, 7):
            ends = (start + spoke, start + spoke + _RIM // 2)
            parts.append(Hull(ends, (0.006,), _SPOKE, "open", lift=-0.02))
    shank = look.skin if look.garment == "shorts" else lower
    sleeve = look.skin if look.short_sleeves else upper
    for side in (_LEFT, _RIGHT):
        hip, knee, ankle, toe, shoulder, elbow, hand, pedal = range(side, side + 8)
        parts += [
            Hull((hip, knee), (0.052 * wide, 0.036 * wide), lower),
            Hull((knee, ankle), (0.037 * wide, 0.029 * size), shank),
            Hull((ankle, toe), (0.026 * size, 0.02 * size), look.shoes),
            Hull((4, pedal), (0.016,), _SPOKE, "open"),
            Hull((shoulder, elbow), (0.037 * wide, 0.031 * wide), upper),
            Hull((elbow, hand), (0.028 * wide, 0.023 * wide), sleeve),
            Hull((6, hand), (0.014,), _TYRE, "open"),
        ]
    torso = (_LEFT, _RIGHT, 1, _LEFT + 4, _RIGHT + 4)
    parts += [
        Hull(torso, tuple(r * wide for r in (0.058, 0.058, 0.08, 0.05, 0.05)), upper, lift=0.03),
        Hull((2, 9), (0.055 * size, 0.042 * size), look.skin, lift=0.05),
        Hull((3,), (0.057 * size,), look.hair, lift=0.06),
        Hull((5,), (0.07,), _TYRE),
    ]
    if look.bag == "backpack":
        parts.append(Hull((10, 11), (0.05 * size, 0.055 * size), look.rgb("bag"), lift=0.05))
    return tuple(parts)
