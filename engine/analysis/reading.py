"""Reads the analysis pictures of a stream chunk by chunk, ahead of the one that is measured."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.analysis.plan import AnalysisPlan
from engine.media import Source
from engine.motion.background import sample_plan
from engine.motion.measure import ChunkPictures

_POLL_S = 0.2


@dataclass(frozen=True, eq=False)
class ReadChunk:
    """One chunk as it was read.

    Attributes:
        number: of the chunk, from 0.
        pictures: with their context.
        damaged: bool [n], frames that could not be decoded as they were recorded; the picture
            before stands in for them.
    """

    number: int
    pictures: ChunkPictures
    damaged: NDArray[np.bool_]


class ChunkReader:
    """Reads chunks in a thread of its own, one ahead.

    The source belongs to that thread from the start of `read` to its end.
    """

    def __init__(self, source: Source, plan: AnalysisPlan, context: int) -> None:
        """Prepares reading.

        Args:
            source: the evidence.
            plan: what is analysed.
            context: analysed frames that a chunk needs after it, and one more before it.
        """
        self._source = source
        self._plan = plan
        self._context = context
        self._keyframe = source.index.keyframe[plan.frames]
        self._samples: dict[int, NDArray[np.uint8]] = {}

    def read(self, first_chunk: int) -> Generator[ReadChunk, None, None]:
        """Yields the chunks from `first_chunk` on; close the iterator to stop early.

        Raises:
            MediaError: the source cannot be read any more.
        """
        ready: queue.Queue[ReadChunk | BaseException | None] = queue.Queue(maxsize=1)
        stop = threading.Event()

        def put(item: ReadChunk | BaseException | None) -> None:
            while not stop.is_set():
                try:
                    ready.put(item, timeout=_POLL_S)
                    return
                except queue.Full:
                    continue

        def work() -> None:
            try:
                for chunk in self._chunks(first_chunk):
                    put(chunk)
                    if stop.is_set():
                        return
                put(None)
            except BaseException as error:  # handed to the reader's caller, which raises it
                put(error)

        thread = threading.Thread(target=work, name="chunk-reader", daemon=True)
        thread.start()
        try:
            while (item := ready.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            stop.set()
            thread.join()

    def first_pictures(self, count: int) -> NDArray[np.uint8]:
        """Reads the first `count` analysis pictures, uint8 [count, H, W], in this thread."""
        pictures = self._pictures(0)
        return np.stack([next(pictures)[0] for _ in range(count)])

    def _chunks(self, first_chunk: int) -> Iterator[ReadChunk]:
        plan, context = self._plan, self._context
        low = max(0, plan.span(first_chunk)[0] - context - 1)
        pictures: list[NDArray[np.uint8]] = []
        damaged: list[bool] = []
        stream = self._pictures(low)
        for number in range(first_chunk, plan.chunks):
            start, stop = plan.span(number)
            begin, end = max(0, start - context - 1), min(len(plan), stop + context)
            while low + len(pictures) < end:
                picture, bad = next(stream)
                pictures.append(picture)
                damaged.append(bad)
            skip = begin - low
            del pictures[:skip], damaged[:skip]
            low = begin
            own, around = sample_plan(plan.seconds, self._keyframe, start, stop - 1)
            yield ReadChunk(
                number,
                ChunkPictures(
                    np.stack(pictures[: end - begin]),
                    plan.seconds[begin:end],
                    start - begin,
                    end - stop,
                    self._background(around),
                    own - start,
                ),
                np.array(damaged[start - begin : stop - begin], np.bool_),
            )

    def _pictures(self, low: int) -> Iterator[tuple[NDArray[np.uint8], bool]]:
        plan = self._plan
        step = int(plan.frames[1] - plan.frames[0]) if len(plan) > 1 else 1
        last: NDArray[np.uint8] | None = None
        for frame in self._source.frames(
            int(plan.frames[low]), None, step, size=plan.grid.size, pixels="gray"
        ):
            bad = frame.damaged or frame.image is None
            if not bad or last is None:
                last = self._stand_in(low) if frame.image is None else frame.image
            yield last, bad

    def _stand_in(self, low: int) -> NDArray[np.uint8]:
        """Finds a picture for a start that cannot be decoded: the nearest sound one."""
        plan = self._plan
        for around in (range(low - 1, -1, -1), range(low + 1, len(plan))):
            for i in around:
                picture = self._one(int(plan.frames[i]))
                if picture is not None:
                    return picture
        return np.zeros((plan.grid.height, plan.grid.width), np.uint8)

    def _one(self, frame: int) -> NDArray[np.uint8] | None:
        size = self._plan.grid.size
        for one in self._source.frames(frame, frame + 1, size=size, pixels="gray"):
            return None if one.damaged else one.image
        return None

    def _background(self, around: NDArray[np.int64]) -> NDArray[np.uint8]:
        wanted = [int(i) for i in around]
        for gone in [i for i in self._samples if i not in wanted]:
            del self._samples[gone]
        for i in wanted:
            if i not in self._samples:
                picture = self._one(int(self._plan.frames[i]))
                if picture is not None:
                    self._samples[i] = picture
        kept = [self._samples[i] for i in wanted if i in self._samples]
        grid = self._plan.grid
        return np.stack(kept) if kept else np.zeros((0, grid.height, grid.width), np.uint8)
