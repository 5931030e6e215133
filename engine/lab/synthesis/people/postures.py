"""Postures of people in trouble: falling, lying, fighting; and of those who bend down."""

from __future__ import annotations

import math
from dataclasses import replace

from engine.lab.synthesis.people.body import Pose

FALLS = ("forward", "backward", "left", "right", "collapse")
"""Ways to fall."""


def lying(kind: str, seconds: float, phase: float) -> Pose:
    """Returns someone on the ground after a fall of a kind; hardly moves."""
    breath = 0.04 * math.sin(1.3 * seconds + phase)
    bent = 0.25 + 0.2 * math.sin(3 * phase)
    if kind == "forward":
        return Pose(
            tip=1.52, nod=-0.3, arm_l=2.2, out_l=0.7 + breath, elbow_l=0.9, arm_r=0.4, out_r=0.8,
            elbow_r=0.6, hip_l=0.0, hip_r=0.0, knee_l=bent, knee_r=0.1, spread_l=0.3, spread_r=0.2,
        )  # fmt: skip
    if kind == "backward":
        return Pose(
            tip=-1.52, nod=0.2, arm_l=0.1, out_l=0.9 + breath, elbow_l=0.2, arm_r=0.0, out_r=0.6,
            elbow_r=0.4, hip_l=0.3 + bent, hip_r=0.05, knee_l=0.6 + bent, knee_r=0.1,
            spread_l=0.2, spread_r=0.3,
        )  # fmt: skip
    curled = Pose(
        side=-1.5, lean=0.35, nod=0.3, arm_l=0.9 + breath, arm_r=1.2, elbow_l=0.8, elbow_r=0.4,
        out_l=0.1, out_r=0.05, hip_l=0.7 + bent, hip_r=0.4, knee_l=0.9 + bent, knee_r=0.8,
    )  # fmt: skip
    return curled.mirror() if kind in ("left", "collapse") else curled


def falling(kind: str, share: float, before: Pose, seconds: float, phase: float) -> Pose:
    """Returns a posture in a fall.

    Args:
        kind: one of `FALLS`.
        share: 0 at its start, 1 on the ground.
        before: the posture at its start.
        seconds: time, for what moves while lying.
        phase: of those movements.
    """
    end = lying(kind, seconds, phase)
    if kind == "collapse" and share < 0.55:
        knees = replace(before, hip_l=1.0, hip_r=0.9, knee_l=2.0, knee_r=1.9, lean=0.45, nod=0.5)
        return before.blend(knees, _ease(share / 0.55))
    if kind == "collapse":
        knees = replace(before, hip_l=1.0, hip_r=0.9, knee_l=2.0, knee_r=1.9, lean=0.45, nod=0.5)
        return knees.blend(end, _drop((share - 0.55) / 0.45))
    flail = math.sin(math.pi * share)
    pose = before.blend(end, _drop(share))
    return replace(
        pose,
        arm_l=pose.arm_l + 0.9 * flail,
        arm_r=pose.arm_r + 0.7 * flail,
        out_l=pose.out_l + 0.4 * flail,
        out_r=pose.out_r + 0.4 * flail,
        knee_l=pose.knee_l + 0.6 * flail,
    )


def crouching() -> Pose:
    """Returns someone who crouches and reaches down to the ground with the right hand."""
    return Pose(
        lean=0.75, nod=0.2, hip_l=1.55, hip_r=1.1, knee_l=1.9, knee_r=1.95,
        spread_l=0.15, spread_r=0.1, arm_l=0.7, elbow_l=0.4, arm_r=0.55, out_r=0.1, elbow_r=0.1,
    )  # fmt: skip


def fighting(seconds: float, phase: float, intensity: float) -> Pose:
    """Returns someone who strikes, kicks and dodges; `intensity` 0 (pushing) … 1 (wild)."""
    rate = 1.5 + 1.3 * intensity
    beat = rate * seconds + phase / (2 * math.pi)
    number, within = math.floor(beat), beat - math.floor(beat)
    blow = max(0.0, math.sin(math.pi * min(1.0, within / 0.55))) ** 2
    kind = math.floor(1e3 * abs(math.sin(12.9 * number + 7 * phase))) % 4
    bob = math.sin(5.1 * seconds + phase)
    guard = Pose(
        lean=0.2 + 0.08 * bob, roll=0.08 * math.sin(3.7 * seconds + phase), nod=0.15,
        hip_l=0.45, knee_l=0.5 + 0.1 * bob, hip_r=-0.15, knee_r=0.45 - 0.1 * bob,
        spread_l=0.12, spread_r=0.16,
        arm_l=0.6, elbow_l=1.7, arm_r=0.4, elbow_r=1.8, out_l=0.25, out_r=0.3,
    )  # fmt: skip
    if kind == 0:
        hit = replace(guard, arm_r=1.5, elbow_r=0.15, out_r=0.0, twist=0.6, lean=0.32)
    elif kind == 1:
        hit = replace(guard, arm_l=1.5, elbow_l=0.15, out_l=0.0, twist=-0.6, lean=0.3)
    elif kind == 2:
        hit = replace(guard, hip_r=1.15, knee_r=0.25, lean=-0.1, arm_l=0.2, out_l=0.7, out_r=0.7)
    else:
        hit = replace(guard, arm_l=1.4, arm_r=1.4, elbow_l=0.3, elbow_r=0.3, lean=0.45)
    return guard.blend(hit, blow * (0.6 + 0.4 * intensity))


def _ease(share: float) -> float:
    share = min(1.0, max(0.0, share))
    return share * share * (3 - 2 * share)


def _drop(share: float) -> float:
    """A fall gathers speed."""
    share = min(1.0, max(0.0, share))
    return math.pow(share, 1.8)
