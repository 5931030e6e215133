"""Heatmaps on their way into the case: compressed as they come, so that an hour stays small."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.case import HeatBlock
from engine.core.arrays import pack_arrays, unpack_arrays
from engine.motion.analysis_plan import AnalysisPlan
from engine.pipeline.scoring import Verdict


class HeatSpool:
    """Keeps the heatmaps of all channels of a run, a byte a cell."""

    def __init__(self, plan: AnalysisPlan) -> None:
        self._plan = plan
        self._blocks: dict[str, list[tuple[int, int, bytes]]] = {}

    def add(self, at: int, verdict: Verdict) -> None:
        """Takes the heatmaps of consecutive analysed frames, the first at position `at`."""
        for name, reading in verdict.readings.items():
            heat = np.round(np.clip(reading.heat, 0, 1) * 255).astype(np.uint8)
            packed = pack_arrays({"heat": heat})
            self._blocks.setdefault(name, []).append((at, len(verdict), packed))

    def blocks(self) -> Iterator[HeatBlock]:
        """Yields what was taken, in order of channel and frame."""
        for name, blocks in self._blocks.items():
            for at, count, packed in blocks:
                frames = self._plan.frames[at : at + count]
                heat = unpack_arrays(packed)["heat"].astype(np.uint8, copy=False)
                yield HeatBlock(name, frames, heat)
