"""A body in any posture: joint angles, and the figure that they make."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass, fields
from functools import lru_cache

import numpy as np

from engine.lab.synthesis.people.clothing import Look
from engine.lab.synthesis.people.walker import ANKLE, LEFT, RIGHT, SHANK, THIGH, person_parts
from engine.lab.synthesis.scene.camera import Floats
from engine.lab.synthesis.scene.figures import Hull

JOINTS = 24
"""Number of joints of a body, in the order of `walking`."""

_TRUNK = [0, 1, 3, 6, LEFT, RIGHT, LEFT + 4, RIGHT + 4]


@dataclass(frozen=True)
class Pose:
    """Angles of a body in radians; all zero is standing at attention.

    Attributes:
        lean: of the torso, forward.
        roll: of the torso, to the left.
        twist: of the torso against the pelvis, to the left.
        nod: of the head, forward.
        tip: of the whole body, forward; half pi lies face down.
        side: of the whole body, to the left.
        hip_l: left thigh, forward; likewise `hip_r`.
        knee_l: left knee, bent backward; likewise `knee_r`.
        spread_l: left thigh, outward; likewise `spread_r`.
        arm_l: left upper arm, forward; likewise `arm_r`.
        out_l: left upper arm, outward; likewise `out_r`.
        elbow_l: left elbow, bent; likewise `elbow_r`.
        lift: metres above the ground, as a share of the height.
    """

    lean: float = 0.0
    roll: float = 0.0
    twist: float = 0.0
    nod: float = 0.0
    tip: float = 0.0
    side: float = 0.0
    hip_l: float = 0.03
    hip_r: float = 0.03
    knee_l: float = 0.06
    knee_r: float = 0.06
    spread_l: float = 0.03
    spread_r: float = 0.03
    arm_l: float = 0.03
    arm_r: float = 0.03
    out_l: float = 0.12
    out_r: float = 0.12
    elbow_l: float = 0.2
    elbow_r: float = 0.2
    lift: float = 0.0

    def blend(self, other: Pose, share: float) -> Pose:
        """Returns the posture between this one (share 0) and another (share 1)."""
        return Pose(
            *(a + (b - a) * share for a, b in zip(astuple(self), astuple(other), strict=True))
        )

    def mirror(self) -> Pose:
        """Returns the posture with left and right exchanged."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        for name in ("hip", "knee", "spread", "arm", "out", "elbow"):
            left, right = f"{name}_l", f"{name}_r"
            values[left], values[right] = values[right], values[left]
        for name in ("roll", "twist", "side"):
            values[name] = -values[name]
        return Pose(**values)


def body_joints(pose: Pose, look: Look) -> Floats:
    """Returns the joints of a body that touches the ground, float64 [24, 3].

    The frame is (forward, left, up) in metres around the point below the pelvis; the order of
    the joints is that of `walking`.
    """
    height, wide = look.height, look.height * look.breadth
    joints = np.zeros((JOINTS, 3))
    frame = _rotate(pose.lean, pose.roll, pose.twist)
    _torso(joints, pose, frame, look)
    for start, sign in ((LEFT, 1.0), (RIGHT, -1.0)):
        _leg(joints, start, sign, pose, height, wide)
        _arm(joints, start, sign, pose, frame, height, wide)
    if pose.tip or pose.side:
        joints = joints @ _rotate(pose.tip, pose.side, 0.0).T
    above = joints[:, 2] - _clearance(look)
    # Who lies rests on the trunk: hands and feet yield instead of holding it up.
    flat = min(1.0, max(0.0, (abs(pose.tip) + abs(pose.side) - 0.9) / 0.5))
    low = float(above.min()) * (1 - flat) + float(above[_TRUNK].min()) * flat
    joints[:, 2] += pose.lift * height - low
    np.maximum(joints[:, 2], 0.02 * height, out=joints[:, 2])
    return joints


@lru_cache(maxsize=512)
def body_parts(look: Look) -> tuple[Hull, ...]:
    """Returns the parts around the joints of a body."""
    return person_parts(look)


@lru_cache(maxsize=512)
def _clearance(look: Look) -> Floats:
    """Returns how far each joint keeps above the ground, float64 [24], metres."""
    height = look.height
    shares = np.full(JOINTS, 0.03)
    shares[[0, 6]] = 0.07
    shares[1] = 0.085
    shares[[2, 3, 7]] = 0.05
    shares[[4, 5]] = 0.04
    for start in (LEFT, RIGHT):
        shares[start : start + 8] = (0.06, 0.038, ANKLE, 0.019, 0.05, 0.03, 0.02, 0.0)
    shares[[LEFT + 7, RIGHT + 7]] = -1.0
    return np.asarray(shares * height)


def _rotate(pitch: float, roll: float, yaw: float) -> Floats:
    """Returns the rotation: pitch forward, then roll to the left, then yaw; float64 [3, 3]."""
    cp, sp = math.cos(pitch), math.sin(pitch)
    cr, sr = math.cos(roll), math.sin(roll)
    cy, sy = math.cos(yaw), math.sin(yaw)
    forward = np.array([[cp, 0.0, sp], [0.0, 1.0, 0.0], [-sp, 0.0, cp]])
    aside = np.array([[1.0, 0.0, 0.0], [0.0, cr, sr], [0.0, -sr, cr]])
    about = np.array([[cy, -sy, 0.0], [sy, cy, 0.0], [0.0, 0.0, 1.0]])
    return np.asarray(aside @ forward @ about)


def _torso(joints: Floats, pose: Pose, frame: Floats, look: Look) -> None:
    height, wide = look.height, look.height * look.breadth
    local = np.array(
        [
            (0.0, 0.0, 0.0),
            (0.02, 0.0, 0.3),
            (0.0, 0.0, 0.0),
            (0.0, 0.0, 0.0),
            (-0.085, 0.0, 0.25),
            (-0.095, 0.0, 0.13),
            (0.012, 0.0, 0.09),
        ]
    )
    joints[:7] = (local * height) @ frame.T
    if look.bag != "backpack":
        joints[4] = frame @ np.array([0.0, 0.13 * wide, 0.04 * height])
        joints[5] = frame @ np.array([0.02 * height, 0.135 * wide, -0.05 * height])
    neck = frame @ np.array([0.022, 0.0, 0.335])
    head = frame @ _rotate(pose.nod, 0.0, 0.0)
    for index, spot in ((2, (0.013, 0.063)), (3, (-0.014, 0.081)), (7, (0.034, 0.047))):
        joints[index] = height * (neck + head @ np.array([spot[0], 0.0, spot[1]]))


def _leg(joints: Floats, start: int, sign: float, pose: Pose, height: float, wide: float) -> None:
    left = start == LEFT
    thigh = pose.hip_l if left else pose.hip_r
    shank = thigh - (pose.knee_l if left else pose.knee_r)
    spread = sign * (pose.spread_l if left else pose.spread_r)
    hip = np.array([0.0, sign * 0.052 * wide, 0.0])
    tilt = np.array([1.0, math.sin(spread), math.cos(spread)])
    knee = hip + THIGH * height * tilt * (math.sin(thigh), math.cos(thigh), -math.cos(thigh))
    ankle = knee + SHANK * height * tilt * (math.sin(shank), math.cos(shank), -math.cos(shank))
    pitch = min(0.0, shank) * 0.9 if shank > -1.2 else shank
    toe = ankle + 0.115 * height * np.array([math.cos(pitch), 0.0, math.sin(pitch)])
    toe[2] -= 0.018 * height
    joints[start : start + 4] = (hip, knee, ankle, toe)
    joints[start + 7] = hip + (knee - hip) * 0.9 + np.array([0.0, sign * 0.03 * wide, 0.0])


def _arm(
    joints: Floats, start: int, sign: float, pose: Pose, frame: Floats, height: float, wide: float
) -> None:
    left = start == LEFT
    arm, out = (pose.arm_l, pose.out_l) if left else (pose.arm_r, pose.out_r)
    bend = arm + (pose.elbow_l if left else pose.elbow_r)
    shoulder = np.array([0.018 * height, sign * 0.108 * wide, 0.29 * height])
    wing = np.array([math.cos(out), sign * math.sin(out), math.cos(out)])
    inward = np.array([1.0, -sign * 0.12 + 0.6 * sign * math.sin(out), 1.0])
    elbow = shoulder + 0.172 * height * wing * (math.sin(arm), 1.0, -math.cos(arm))
    hand = elbow + 0.17 * height * inward * (math.sin(bend), 1.0, -math.cos(bend))
    joints[start + 4] = frame @ shoulder
    joints[start + 5] = frame @ elbow
    joints[start + 6] = frame @ hand
