"""Measures what the prompts find: windows of frames through a pack, chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import ResourceError
from engine.core.progress import CancelToken
from engine.core.stream import Frame
from engine.detectors.text.feature_store import FeatureStore, KeptFeatures, stacked
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
        size: width and height of the pictures they were made on.
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
    """Reads what the prompts find in projected features, as a chunk stores it.

    Args:
        model: a pack's models with the prompts.
        seconds: float64 [s], stream time of each slice.
        slices: s of them, as the model projected them; may be none.
        grid: rows and columns.
        camera: what normal footage said of these prompts; None holds all against one limit.
    """
    if not len(slices):
        none = (0, *grid)
        return TextMaps(seconds, np.zeros(none, np.float16), np.zeros(none, np.uint8))
    read = model.read(slices, grid, () if camera is None else camera.above)
    plain = None if read.plain is None else read.plain.astype(np.float16)
    return TextMaps(seconds, read.logits.astype(np.float16), read.prompt, plain)


@dataclass(frozen=True, eq=False)
class _Slice:
    frames: NDArray[np.uint8]
    seconds: NDArray[np.float64]


class TextMeter:
    """Measures the chunks of one stream, in order and from any chunk on.

    A chunk depends on the footage up to its end, on pack and settings alone: the usual speed is
    what was seen so far, the size of the pictures follows from the people in the first chunk; or
    both come from normal footage.

    Args:
        source: the footage; belongs to the meter while it measures.
        plan: what is analysed.
        model: a pack's models with the prompts.
        store: where projected features are kept; None keeps none.
        camera: a calibration from normal footage, which knows speeds and people; None learns both.
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
        self._next = 0

    def learn(self, maps: MotionMaps) -> None:
        """Takes in a chunk that was measured before."""
        if self._size is None:
            self._size = self._chosen_size(maps)
        self._speed.add(maps)

    def go_on_with(self, window: int) -> None:
        """Takes windows as short as an earlier part of the run had to take them."""
        self._slices = min(self._slices, max(1, window // self._model.patch))

    def slices(self, chunk: int) -> NDArray[np.int64]:
        """Returns at which analysed frames of a chunk its slices begin, positions in the chunk."""
        return self._begins(chunk) - self._plan.span(chunk)[0]

    def measure(
        self,
        chunk: int,
        maps: MotionMaps,
        detail: NDArray[np.float32],
        cancel: CancelToken | None = None,
    ) -> MeasuredText:
        """Measures a chunk and keeps its features.

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
        begins, usual = self._begins(chunk), self._usual()
        pictures = self._pictures(begins)
        projected: list[NDArray[np.uint8]] = []
        waiting: list[_Slice] = []
        while len(projected) < len(begins):
            if cancel is not None:
                cancel.check()
            at = len(projected)
            count = self._next_slices(len(begins) - at)
            while len(waiting) < count:
                waiting.append(next(pictures))
            window = TextWindow(
                np.concatenate([one.frames for one in waiting[:count]]),
                np.concatenate([one.seconds for one in waiting[:count]]),
                detail[at : at + count],
                usual,
                self._plan.grid.width,
            )
            try:
                projected += self._model.project(window, self._cells)
            except OutOfMemoryError as error:
                self._shorten(error)
                continue
            del waiting[:count]
        seconds = self._plan.seconds[begins]
        window_frames = self._slices * self._model.patch
        kept = KeptFeatures(seconds, stacked(projected), window_frames, self.size)
        if self._store is not None:
            self._store.keep(chunk, kept)
        return self.read(kept)

    def read(self, kept: KeptFeatures) -> MeasuredText:
        """Reads what the prompts find in the kept features of a chunk."""
        maps = read_maps(self._model, kept.seconds, list(kept.slices), self._cells, self._camera)
        return MeasuredText(maps, kept.window, kept.size)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the pictures that the backbone sees."""
        return self._size or self._source_size

    @property
    def _source_size(self) -> tuple[int, int]:
        return self._plan.grid.source_width, self._plan.grid.source_height

    def _usual(self) -> NDArray[np.float32]:
        if self._camera is not None and self._camera.usual:
            return np.array(self._camera.usual, np.float32)
        return self._speed.line()

    def _chosen_size(self, maps: MotionMaps) -> tuple[int, int]:
        grid = self._plan.grid
        people = None if self._camera is None else self._camera.people
        if people is None:
            people = people_height(maps, grid.cell)
        decoded = None if people is None else people * grid.source_height / grid.height
        return self._model.picture_size(*self._source_size, decoded)

    @property
    def _step(self) -> int:
        """Analysed frames from the begin of one slice to that of the next."""
        slices_a_second = self._model.frame_rate / self._model.patch
        return max(1, round(self._plan.rate / slices_a_second))

    def _begins(self, chunk: int) -> NDArray[np.int64]:
        """Returns the analysed frames at which the slices of a chunk begin."""
        start, stop = self._plan.span(chunk)
        return np.arange(-(-start // self._step) * self._step, stop, self._step, dtype=np.int64)

    def _offsets(self) -> NDArray[np.int64]:
        """Returns where the frames of a slice lie after its begin, in analysed frames."""
        looked_at = self._model.pictures
        offsets = np.arange(looked_at) * max(1, self._step // self._model.patch)
        return np.resize(offsets, self._model.patch).astype(np.int64)

    def _next_slices(self, left: int) -> int:
        """Returns the slices of the next window: all windows of a chunk are about equal."""
        windows = -(-left // self._slices)
        return -(-left // windows)

    def _shorten(self, error: OutOfMemoryError) -> None:
        if self._slices <= 1:
            raise ResourceError(
                "no memory for the text channel, even with the shortest window",
                str(error),
                "close other programs, choose another device, or analyse without --channels text",
            ) from error
        self._slices //= 2

    def _pictures(self, begins: NDArray[np.int64]) -> Iterator[_Slice]:
        """Yields the frames of each slice; the sound one before stands in for a damaged one.

        What stands in depends on the chunk alone: its first frames, when damaged, are black.
        """
        width, height = self.size
        last: NDArray[np.uint8] = np.zeros((height, width, 3), np.uint8)
        offsets, end = self._offsets(), len(self._plan) - 1
        for begin in begins.tolist():
            positions = np.minimum(begin + offsets, end)
            frames: dict[int, NDArray[np.uint8]] = {}
            for position in np.unique(positions).tolist():
                frame = self._read(position)
                if frame.image is not None and not frame.damaged:
                    last = frame.image
                frames[position] = last
            pictures = np.stack([frames[position] for position in positions.tolist()])
            yield _Slice(pictures, self._plan.seconds[positions])

    def _read(self, position: int) -> Frame:
        """Reads an analysed frame; frames are asked for in ascending order, mostly."""
        frames = self._plan.frames
        wanted = int(frames[position])
        stride = int(frames[1] - frames[0]) if len(frames) > 1 else 1
        apart = stride * int(np.gcd.reduce([self._step, *self._offsets().tolist()]))
        if self._frames is None or wanted < self._next or (wanted - self._next) % apart:
            self._frames = self._source.frames(wanted, None, apart, size=self.size, pixels="rgb")
            self._next = wanted
        while True:
            frame = next(self._frames)
            self._next += apart
            if frame.index == wanted:
                return frame
