"""Measures the motion of a stream: chunks of raw maps, in order, from any chunk on."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.analysis.plan import AnalysisPlan
from engine.analysis.reading import ChunkReader
from engine.core.progress import CancelToken
from engine.core.settings import MotionSettings
from engine.media import Source
from engine.motion.maps import MotionMaps
from engine.motion.measure import MotionMeter


@dataclass(frozen=True, eq=False)
class MeasuredChunk:
    """Raw maps of one chunk.

    Attributes:
        number: of the chunk, from 0.
        maps: of its analysed frames.
        seconds: float64 [n], their stream time.
        damaged: bool [n], frames that could not be decoded as they were recorded.
    """

    number: int
    maps: MotionMaps
    seconds: NDArray[np.float64]
    damaged: NDArray[np.bool_]


def worker_threads() -> int:
    """Returns how many frames are measured at once: the processors this process may use."""
    return max(1, min(8, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2))


def measure_stream(
    source: Source,
    plan: AnalysisPlan,
    settings: MotionSettings,
    cancel: CancelToken,
    first_chunk: int = 0,
) -> Generator[MeasuredChunk, None, None]:
    """Yields the measured chunks of a stream from `first_chunk` on.

    Raises:
        CancelledError: the user stopped.
        MediaError: the source cannot be read any more.
    """
    with MotionMeter(plan.grid, settings, plan.rate, worker_threads()) as meter:
        reader = ChunkReader(source, plan, meter.context)
        with closing(reader.read(first_chunk, cancel)) as chunks:
            for chunk in chunks:
                start, stop = plan.span(chunk.number)
                maps = meter.measure(chunk.pictures, cancel)
                cancel.check()
                yield MeasuredChunk(chunk.number, maps, plan.seconds[start:stop], chunk.damaged)
