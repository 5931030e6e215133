"""Heatmaps on their way into the case: compressed at once, so that an hour of them stays small."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.case import HeatBlock
from engine.core.arrays import pack_arrays, unpack_arrays
from engine.motion.analysis_plan import AnalysisPlan
from engine.pipeline.channels.scoring import BlockScores


class HeatSpool:
    """Gathers the heatmaps of all channels of a run, a byte a cell."""

    def __init__(self, plan: AnalysisPlan) -> None:
        self._plan = plan
        self._blocks: dict[str, list[tuple[int, int, bytes]]] = {}

    def add(self, start: int, scores: BlockScores) -> None:
        """Adds heatmaps of consecutive analysed frames; `start` is the index of the first."""
        for name, channel in scores.channels.items():
            heat = np.round(np.clip(channel.heat, 0, 1) * 255).astype(np.uint8)
            packed = pack_arrays({"heat": heat})
            self._blocks.setdefault(name, []).append((start, len(scores), packed))

    def blocks(self) -> Iterator[HeatBlock]:
        """Yields the heatmaps, in order of channel and frame."""
        for name, blocks in self._blocks.items():
            for start, count, packed in blocks:
                frames = self._plan.frames[start : start + count]
                heat = unpack_arrays(packed)["heat"].astype(np.uint8, copy=False)
                yield HeatBlock(name, frames, heat)
