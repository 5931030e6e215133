"""Postures of people who move on foot, and where their feet are in a step."""

from __future__ import annotations

import math
from dataclasses import replace

from engine.lab.synthesis.people.body import Pose


def step_length(speed: float, height: float, running: bool = False) -> float:
    """Returns metres per step at a speed in metres per second."""
    if running:
        return max(0.55, speed / 2.75) * height / 1.72
    return 0.41 * height * math.sqrt(max(speed, 0.2) / 1.35)


def walking(cycle: float, speed: float, energy: float = 1.0) -> Pose:
    """Returns a walking posture.

    Args:
        cycle: angle of the gait, pi a step.
        speed: metres per second.
        energy: how much the arms swing, 1 usual.
    """
    swing = math.asin(min(0.75, 0.418 * math.sqrt(max(speed, 0.2) / 1.35)))
    legs = []
    for offset in (0.0, math.pi):
        thigh = swing * math.sin(cycle + offset) + 0.03
        lifted = max(0.0, math.cos(cycle + offset + 0.45)) ** 2
        legs.append((thigh, 0.08 + 0.8 * lifted * (swing / 0.43)))
    arms = [-0.85 * thigh * energy for thigh, _ in legs]
    return Pose(
        lean=0.02 + 0.03 * max(0.0, speed - 1.2),
        twist=0.1 * energy * math.sin(cycle + math.pi),
        hip_l=legs[0][0], hip_r=legs[1][0],
        knee_l=legs[0][1], knee_r=legs[1][1],
        arm_l=arms[0], arm_r=arms[1],
        elbow_l=0.22 + 0.3 * max(0.0, arms[0]), elbow_r=0.22 + 0.3 * max(0.0, arms[1]),
    )  # fmt: skip


def running(cycle: float, speed: float) -> Pose:
    """Returns a running posture; `cycle` is pi a step, `speed` metres per second."""
    force = min(1.0, max(0.0, (speed - 2.2) / 3.0))
    swing = 0.55 + 0.25 * force
    legs = []
    for offset in (0.0, math.pi):
        thigh = swing * math.sin(cycle + offset) + 0.16
        lifted = max(0.0, math.cos(cycle + offset + 0.35)) ** 1.5
        legs.append((thigh, 0.3 + (1.1 + 0.5 * force) * lifted))
    arms = [-1.0 * (thigh - 0.16) - 0.1 for thigh, _ in legs]
    return Pose(
        lean=0.14 + 0.12 * force,
        twist=0.16 * math.sin(cycle + math.pi),
        hip_l=legs[0][0], hip_r=legs[1][0],
        knee_l=legs[0][1], knee_r=legs[1][1],
        arm_l=arms[0], arm_r=arms[1],
        out_l=0.18, out_r=0.18,
        elbow_l=1.45, elbow_r=1.45,
        lift=0.045 * (0.5 + force) * abs(math.sin(cycle + 0.9)),
    )  # fmt: skip


def standing(seconds: float, phase: float, restless: float = 1.0) -> Pose:
    """Returns someone who stands and shifts the weight now and then."""
    sway = restless * math.sin(0.7 * seconds + phase)
    gesture = max(0.0, math.sin(0.9 * seconds + 2 * phase)) ** 3 * restless
    return Pose(
        lean=0.02 + 0.02 * sway, roll=0.03 * sway, nod=0.1 + 0.1 * math.sin(0.43 * seconds + phase),
        hip_l=0.05 * sway + 0.02, hip_r=0.02 - 0.04 * sway,
        spread_l=0.07, spread_r=0.07,
        arm_l=0.05 + 0.5 * gesture, elbow_l=0.25 + 0.9 * gesture,
        arm_r=0.05, elbow_r=0.3 + 0.2 * gesture,
    )  # fmt: skip


def phoning(pose: Pose) -> Pose:
    """Returns a posture with a telephone at the right ear."""
    return replace(pose, arm_r=0.75, out_r=0.35, elbow_r=2.15, nod=0.15)


def reading(pose: Pose) -> Pose:
    """Returns a posture that looks down at a telephone in front."""
    return replace(pose, arm_r=0.35, out_r=0.05, elbow_r=1.5, arm_l=0.3, elbow_l=1.4, nod=0.5)


def pushing(pose: Pose, bent: float = 0.12) -> Pose:
    """Returns a posture with both hands at a handle in front."""
    return replace(
        pose, lean=bent, twist=0.0, arm_l=0.45, arm_r=0.45, elbow_l=0.7, elbow_r=0.7,
        out_l=0.08, out_r=0.08,
    )  # fmt: skip


def pulling(pose: Pose) -> Pose:
    """Returns a posture that draws something behind with the right hand."""
    return replace(pose, arm_r=-0.35, out_r=0.18, elbow_r=0.1)


def carrying(pose: Pose) -> Pose:
    """Returns a posture with a weight in the right hand."""
    return replace(pose, arm_r=0.02 + 0.15 * pose.arm_r, out_r=0.2, elbow_r=0.06, roll=0.03)


def holding_up(pose: Pose) -> Pose:
    """Returns a posture that holds an umbrella with the right hand."""
    return replace(pose, arm_r=0.5, out_r=0.1, elbow_r=1.75)


def skateboarding(seconds: float, phase: float, speed: float) -> Pose:
    """Returns someone on a board, the body across it, who pushes with one foot now and then.

    The frame's forward is where the chest points, across the way.
    """
    beat = math.fmod(seconds * 0.45 + phase / (2 * math.pi), 1.0)
    push = math.sin(math.pi * beat / 0.35) if beat < 0.35 else 0.0
    sway = math.sin(1.3 * seconds + phase)
    low = 0.35 + 0.1 * min(1.0, speed / 4) + 0.06 * sway
    return Pose(
        lean=0.2 + 0.1 * push, roll=0.12 * push + 0.05 * sway, twist=0.35,
        hip_l=0.55 * low + 0.15, knee_l=2 * low * 0.75, spread_l=0.3,
        hip_r=0.55 * low + 0.15 - 0.2 * push, knee_r=2 * low * 0.75 - 0.5 * push,
        spread_r=0.3 + 0.25 * push,
        arm_l=0.1, arm_r=0.0, out_l=0.65 + 0.2 * sway, out_r=0.6 - 0.2 * sway,
        elbow_l=0.35, elbow_r=0.45,
    )  # fmt: skip


def skating(cycle: float, speed: float) -> Pose:
    """Returns someone on inline skates; `cycle` is pi a stride."""
    force = 0.5 + 0.5 * min(1.0, speed / 5)
    left, right = max(0.0, math.sin(cycle)), max(0.0, -math.sin(cycle))
    sway = math.sin(cycle)
    return Pose(
        lean=0.3 + 0.25 * force, roll=0.12 * sway, nod=-0.2, twist=-0.15 * sway,
        hip_l=0.55 - 0.75 * left * force, knee_l=0.75 - 0.35 * left, spread_l=0.06 + 0.5 * left,
        hip_r=0.55 - 0.75 * right * force, knee_r=0.75 - 0.35 * right,
        spread_r=0.06 + 0.5 * right,
        arm_l=-0.9 * sway * force, arm_r=0.9 * sway * force,
        out_l=0.3, out_r=0.3, elbow_l=0.6, elbow_r=0.6,
    )  # fmt: skip


def sitting(seconds: float, phase: float) -> Pose:
    """Returns someone who sits on a seat with the feet on the ground."""
    nod = 0.15 + 0.15 * math.sin(0.5 * seconds + phase)
    return Pose(
        lean=0.1, nod=nod, hip_l=1.5, hip_r=1.5, knee_l=1.5, knee_r=1.45,
        spread_l=0.12, spread_r=0.12, arm_l=0.5, arm_r=0.45, elbow_l=0.9, elbow_r=0.95,
    )  # fmt: skip


def driving(seconds: float, phase: float) -> Pose:
    """Returns someone who sits at a wheel."""
    turn = 0.1 * math.sin(0.8 * seconds + phase)
    return Pose(
        lean=-0.1, hip_l=1.45, hip_r=1.45, knee_l=1.1, knee_r=1.1, spread_l=0.1, spread_r=0.1,
        arm_l=0.9 + turn, arm_r=0.9 - turn, elbow_l=0.7, elbow_r=0.7,
    )  # fmt: skip
