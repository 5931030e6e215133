"""Measures the motion of one chunk: pictures in, raw motion maps out."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.files import Closing
from engine.core.progress import CancelToken
from engine.core.settings import MotionSettings
from engine.motion.background import median_background
from engine.motion.fine_motion import DETAIL_CELL, frame_detail
from engine.motion.flow import Flow, changed_part
from engine.motion.foreground import (
    TexturedBackground,
    find_texture,
    foreground_mask,
    prepare_background,
)
from engine.motion.grid import Grid
from engine.motion.motion_maps import SPEED_UNIT, MotionMaps

_BLOCK = 16  # frames measured between two looks at whether to stop
# When the camera moves, most blocks of a picture change, and in one direction. Choices.
_CAMERA_ACTIVITY = 0.35  # share of changed blocks from which that is looked into
_CAMERA_PIXELS = 0.25  # median flow, in pixels a frame, from which the camera moves
# Under a moving camera a pixel moves by itself where its flow is larger than both. Choices.
_CAMERA_MEDIANS = 2  # times the median flow of the picture
_CAMERA_SHARE = 0.25  # of the camera's flow
# Share of a picture that differs from the background, from which the light changed: no target is so
# large. A choice.
_LIGHTING_CHANGE_SHARE = 0.6
_MIN_PIXELS = 3  # of foreground in a cell: less is noise; a choice
_MIN_STEP_SHARE = 0.25  # of the usual time between frames, so that two of one time give no speed
_MAX_STEPS = 32_767  # that a stored velocity (int16) can hold
_THUMB_DIVISOR = 4  # the background is stored at a quarter of width and height

_CellMaps = tuple[NDArray[np.uint8], NDArray[np.int16], NDArray[np.int16]]
_NO_FRAMES: frozenset[int] = frozenset()


@dataclass(frozen=True, eq=False)
class ChunkPictures:
    """The analysis pictures of a chunk with the context that makes it independent of others.

    Attributes:
        pictures: uint8 [n + lead + tail, H, W], grey; lead frames before, tail frames after.
        seconds: float64 [n + lead + tail], stream time at which each picture was recorded; one
            that stands in for a damaged frame keeps its own.
        lead: frames of context before the chunk.
        tail: frames of context after it.
        around: uint8 [m, H, W], background samples from outside the chunk; m may be 0.
        own: int64 [k], indices in the chunk of its own background samples.
    """

    pictures: NDArray[np.uint8]
    seconds: NDArray[np.float64]
    lead: int
    tail: int
    around: NDArray[np.uint8]
    own: NDArray[np.int64]

    @classmethod
    def alone(cls, pictures: NDArray[np.uint8], seconds: NDArray[np.float64]) -> ChunkPictures:
        """Makes a chunk without context or other background: uint8 [n, H, W], float64 [n]."""
        none = np.zeros((0, *pictures.shape[1:]), np.uint8)
        return cls(pictures, seconds, 0, 0, none, np.arange(len(pictures)))


@dataclass(frozen=True, eq=False)
class _FlowField:
    """Flow float32 [H, W, 2] without that of the camera float32 [2], px/s; whether there is any."""

    velocity: NDArray[np.float32]
    camera: NDArray[np.float32]
    active: bool


@dataclass(frozen=True, eq=False)
class _FrameMotion:
    """What was measured in one frame; see `MotionMaps` and `frame_detail`."""

    maps: _CellMaps
    camera: NDArray[np.float32]
    lighting_change: bool
    detail: NDArray[np.float32] | None


class MotionMeter(Closing):
    """Measures chunks; frames of a chunk are worked on side by side.

    The result does not depend on the number of threads: each frame is computed by itself.
    """

    def __init__(self, grid: Grid, settings: MotionSettings, rate: float, threads: int) -> None:
        """Prepares the pool.

        Args:
            grid: size of the analysis picture and its cells.
            settings: how motion is measured.
            rate: analysed frames a second.
            threads: frames worked on at once.
        """
        self._grid = grid
        self._settings = settings
        self._half = max(1, round(settings.mean_seconds * rate / 2))
        self._min_dt = _MIN_STEP_SHARE / rate
        self._pool: Executor = ThreadPoolExecutor(threads, thread_name_prefix="motion")
        cv2.setNumThreads(1)

    @property
    def context(self) -> int:
        """Frames of context that a chunk needs before (one more) and after."""
        return self._half

    def close(self) -> None:
        """Ends the threads."""
        self._pool.shutdown(cancel_futures=True)

    def measure(self, chunk: ChunkPictures, cancel: CancelToken | None = None) -> MotionMaps:
        """Measures one chunk; maps come for its own frames, not for the context.

        Args:
            chunk: the pictures.
            cancel: looked at several times a second.

        Raises:
            CancelledError: the user stopped.
        """
        return self._measure(chunk, _NO_FRAMES, cancel)[0]

    def measure_with_detail(
        self,
        chunk: ChunkPictures,
        frames: Sequence[int],
        cancel: CancelToken | None = None,
    ) -> tuple[MotionMaps, NDArray[np.float32]]:
        """Measures one chunk, and some of its frames in detail; the maps are those of `measure`.

        Args:
            chunk: the pictures.
            frames: indices of frames in the chunk, ascending.
            cancel: looked at several times a second.

        Returns:
            The maps, and float32 [len(frames), 6, H/4, W/4] as `frame_detail` describes them.

        Raises:
            CancelledError: the user stopped.
        """
        maps, details = self._measure(chunk, frozenset(frames), cancel)
        shape = (0, 6, self._grid.height // DETAIL_CELL, self._grid.width // DETAIL_CELL)
        return maps, np.stack(details) if details else np.zeros(shape, np.float32)

    def _measure(
        self, chunk: ChunkPictures, detailed: frozenset[int], cancel: CancelToken | None
    ) -> tuple[MotionMaps, list[NDArray[np.float32]]]:
        own = chunk.pictures[chunk.lead : len(chunk.pictures) - chunk.tail]
        own_samples = own[chunk.own]
        background = prepare_background(
            median_background(np.concatenate([own_samples, chunk.around]))
        )
        frames: list[_FrameMotion] = []
        fields: dict[int, _FlowField] = {}
        for start in range(0, len(own), _BLOCK):
            if cancel is not None:
                cancel.check()
            stop = min(len(own), start + _BLOCK)
            self._fill_fields(chunk, background, fields, start, stop)
            frames += self._pool.map(
                lambda i: self._measure_frame(chunk, background, fields, i, i in detailed),
                range(start, stop),
            )
        count, vx, vy = (np.stack(maps) for maps in zip(*(f.maps for f in frames), strict=True))
        camera = np.stack([frame.camera for frame in frames])
        lighting_change = np.array([frame.lighting_change for frame in frames], np.bool_)
        thumb = cv2.resize(
            median_background(own_samples),
            (self._grid.width // _THUMB_DIVISOR, self._grid.height // _THUMB_DIVISOR),
            interpolation=cv2.INTER_AREA,
        )
        maps = MotionMaps(count, vx, vy, camera, lighting_change, np.asarray(thumb, np.uint8))
        return maps, [frame.detail for frame in frames if frame.detail is not None]

    def _span(self, chunk: ChunkPictures, i: int) -> range:
        """Returns which flows are averaged for a frame: flow `key` ends in picture `key`."""
        centre = i + chunk.lead
        return range(max(1, centre - self._half), min(len(chunk.pictures), centre + self._half + 1))

    def _fill_fields(
        self,
        chunk: ChunkPictures,
        background: TexturedBackground,
        fields: dict[int, _FlowField],
        start: int,
        stop: int,
    ) -> None:
        """Computes the flows that a block of frames needs, and drops those before it."""
        keys = range(self._span(chunk, start).start, max(1, self._span(chunk, stop - 1).stop))
        for old in [key for key in fields if key < keys.start]:
            del fields[old]
        missing = [key for key in keys if key not in fields]
        flows = self._pool.map(lambda key: self._flow(chunk, background, key), missing)
        fields.update(zip(missing, flows, strict=True))

    def _flow(self, chunk: ChunkPictures, background: TexturedBackground, key: int) -> _FlowField:
        previous, current = chunk.pictures[key - 1], chunk.pictures[key]
        part, share = changed_part(previous, current, self._settings.activity_threshold)
        flow = Flow(self._settings.flow_preset, self._settings.flow_finest_scale)
        field = flow.between(previous, current, part)
        camera = np.zeros(2, np.float32)
        if share > _CAMERA_ACTIVITY:
            # Under a moving camera the background is a smear; a large target has its own texture.
            trusted = background.textured | find_texture(current)
            moved = np.median(field[trusted], axis=0) if trusted.any() else camera
            if float(np.hypot(*moved)) > _CAMERA_PIXELS:
                camera = moved.astype(np.float32)
                field -= camera
        dt = max(self._min_dt, float(chunk.seconds[key] - chunk.seconds[key - 1]))
        field /= np.float32(dt)
        return _FlowField(field, camera / np.float32(dt), part is not None)

    def _measure_frame(
        self,
        chunk: ChunkPictures,
        background: TexturedBackground,
        fields: dict[int, _FlowField],
        i: int,
        detailed: bool,
    ) -> _FrameMotion:
        span = self._span(chunk, i)
        window: Sequence[_FlowField] = [fields[key] for key in span]
        picture = chunk.pictures[i + chunk.lead]
        mean, camera = self._mean_velocity(window)
        if camera.any():
            magnitude = np.asarray(cv2.magnitude(mean[..., 0], mean[..., 1]), np.float32)
            usual = _CAMERA_MEDIANS * float(np.median(magnitude))
            moving = magnitude > max(usual, _CAMERA_SHARE * float(np.hypot(*camera)))
            mask = (moving & find_texture(picture)).astype(np.uint8)
            changed = float(mask.mean())
        else:
            mask, changed = foreground_mask(
                picture,
                background,
                self._settings.foreground_threshold,
                self._settings.foreground_noise,
            )
        lighting_change = changed > _LIGHTING_CHANGE_SHARE
        if lighting_change:
            mask[:] = 0
        detail: NDArray[np.float32] | None = None
        if detailed:
            velocities = [field.velocity for field in window if field.active]
            earlier = chunk.pictures[max(0, span.start - 1)]
            detail = frame_detail(velocities, max(1, len(window)), earlier, picture, mask)
        return _FrameMotion(self._cell_maps(mask, mean), camera, lighting_change, detail)

    def _mean_velocity(
        self, window: Sequence[_FlowField]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        active = [field for field in window if field.active]
        shape = (self._grid.height, self._grid.width, 2)
        if not active:
            return np.zeros(shape, np.float32), np.zeros(2, np.float32)
        total = active[0].velocity.copy()
        for field in active[1:]:
            total += field.velocity
        camera = np.sum([field.camera for field in window], axis=0, dtype=np.float32)
        factor = np.float32(1 / len(window))
        total *= factor
        return total, np.asarray(camera * factor, np.float32)

    def _cell_maps(self, mask: NDArray[np.uint8], mean: NDArray[np.float32]) -> _CellMaps:
        size = (self._grid.columns, self._grid.rows)
        weight = mask.astype(np.float32)
        share = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
        count = np.rint(share * self._grid.cell**2).astype(np.uint8)
        count[count < _MIN_PIXELS] = 0
        present = count > 0
        divisor = np.where(present, share, 1) * np.float32(SPEED_UNIT)

        def average(values: NDArray[np.float32]) -> NDArray[np.int16]:
            cells = cv2.resize(values * weight, size, interpolation=cv2.INTER_AREA)
            steps = np.clip(np.rint(cells / divisor), -_MAX_STEPS, _MAX_STEPS)
            return np.asarray(np.where(present, steps, 0), np.int16)

        return count, average(mean[..., 0]), average(mean[..., 1])
