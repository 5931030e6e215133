"""Learns the calibration of the scene channel: from normal footage, a camera, or the evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.settings import SceneSettings
from engine.detectors.scene.observation import MotionBlock
from engine.detectors.scene.scene_calibration import SceneCalibration
from engine.detectors.scene.scene_channel import SceneChannel
from engine.detectors.scene.scene_statistics import SceneLearner, SceneStatistics

Footage = Iterable[MotionBlock]
"""Consecutive blocks of one piece of footage."""

_MIN_FRAMES = 100  # A choice: of fewer frames, the held-out quantile would be the maximum.


def learn_statistics(
    footage: Footage, shape: tuple[int, int], cell: int, rate: float, settings: SceneSettings
) -> SceneStatistics:
    """Gathers the statistics of one piece of footage over a grid of `shape` cells."""
    learner = SceneLearner(shape, cell, rate, settings)
    for maps, seconds in footage:
        learner.learn(maps, seconds)
    return learner.statistics


def learn_scene(
    kind: str,
    pieces: list[Callable[[], Footage]],
    shape: tuple[int, int],
    cell: int,
    rate: float,
    settings: SceneSettings,
    sources: tuple[dict[str, Any], ...] = (),
) -> SceneCalibration:
    """Learns a calibration.

    Normal footage is split in two; each half is scored by what the other taught, and every limit
    is raised until the `held_out_quantile` of the frames lies below it.

    Args:
        kind: `normal`, `camera` or `self`.
        pieces: functions that give the blocks of one piece of footage each; called repeatedly.
        shape: rows and columns of cells.
        cell: edge of a cell in analysis pixels.
        rate: analysed frames a second.
        settings: of the channel.
        sources: what the footage is, for the record.
    """

    def learn(chosen: list[Callable[[], Footage]]) -> SceneStatistics:
        total = SceneStatistics.empty(*shape)
        for piece in chosen:
            total = total.merge(learn_statistics(piece(), shape, cell, rate, settings))
        return total

    if kind != "normal":
        return SceneCalibration(kind, learn(pieces), {}, sources)
    halves = _halves(pieces)
    statistics = [learn(half) for half in halves]
    scales: dict[str, float] = {}
    if min(half.frames for half in statistics) >= _MIN_FRAMES:
        scales = _held_out_scales(halves, statistics, cell, rate, settings)
    # A single piece is split within each chunk, and a stay is longer than half a chunk.
    whole = statistics[0].merge(statistics[1]) if len(pieces) > 1 else learn(pieces)
    return SceneCalibration(kind, whole, scales, sources)


def _halves(
    pieces: list[Callable[[], Footage]],
) -> tuple[list[Callable[[], Footage]], list[Callable[[], Footage]]]:
    if len(pieces) > 1:
        return pieces[::2], pieces[1::2]

    def part(odd: bool) -> Callable[[], Footage]:
        def blocks() -> Iterator[MotionBlock]:
            for maps, seconds in pieces[0]():
                middle = len(seconds) // 2
                half = slice(middle, None) if odd else slice(0, middle)
                start, stop, _ = half.indices(len(seconds))
                if start < stop:
                    yield maps.part(start, stop), seconds[start:stop]

        return blocks

    return [part(False)], [part(True)]


def _held_out_scales(
    halves: tuple[list[Callable[[], Footage]], list[Callable[[], Footage]]],
    statistics: list[SceneStatistics],
    cell: int,
    rate: float,
    settings: SceneSettings,
) -> dict[str, float]:
    excess: dict[str, list[NDArray[np.float32]]] = {}
    for half, other in zip(halves, reversed(statistics), strict=True):
        calibration = SceneCalibration("normal", other)
        for piece in half:
            channel = SceneChannel(calibration, cell, rate, settings)
            for scores in channel.score(piece()):
                for name, peaks in scores.peaks.by_attribute.items():
                    excess.setdefault(name, []).append(peaks.excess)
    return {
        name: max(1.0, float(np.quantile(np.concatenate(parts), settings.held_out_quantile)))
        for name, parts in excess.items()
    }
