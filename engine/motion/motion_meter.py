"""Measures the motion of one chunk: pictures in, raw motion maps out."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.progress import CancelToken
from engine.core.settings import MotionSettings
from engine.motion.background import median_background
from engine.motion.fine_motion import DETAIL_CELL, frame_detail
from engine.motion.flow import Flow, changed_part
from engine.motion.foreground import (
    Background,
    find_texture,
    foreground_mask,
    prepare_background,
)
from engine.motion.grid import Grid
from engine.motion.motion_maps import SPEED_UNIT, MotionMaps

_BLOCK = 16
_CAMERA_ACTIVITY = 0.35
_CAMERA_PIXELS = 0.25
_UNSTEADY_SHARE = 0.6

_LEAST_PIXELS = 3

_Maps = tuple[NDArray[np.uint8], NDArray[np.int16], NDArray[np.int16]]
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
        own: int64 [k], positions in the chunk of its own background samples.
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
    velocity: NDArray[np.float32]
    camera: NDArray[np.float32]
    active: bool


@dataclass(frozen=True, eq=False)
class _Measured:
    maps: _Maps
    camera: NDArray[np.float32]
    unsteady: bool
    detail: NDArray[np.float32] | None


class MotionMeter:
    """Measures chunks; frames of a chunk are worked on side by side.

    The result does not depend on the number of threads: each frame is computed by itself.
    """

    def __init__(self, grid: Grid, settings: MotionSettings, rate: float, threads: int) -> None:
        """Prepares the pool.

        Args:
            grid: analysis picture and cells.
            settings: how motion is measured.
            rate: analysed frames a second.
            threads: frames worked on at once.
        """
        self._grid = grid
        self._settings = settings
        self._half = max(1, round(settings.mean_seconds * rate / 2))
        self._least_dt = 0.25 / rate
        self._pool: Executor = ThreadPoolExecutor(threads, thread_name_prefix="motion")
        cv2.setNumThreads(1)

    @property
    def context(self) -> int:
        """Frames of context that a chunk needs before (one more) and after."""
        return self._half

    def close(self) -> None:
        """Ends the threads."""
        self._pool.shutdown(cancel_futures=True)

    def __enter__(self) -> MotionMeter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def measure(self, chunk: ChunkPictures, cancel: CancelToken | None = None) -> MotionMaps:
        """Measures one chunk; maps come for its own frames, not for the context.

        Args:
            chunk: the pictures.
            cancel: looked at several times a second.

        Raises:
            CancelledError: the user stopped.
        """
        return self._measured(chunk, _NO_FRAMES, cancel)[0]

    def measure_with_detail(
        self,
        chunk: ChunkPictures,
        frames: Sequence[int],
        cancel: CancelToken | None = None,
    ) -> tuple[MotionMaps, NDArray[np.float32]]:
        """Measures one chunk, and some of its frames in detail; the maps are `measure`'s.

        Args:
            chunk: the pictures.
            frames: positions in the chunk, ascending.
            cancel: looked at several times a second.

        Returns:
            The maps, and float32 [len(frames), 6, H/4, W/4] as `frame_detail` describes them.

        Raises:
            CancelledError: the user stopped.
        """
        maps, details = self._measured(chunk, frozenset(frames), cancel)
        shape = (0, 6, self._grid.height // DETAIL_CELL, self._grid.width // DETAIL_CELL)
        return maps, np.stack(details) if details else np.zeros(shape, np.float32)

    def _measured(
        self, chunk: ChunkPictures, wanted: frozenset[int], cancel: CancelToken | None
    ) -> tuple[MotionMaps, list[NDArray[np.float32]]]:
        own = chunk.pictures[chunk.lead : len(chunk.pictures) - chunk.tail]
        own_samples = own[chunk.own]
        background = prepare_background(
            median_background(np.concatenate([own_samples, chunk.around]))
        )
        measured: list[_Measured] = []
        fields: dict[int, _FlowField] = {}
        for start in range(0, len(own), _BLOCK):
            if cancel is not None:
                cancel.check()
            stop = min(len(own), start + _BLOCK)
            self._fill_fields(chunk, background, fields, start, stop)
            measured += self._pool.map(
                lambda i: self._frame(chunk, background, fields, i, i in wanted),
                range(start, stop),
            )
        count, vx, vy = (np.stack(kind) for kind in zip(*(m.maps for m in measured), strict=True))
        camera = np.stack([one.camera for one in measured])
        unsteady = np.array([one.unsteady for one in measured], np.bool_)
        thumb = cv2.resize(
            median_background(own_samples),
            (self._grid.width // 4, self._grid.height // 4),
            interpolation=cv2.INTER_AREA,
        )
        maps = MotionMaps(count, vx, vy, camera, unsteady, np.asarray(thumb, np.uint8))
        return maps, [one.detail for one in measured if one.detail is not None]

    def _span(self, chunk: ChunkPictures, i: int) -> range:
        centre = i + chunk.lead
        return range(max(1, centre - self._half), min(len(chunk.pictures), centre + self._half + 1))

    def _fill_fields(
        self,
        chunk: ChunkPictures,
        background: Background,
        fields: dict[int, _FlowField],
        start: int,
        stop: int,
    ) -> None:
        wanted = range(self._span(chunk, start).start, max(1, self._span(chunk, stop - 1).stop))
        for old in [key for key in fields if key < wanted.start]:
            del fields[old]
        missing = [key for key in wanted if key not in fields]
        made = self._pool.map(lambda key: self._flow(chunk, background, key), missing)
        fields.update(zip(missing, made, strict=True))

    def _flow(self, chunk: ChunkPictures, background: Background, key: int) -> _FlowField:
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
        dt = max(self._least_dt, float(chunk.seconds[key] - chunk.seconds[key - 1]))
        field /= np.float32(dt)
        return _FlowField(field, camera / np.float32(dt), part is not None)

    def _frame(
        self,
        chunk: ChunkPictures,
        background: Background,
        fields: dict[int, _FlowField],
        i: int,
        detailed: bool,
    ) -> _Measured:
        span = self._span(chunk, i)
        window: Sequence[_FlowField] = [fields[key] for key in span]
        picture = chunk.pictures[i + chunk.lead]
        mean, camera = self._mean_velocity(window)
        if camera.any():
            magnitude = np.asarray(cv2.magnitude(mean[..., 0], mean[..., 1]), np.float32)
            moving = magnitude > max(2 * float(np.median(magnitude)), float(np.hypot(*camera)) / 4)
            mask = (moving & find_texture(picture)).astype(np.uint8)
            changed = float(mask.mean())
        else:
            mask, changed = foreground_mask(
                picture,
                background,
                self._settings.foreground_threshold,
                self._settings.foreground_noise,
            )
        lit = changed > _UNSTEADY_SHARE
        if lit:
            mask[:] = 0
        detail: NDArray[np.float32] | None = None
        if detailed:
            velocities = [field.velocity for field in window if field.active]
            earlier = chunk.pictures[max(0, span.start - 1)]
            detail = frame_detail(velocities, max(1, len(window)), earlier, picture, mask)
        return _Measured(self._cells(mask, mean), camera, lit, detail)

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

    def _cells(self, mask: NDArray[np.uint8], mean: NDArray[np.float32]) -> _Maps:
        size = (self._grid.columns, self._grid.rows)
        weight = mask.astype(np.float32)
        share = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
        count = np.rint(share * self._grid.cell**2).astype(np.uint8)
        count[count < _LEAST_PIXELS] = 0
        present = count > 0
        divisor = np.where(present, share, 1) * np.float32(SPEED_UNIT)

        def averaged(values: NDArray[np.float32]) -> NDArray[np.int16]:
            cells = cv2.resize(values * weight, size, interpolation=cv2.INTER_AREA)
            steps = np.clip(np.rint(cells / divisor), -32_767, 32_767)
            return np.asarray(np.where(present, steps, 0), np.int16)

        return count, averaged(mean[..., 0]), averaged(mean[..., 1])
