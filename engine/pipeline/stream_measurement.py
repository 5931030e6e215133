"""Measures a stream: raw maps of its chunks, in order, from any chunk on."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.core.processes import cores
from engine.core.progress import CancelToken
from engine.core.settings import MotionSettings
from engine.detectors.text.text_meter import MeasuredText, TextMeter
from engine.media import Source
from engine.motion.analysis_plan import AnalysisPlan
from engine.motion.chunk_reader import ChunkReader
from engine.motion.motion_maps import MotionMaps
from engine.motion.motion_meter import MotionMeter

_MAX_THREADS = 8  # A choice; whether more threads help was not measured.


@dataclass(frozen=True, eq=False)
class MeasuredChunk:
    """Raw maps of one chunk.

    Attributes:
        number: of the chunk, from 0.
        maps: of its analysed frames.
        seconds: float64 [n], their stream time.
        damaged: bool [n], frames that could not be decoded as they were recorded.
        text: maps of the text channel; None without it.
    """

    number: int
    maps: MotionMaps
    seconds: NDArray[np.float64]
    damaged: NDArray[np.bool_]
    text: MeasuredText | None = None


def worker_threads() -> int:
    """Returns how many frames are measured at once: the processors this process may use."""
    return min(_MAX_THREADS, cores())


def measure_stream(
    source: Source,
    plan: AnalysisPlan,
    settings: MotionSettings,
    cancel: CancelToken,
    first_chunk: int = 0,
    text: TextMeter | None = None,
) -> Generator[MeasuredChunk, None, None]:
    """Yields the measured chunks of a stream from `first_chunk` on.

    Args:
        source: the stream; a thread of its own reads it meanwhile.
        plan: what is analysed.
        settings: how motion is measured.
        cancel: looked at several times a second.
        first_chunk: number of the first.
        text: measures the text channel, on a source of its own; None leaves it out.

    Raises:
        CancelledError: the user stopped.
        MediaError: the source cannot be read any more.
    """
    with MotionMeter(plan.grid, settings, plan.rate, worker_threads()) as meter:
        reader = ChunkReader(source, plan, meter.context)
        with closing(reader.read(first_chunk, cancel)) as chunks:
            for chunk in chunks:
                start, stop = plan.span(chunk.number)
                text_maps = None
                if text is None:
                    maps = meter.measure(chunk.pictures, cancel)
                else:
                    starts = text.slices(chunk.number).tolist()
                    maps, detail = meter.measure_with_detail(chunk.pictures, starts, cancel)
                    text_maps = text.measure(chunk.number, maps, detail, cancel)
                cancel.check()
                seconds = plan.seconds[start:stop]
                yield MeasuredChunk(chunk.number, maps, seconds, chunk.damaged, text_maps)
