"""Learns a calibration from footage: from normal footage, from the camera, or from itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.settings import SceneSettings
from engine.detectors.scene.observation import Observer
from engine.detectors.scene.scene_calibration import Calibration
from engine.detectors.scene.scene_channel import SceneChannel
from engine.detectors.scene.scene_statistics import SceneLearner, SceneStatistics
from engine.motion.motion_maps import MotionMaps

Footage = Iterable[tuple[MotionMaps, NDArray[np.float64]]]
"""Consecutive blocks of one piece of footage: raw maps and stream times float64 [n]."""

_LEAST_FRAMES = 100


def learn_statistics(
    footage: Footage, shape: tuple[int, int], cell: int, rate: float, settings: SceneSettings
) -> SceneStatistics:
    """Gathers the statistics of one piece of footage over a grid of `shape` cells."""
    observer = Observer(*shape, cell, settings, rate)
    learner = SceneLearner(*shape)
    for maps, seconds in footage:
        seen = observer.observe(maps, seconds)
        learner.add(seen.motion, seen.blobs, seen.stay, seconds)
    return learner.statistics


def calibrate(
    kind: str,
    pieces: list[Callable[[], Footage]],
    shape: tuple[int, int],
    cell: int,
    rate: float,
    settings: SceneSettings,
    sources: tuple[dict[str, Any], ...] = (),
) -> Calibration:
    """Makes a calibration.

    Normal footage is parted in two; each half is judged by what the other taught, and every
    limit is raised until all but `held_out_quantile` of the frames stay below it.

    Args:
        kind: `normal`, `camera` or `self`.
        pieces: functions that give the blocks of one piece of footage each; called repeatedly.
        shape: rows and columns of cells.
        cell: edge of a cell in analysis pixels.
        rate: analysed frames a second.
        settings: how motion is judged.
        sources: what the footage is, for the record.
    """

    def learned(some: list[Callable[[], Footage]]) -> SceneStatistics:
        total = SceneStatistics.empty(*shape)
        for piece in some:
            total = total.merged(learn_statistics(piece(), shape, cell, rate, settings))
        return total

    if kind != "normal":
        return Calibration(kind, learned(pieces), {}, sources)
    halves = _halves(pieces)
    taught = [learned(half) for half in halves]
    scales: dict[str, float] = {}
    if min(one.frames for one in taught) >= _LEAST_FRAMES:
        scales = _held_out_scales(halves, taught, cell, rate, settings)
    # A single piece is parted within each chunk, and a stay is longer than half a chunk.
    whole = taught[0].merged(taught[1]) if len(pieces) > 1 else learned(pieces)
    return Calibration(kind, whole, scales, sources)


def _halves(
    pieces: list[Callable[[], Footage]],
) -> tuple[list[Callable[[], Footage]], list[Callable[[], Footage]]]:
    if len(pieces) > 1:
        return pieces[::2], pieces[1::2]

    def part(odd: bool) -> Callable[[], Footage]:
        def blocks() -> Iterator[tuple[MotionMaps, NDArray[np.float64]]]:
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
    taught: list[SceneStatistics],
    cell: int,
    rate: float,
    settings: SceneSettings,
) -> dict[str, float]:
    peaks: dict[str, list[NDArray[np.float32]]] = {}
    for half, other in zip(halves, reversed(taught), strict=True):
        calibration = Calibration("normal", other)
        for piece in half:
            channel = SceneChannel(calibration, cell, rate, settings)
            for scored in channel.score(piece()):
                for name, found in scored.peaks.items():
                    peaks.setdefault(name, []).append(found.excess)
    return {
        name: max(1.0, float(np.quantile(np.concatenate(found), settings.held_out_quantile)))
        for name, found in peaks.items()
    }
