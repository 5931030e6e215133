"""Simulated raw maps for the tests of the scene channel: rectangles that move over a grid."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.core.settings import SceneSettings
from engine.detectors.scene.scene_calibration import SceneCalibration
from engine.detectors.scene.scene_channel import SceneChannel, SceneScores
from engine.detectors.scene.scene_learning import Footage, learn_scene
from engine.motion.motion_maps import SPEED_UNIT, MotionMaps

ROWS, COLUMNS, CELL, RATE = 18, 24, 8, 10.0
SHAPE = (ROWS, COLUMNS)
SETTINGS = SceneSettings()
Block = tuple[MotionMaps, NDArray[np.float64]]


@dataclass(frozen=True)
class Target:
    """A rectangle of `edge` that enters at `start` seconds and moves at (vx, vy) px/s.

    `x` and `y` are the upper left corner at `start`, everything in analysis pixels.
    """

    start: float
    end: float
    x: float
    y: float
    vx: float
    vy: float = 0.0
    edge: tuple[int, int] = (16, 32)


def walkers(seconds: float, speed: float = 30.0, gap: float = 4.0) -> list[Target]:
    """People who walk to the right, one after another, in three lanes."""
    targets = []
    for i in range(int(seconds / gap)):
        y = 24 + 32 * (i % 3)
        targets.append(Target(i * gap, i * gap + 192 / speed, -16, y, speed))
    return targets


def simulate(
    seconds: float,
    targets: Sequence[Target],
    *,
    rate: float = RATE,
    start: float = 0.0,
    background: NDArray[np.uint8] | None = None,
    camera: Callable[[float], bool] = lambda _: False,
) -> Block:
    """Draws targets into raw maps of `seconds` from `start` on."""
    count = round(seconds * rate)
    times = start + np.arange(count) / rate
    foreground = np.zeros((count, ROWS, COLUMNS), np.uint8)
    vx, vy = np.zeros((2, count, ROWS, COLUMNS), np.int16)
    moved = np.zeros((count, 2), np.float32)
    for i, now in enumerate(times):
        moved[i] = camera(float(now))
        for target in targets:
            if not target.start <= now < target.end:
                continue
            x = target.x + target.vx * (now - target.start)
            y = target.y + target.vy * (now - target.start)
            rows = slice(max(0, round(y / 8)), max(0, round((y + target.edge[1]) / 8)))
            columns = slice(max(0, round(x / 8)), max(0, round((x + target.edge[0]) / 8)))
            foreground[i, rows, columns] = 60
            vx[i, rows, columns] = round(target.vx / SPEED_UNIT)
            vy[i, rows, columns] = round(target.vy / SPEED_UNIT)
    plain = np.full((ROWS * 2, COLUMNS * 2), 90, np.uint8)
    picture = plain if background is None else background
    return MotionMaps(foreground, vx, vy, moved, np.zeros(count, np.bool_), picture), times


def cut(block: Block, borders: Sequence[int]) -> Iterator[Block]:
    """Cuts a block at positions."""
    maps, seconds = block
    for a, b in itertools.pairwise([0, *borders, len(seconds)]):
        yield maps.part(a, b), seconds[a:b]


def calibrated(kind: str, *blocks: Block) -> SceneCalibration:
    """Learns from pieces of footage, each cut into blocks of ten seconds."""

    def piece(block: Block) -> Callable[[], Iterator[Block]]:
        return lambda: cut(block, range(100, len(block[1]), 100))

    pieces: list[Callable[[], Footage]] = [piece(block) for block in blocks]
    return learn_scene(kind, pieces, SHAPE, CELL, RATE, SETTINGS)


def channel(calibration: SceneCalibration, settings: SceneSettings = SETTINGS) -> SceneChannel:
    return SceneChannel(calibration, CELL, RATE, settings)


def scored(calibration: SceneCalibration, *blocks: Block) -> list[SceneScores]:
    return list(channel(calibration).score(blocks))
