"""Reads the analysis pictures of a stream chunk by chunk, ahead of the one that is measured."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.core.progress import CancelToken
from engine.media import Source
from engine.motion.analysis_plan import AnalysisPlan
from engine.motion.background import sample_plan
from engine.motion.motion_meter import ChunkPictures

_POLL_S = 0.2  # after which a waiting thread looks whether it should stop
_LOOK_BACK = 64  # frames read at once in search of a sound one: about a group of pictures or two


@dataclass(frozen=True, eq=False)
class ReadChunk:
    """One chunk as it was read.

    Attributes:
        number: number of the chunk, from 0.
        pictures: its pictures with their context.
        damaged: bool [n], frames that could not be decoded as they were recorded; the sound
            picture before stands in for them, with its own time.
    """

    number: int
    pictures: ChunkPictures
    damaged: NDArray[np.bool_]


class _Picture(NamedTuple):
    image: NDArray[np.uint8]
    seconds: float


class ChunkReader:
    """Reads chunks in a thread of its own, one ahead.

    The source belongs to that thread from the start of `read` to its end.
    """

    def __init__(self, source: Source, plan: AnalysisPlan, context: int) -> None:
        """Prepares reading.

        Args:
            source: the evidence.
            plan: the frames that are analysed.
            context: analysed frames that a chunk needs after it, and one more before it.
        """
        self._source = source
        self._plan = plan
        self._context = context
        self._keyframe = source.index.keyframe[plan.frames]
        self._samples: dict[int, NDArray[np.uint8]] = {}

    def read(self, first_chunk: int, cancel: CancelToken) -> Generator[ReadChunk, None, None]:
        """Yields the chunks from `first_chunk` on; close the iterator to stop early.

        Raises:
            CancelledError: the user stopped.
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
                for chunk in self._chunks(first_chunk, stop, cancel):
                    put(chunk)
                put(None)
            except BaseException as error:  # handed to the reader's caller, which raises it
                put(error)

        thread = threading.Thread(target=work, name="chunk-reader", daemon=True)
        thread.start()
        try:
            while True:
                try:
                    item = ready.get(timeout=_POLL_S)
                except queue.Empty:
                    cancel.check()
                    continue
                if item is None:
                    return
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            stop.set()
            thread.join()

    def first_pictures(self, count: int) -> NDArray[np.uint8]:
        """Reads the first `count` analysis pictures, uint8 [count, H, W], in this thread."""
        pictures = self._pictures(0)
        return np.stack([next(pictures)[0].image for _ in range(count)])

    def _chunks(
        self, first_chunk: int, stop_early: threading.Event, cancel: CancelToken
    ) -> Iterator[ReadChunk]:
        plan, context = self._plan, self._context
        low = max(0, plan.span(first_chunk)[0] - context - 1)
        pictures: list[_Picture] = []
        damaged: list[bool] = []
        stream = self._pictures(low)
        for number in range(first_chunk, plan.chunks):
            start, stop = plan.span(number)
            begin, end = max(0, start - context - 1), min(len(plan), stop + context)
            while low + len(pictures) < end:
                if stop_early.is_set():
                    return
                cancel.check()
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
                    np.stack([picture.image for picture in pictures[: end - begin]]),
                    np.array([picture.seconds for picture in pictures[: end - begin]]),
                    start - begin,
                    end - stop,
                    self._background(around),
                    own - start,
                ),
                np.array(damaged[start - begin : stop - begin], np.bool_),
            )

    def _pictures(self, low: int) -> Iterator[tuple[_Picture, bool]]:
        """Yields the analysis pictures from index `low` on, and whether each is damaged.

        What stands in for a damaged one depends on its index alone, never on `low`.
        """
        last: _Picture | None = None
        for picture in self._read(low, len(self._plan)):
            last = picture or last or self._stand_in(low)
            yield last, picture is None

    def _stand_in(self, low: int) -> _Picture:
        """Finds the last sound picture before an index, or else the first one there is."""
        for stop in range(low, 0, -_LOOK_BACK):
            sound = [picture for picture in self._read(max(0, stop - _LOOK_BACK), stop) if picture]
            if sound:
                return sound[-1]
        grid = self._plan.grid
        black = _Picture(np.zeros((grid.height, grid.width), np.uint8), 0.0)
        return next((picture for picture in self._read(low, len(self._plan)) if picture), black)

    def _read(self, start: int, stop: int) -> Iterator[_Picture | None]:
        """Reads the pictures start..stop-1; None stands for a damaged one."""
        plan = self._plan
        step = int(plan.frames[1] - plan.frames[0]) if len(plan) > 1 else 1
        first, end = int(plan.frames[start]), int(plan.frames[stop - 1]) + 1
        frames = self._source.frames(first, end, step, size=plan.grid.size, pixels="gray")
        for index, frame in enumerate(frames, start):
            if frame.image is None or frame.damaged:
                yield None
            else:
                yield _Picture(frame.image, float(plan.seconds[index]))

    def _background(self, around: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Reads the samples around a chunk that can be decoded; some are there from the last."""
        samples: dict[int, NDArray[np.uint8]] = {}
        for index in around.tolist():
            image = self._samples.get(index)
            if image is None:
                frame = self._source.pick(int(self._plan.frames[index]), size=self._plan.grid.size)
                image = None if frame.damaged else frame.image
            if image is not None:
                samples[index] = image
        self._samples = samples
        grid = self._plan.grid
        empty = np.zeros((0, grid.height, grid.width), np.uint8)
        return np.stack(list(samples.values())) if samples else empty
