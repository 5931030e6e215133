"""Measures the raw maps of the text channel: windows of frames through a pack, chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import ResourceError
from engine.core.progress import CancelToken
from engine.core.stream import Frame
from engine.detectors.text.feature_store import ChunkFeatures, FeatureStore
from engine.detectors.text.text_calibration import TextCalibration
from engine.detectors.text.text_maps import TextMaps
from engine.detectors.text.text_model import OutOfMemoryError, TextModel, TextWindow
from engine.media import Source
from engine.motion.analysis_plan import AnalysisPlan
from engine.motion.motion_maps import MotionMaps
from engine.motion.people_height import RunningSpeed, people_height


@dataclass(frozen=True, eq=False)
class MeasuredText:
    """The text channel's raw maps of one chunk.

    Attributes:
        maps: of its slices.
        window: frames of a window when they were made.
        size: width and height of the frames that they were made on.
    """

    maps: TextMaps
    window: int
    size: tuple[int, int]


def read_maps(
    model: TextModel,
    seconds: NDArray[np.float64],
    slices: Sequence[NDArray[np.uint8]],
    grid: tuple[int, int],
    camera: TextCalibration | None = None,
) -> TextMaps:
    """Reads raw maps from projected features, as a chunk stores them.

    Args:
        model: a pack's models with the prompts.
        seconds: float64 [s], stream time of each slice.
        slices: s projected slices of the model; may be none.
        grid: rows and columns.
        camera: learned from normal footage with these prompts; None for one limit of all prompts.
    """
    if not len(slices):
        empty = (0, *grid)
        return TextMaps(seconds, np.zeros(empty, np.float16), np.zeros(empty, np.uint8))
    prompts = model.read(slices, grid, () if camera is None else camera.above)
    plain = None if prompts.plain is None else prompts.plain.astype(np.float16)
    return TextMaps(seconds, prompts.logits.astype(np.float16), prompts.prompt, plain)


@dataclass(frozen=True, eq=False)
class _Slice:
    frames: NDArray[np.uint8]
    seconds: NDArray[np.float64]


class TextMeter:
    """Measures the chunks of one stream, in order and from any chunk on.

    A chunk depends on the footage up to its end, on pack and settings alone: the usual speed is
    that of the footage so far, the size of frames follows from the people in the first chunk; or
    both come from normal footage.

    Args:
        source: the footage; belongs to the meter while it measures.
        plan: what is analysed.
        model: a pack's models with the prompts.
        store: for the projected features; None stores none.
        camera: learned from normal footage, with speeds and people; None learns both.
    """

    def __init__(
        self,
        source: Source,
        plan: AnalysisPlan,
        model: TextModel,
        store: FeatureStore | None,
        camera: TextCalibration | None = None,
    ) -> None:
        self._source = source
        self._plan = plan
        self._model = model
        self._store = store
        self._camera = camera
        grid = plan.grid
        self._cells = grid.rows, grid.columns
        self._speed = RunningSpeed(grid.rows, grid.cell)
        self._size: tuple[int, int] | None = None
        self._slices = max(1, model.window_frames // model.patch)
        self._frames: Iterator[Frame] | None = None
        self._next_frame = 0

    def learn(self, maps: MotionMaps) -> None:
        """Learns usual speed and size of people from a chunk that was measured before."""
        if self._size is None:
            self._size = self._choose_size(maps)
        self._speed.add(maps)

    def limit_window(self, frames: int) -> None:
        """Limits windows to the frames that an earlier part of the run had memory for."""
        self._slices = min(self._slices, max(1, frames // self._model.patch))

    def slices(self, chunk: int) -> NDArray[np.int64]:
        """Returns at which analysed frames its slices begin, as int64 indices in the chunk."""
        return self._starts(chunk) - self._plan.span(chunk)[0]

    def measure(
        self,
        chunk: int,
        maps: MotionMaps,
        detail: NDArray[np.float32],
        cancel: CancelToken,
    ) -> MeasuredText:
        """Measures a chunk and stores its features.

        Args:
            chunk: its number; chunks come in order.
            maps: its motion.
            detail: float32 [s, 6, H/4, W/4], its motion in detail at `slices`.
            cancel: looked at between windows.

        Raises:
            CancelledError: the user stopped.
            MediaError: the source cannot be read any more.
            ResourceError: the device has no memory even for the shortest window.
        """
        self.learn(maps)
        starts, usual = self._starts(chunk), self._usual_speed()
        unread = self._read_slices(starts)
        projected: list[NDArray[np.uint8]] = []
        waiting: list[_Slice] = []
        while len(projected) < len(starts):
            cancel.check()
            done = len(projected)
            count = self._next_slices(len(starts) - done)
            while len(waiting) < count:
                waiting.append(next(unread))
            window = TextWindow(
                np.concatenate([piece.frames for piece in waiting[:count]]),
                np.concatenate([piece.seconds for piece in waiting[:count]]),
                detail[done : done + count],
                usual,
                self._plan.grid.width,
            )
            try:
                projected += self._model.project(window, self._cells)
            except OutOfMemoryError as error:
                self._shorten_window(error)
                continue
            del waiting[:count]
        slices = np.stack(projected) if projected else np.zeros((0, 0), np.uint8)
        window_frames = self._slices * self._model.patch
        features = ChunkFeatures(self._plan.seconds[starts], slices, window_frames, self.size)
        if self._store is not None:
            self._store.save(chunk, features)
        return self.read(features)

    def read(self, features: ChunkFeatures) -> MeasuredText:
        """Reads the raw maps of a chunk from its features."""
        slices = list(features.slices)
        maps = read_maps(self._model, features.seconds, slices, self._cells, self._camera)
        return MeasuredText(maps, features.window, features.size)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the frames that the backbone is given."""
        return self._size or self._source_size

    @property
    def _source_size(self) -> tuple[int, int]:
        return self._plan.grid.source_width, self._plan.grid.source_height

    def _usual_speed(self) -> NDArray[np.float32]:
        if self._camera is not None and self._camera.usual:
            return np.array(self._camera.usual, np.float32)
        return self._speed.line()

    def _choose_size(self, maps: MotionMaps) -> tuple[int, int]:
        grid = self._plan.grid
        people = None if self._camera is None else self._camera.people
        if people is None:
            people = people_height(maps, grid.cell)
        source_people = None if people is None else people * grid.source_height / grid.height
        return self._model.frame_size(*self._source_size, source_people)

    @property
    def _step(self) -> int:
        """Analysed frames from the start of one slice to that of the next."""
        slices_a_second = self._model.frame_rate / self._model.patch
        return max(1, round(self._plan.rate / slices_a_second))

    def _starts(self, chunk: int) -> NDArray[np.int64]:
        """Returns the analysed frames at which the slices of a chunk begin, as int64 indices."""
        start, stop = self._plan.span(chunk)
        return np.arange(-(-start // self._step) * self._step, stop, self._step, dtype=np.int64)

    def _offsets(self) -> NDArray[np.int64]:
        """Returns how far the frames of a slice lie after its start, in analysed frames."""
        offsets = np.arange(self._model.distinct_frames) * max(1, self._step // self._model.patch)
        return np.resize(offsets, self._model.patch).astype(np.int64)

    def _next_slices(self, remaining: int) -> int:
        """Returns how many slices the next window has; windows of a chunk are about equal."""
        windows = -(-remaining // self._slices)
        return -(-remaining // windows)

    def _shorten_window(self, error: OutOfMemoryError) -> None:
        if self._slices <= 1:
            raise ResourceError(
                "no memory for the text channel, even with the shortest window",
                str(error),
                "close other programs, choose another device, or analyse without --channels text",
            ) from error
        self._slices //= 2

    def _read_slices(self, starts: NDArray[np.int64]) -> Iterator[_Slice]:
        """Yields the frames of each slice; a damaged one is replaced by the sound one before it.

        What replaces it depends on the chunk alone: its first frames, when damaged, are black.
        """
        width, height = self.size
        last: NDArray[np.uint8] = np.zeros((height, width, 3), np.uint8)
        offsets, end = self._offsets(), len(self._plan) - 1
        for start in starts.tolist():
            indices = np.minimum(start + offsets, end)
            images: dict[int, NDArray[np.uint8]] = {}
            for index in np.unique(indices).tolist():
                frame = self._read(index)
                if frame.image is not None and not frame.damaged:
                    last = frame.image
                images[index] = last
            frames = np.stack([images[index] for index in indices.tolist()])
            yield _Slice(frames, self._plan.seconds[indices])

    def _read(self, index: int) -> Frame:
        """Reads an analysed frame; frames are read in ascending order, mostly."""
        frames = self._plan.frames
        number = int(frames[index])
        stride = int(frames[1] - frames[0]) if len(frames) > 1 else 1
        apart = stride * int(np.gcd.reduce([self._step, *self._offsets().tolist()]))
        ahead = number - self._next_frame
        if self._frames is None or ahead < 0 or ahead % apart:
            self._frames = self._source.frames(number, None, apart, size=self.size, pixels="rgb")
            self._next_frame = number
        while True:
            frame = next(self._frames)
            self._next_frame += apart
            if frame.index == number:
                return frame
