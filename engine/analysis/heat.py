"""Heatmaps on their way into the case: compressed as they come, so that an hour stays small."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.analysis.plan import AnalysisPlan
from engine.cases import HeatBlock
from engine.core.arrays import pack_arrays, unpack_arrays
from engine.scene.channel import ScoredFrames


class HeatSpool:
    """Keeps the heatmaps of a channel, a byte a cell."""

    def __init__(self, channel: str, plan: AnalysisPlan) -> None:
        self._channel = channel
        self._plan = plan
        self._blocks: list[tuple[int, int, bytes]] = []

    def add(self, at: int, scored: ScoredFrames) -> None:
        """Takes the heatmaps of consecutive analysed frames, the first at position `at`."""
        heat = np.round(np.clip(scored.heat, 0, 1) * 255).astype(np.uint8)
        self._blocks.append((at, len(scored), pack_arrays({"heat": heat})))

    def blocks(self) -> Iterator[HeatBlock]:
        """Yields what was taken, in order."""
        for at, count, packed in self._blocks:
            frames = self._plan.frames[at : at + count]
            heat = unpack_arrays(packed)["heat"].astype(np.uint8, copy=False)
            yield HeatBlock(self._channel, frames, heat)
