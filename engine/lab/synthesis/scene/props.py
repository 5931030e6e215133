"""Things that stand still: lamps, trees, bollards, bins and benches."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from engine.lab.synthesis.scene.figures import Colour, Figure, Hull

KINDS = ("lamp", "tree", "bollard", "bin", "bench", "sign")
_METAL: Colour = (128, 134, 140)  # RGB of painted steel
_BARK: Colour = (78, 64, 52)  # RGB of a trunk


@dataclass(frozen=True)
class PropSpec:
    """One thing that stands on the ground.

    Attributes:
        kind: one of `KINDS`.
        position: metres on the ground.
        turn: heading in radians.
        size: 1 for a usual one.
        seed: of its own irregularities.
    """

    kind: str
    position: tuple[float, float]
    turn: float
    size: float
    seed: int


def prop_figure(prop: PropSpec) -> Figure:
    """Returns the figure of a prop."""
    joints, parts = {
        "lamp": _lamp,
        "tree": _tree,
        "bollard": _bollard,
        "bin": _bin,
        "bench": _bench,
        "sign": _sign,
    }[prop.kind](np.random.default_rng(prop.seed))
    local = np.array(joints, dtype=np.float64) * prop.size
    parts = tuple(
        Hull(p.joints, tuple(r * prop.size for r in p.radii), p.colour, p.line, p.lift)
        for p in parts
    )
    sine, cosine = math.sin(prop.turn), math.cos(prop.turn)
    world = np.empty_like(local)
    world[:, 0] = prop.position[0] + local[:, 0] * cosine - local[:, 1] * sine
    world[:, 1] = prop.position[1] + local[:, 0] * sine + local[:, 1] * cosine
    world[:, 2] = local[:, 2]
    return Figure(world, parts, prop.position)


_Made = tuple[list[tuple[float, float, float]], tuple[Hull, ...]]


def _lamp(rng: np.random.Generator) -> _Made:
    top = float(rng.uniform(3.6, 5.0))
    joints = [(0.0, 0.0, 0.0), (0.0, 0.0, 0.9), (0.0, 0.0, top), (0.7, 0.0, top + 0.15)]
    parts = (
        Hull((0, 1), (0.085, 0.08), (96, 102, 108)),
        Hull((1, 2), (0.06, 0.045), _METAL),
        Hull((2, 3), (0.04, 0.04), _METAL),
        Hull((3,), (0.14,), (206, 206, 200)),
    )
    return joints, parts


def _tree(rng: np.random.Generator) -> _Made:
    trunk = float(rng.uniform(1.6, 2.4))
    joints = [(0.0, 0.0, 0.0), (0.05, 0.0, trunk), (0.0, 0.05, trunk + 1.0)]
    parts = [Hull((0, 1), (0.16, 0.11), _BARK), Hull((1, 2), (0.11, 0.07), _BARK)]
    for index in range(130):
        direction = rng.normal(size=3)
        direction /= np.linalg.norm(direction)
        spot = direction * np.array([1.25, 1.25, 0.95]) * rng.uniform(0.3, 1.0)
        joints.append((float(spot[0]), float(spot[1]), trunk + 1.3 + float(spot[2])))
        light = 0.72 + 0.36 * (spot[2] + 1) / 2 + float(rng.uniform(-0.1, 0.1))
        leaf = (round(78 * light), round(94 * light), round(54 * light))
        parts.append(Hull((3 + index,), (float(rng.uniform(0.12, 0.27)),), leaf))
    return joints, tuple(parts)


def _bollard(rng: np.random.Generator) -> _Made:
    dark = round(float(rng.uniform(50, 110)))
    joints = [(0.0, 0.0, 0.05), (0.0, 0.0, 0.85), (0.0, 0.0, 0.74)]
    body = Hull((0, 1), (0.085, 0.085), (dark, dark, dark + 4))
    return joints, (body, Hull((2,), (0.095,), (204, 196, 170), lift=0.02))


def _bin(rng: np.random.Generator) -> _Made:
    colour: Colour = ((52, 78, 60), (72, 76, 84), (60, 66, 96))[int(rng.integers(3))]
    ring = [(0.17 * math.cos(a), 0.17 * math.sin(a)) for a in np.arange(6) * math.pi / 3]
    low = [(x, y, 0.08) for x, y in ring]
    high = [(x, y, 0.92) for x, y in ring]
    body = Hull(tuple(range(12)), (0.06,) * 12, colour)
    return low + high, (body, Hull(tuple(range(6, 12)), (0.05,) * 6, (40, 42, 44), lift=0.1))


def _bench(rng: np.random.Generator) -> _Made:
    tone = float(rng.uniform(0.8, 1.15))
    wood: Colour = (round(128 * tone), round(94 * tone), round(62 * tone))
    joints: list[tuple[float, float, float]] = []
    parts: list[Hull] = []
    for y, z in ((-0.2, 0.45), (-0.05, 0.45), (0.1, 0.45), (0.22, 0.65), (0.26, 0.82)):
        parts.append(Hull((len(joints), len(joints) + 1), (0.05, 0.05), wood, lift=0.1))
        joints += [(-0.85, y, z), (0.85, y, z)]
    for x in (-0.7, 0.7):
        for y in (-0.18, 0.2):
            parts.append(Hull((len(joints), len(joints) + 1), (0.03, 0.03), (60, 62, 66)))
            joints += [(x, y, 0.0), (x, y, 0.45)]
    return joints, tuple(parts)


def _sign(rng: np.random.Generator) -> _Made:
    board: Colour = ((196, 60, 48), (52, 92, 160), (210, 206, 196))[int(rng.integers(3))]
    joints = [(0.0, 0.0, 0.0), (0.0, 0.0, 2.3)]
    joints += [(x, -0.03, z) for x in (-0.22, 0.22) for z in (1.7, 2.2)]
    pole = Hull((0, 1), (0.035, 0.035), _METAL)
    return joints, (pole, Hull((2, 3, 4, 5), (0.03,) * 4, board, lift=0.2))
