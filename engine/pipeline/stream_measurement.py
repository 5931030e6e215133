"""Measures the motion of a stream: chunks of raw maps, in order, from any chunk on."""

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


@dataclass(frozen=True, eq=False)
class MeasuredChunk:
    """Raw maps of one chunk.

    Attributes:
        number: of the chunk, from 0.
        maps: of its analysed frames.
        seconds: float64 [n], their stream time.
        damaged: bool [n], frames that could not be decoded as they were recorded.
        text: what the prompts found; None without the text channel.
    """

    number: int
    maps: MotionMaps
    seconds: NDArray[np.float64]
    damaged: NDArray[np.bool_]
    text: MeasuredText | None = None


def worker_threads() -> int:
    """Returns how many frames are measured at once: the processors this process may use."""
    return min(8, cores())


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
        source: the stream; belongs to a thread of its own meanwhile.
        plan: what is analysed.
        settings: how motion is measured.
        cancel: looked at several times a second.
        first_chunk: number of the first.
        text: measures what the prompts find, on a source of its own; None leaves that out.

    Raises:
        CancelledError: the user stopped.
        MediaError: the source cannot be read any more.
    """
    with MotionMeter(plan.grid, settings, plan.rate, worker_threads()) as meter:
        reader = ChunkReader(source, plan, meter.context)
        with closing(reader.read(first_chunk, cancel)) as chunks:
            for chunk in chunks:
                start, stop = plan.span(chunk.number)
                found = None
                if text is None:
                    maps = meter.measure(chunk.pictures, cancel)
                else:
                    begins = text.slices(chunk.number).tolist()
                    maps, detail = meter.measure_with_detail(chunk.pictures, begins, cancel)
                    found = text.measure(chunk.number, maps, detail, cancel)
                cancel.check()
                seconds = plan.seconds[start:stop]
                yield MeasuredChunk(chunk.number, maps, seconds, chunk.damaged, found)
