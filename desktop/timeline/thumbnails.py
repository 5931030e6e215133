"""Small pictures along the timeline, decoded in a thread of their own."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from desktop.session.thread_priority import THUMBNAILS, yield_to_window
from engine.core.errors import SightlineError
from engine.core.progress import CancelToken
from engine.media import IndexCache, Source, open_source

_LOG = logging.getLogger(__name__)
_HEIGHT = 120  # pixels; twice the strip's, for screens of high density
_MAX_CACHED = 512  # pictures kept, about 40 MB
_MAX_DISTANCE = 600  # frames to the keyframe that may stand in for a frame
"""Frames after a keyframe that are still decoded for a picture; further ones show the keyframe."""


@dataclass(frozen=True)
class ThumbnailSource:
    """Evidence whose pictures are wanted.

    Attributes:
        path: the evidence.
        stream: number of the stream.
        fps: frame rate of a folder of images; None otherwise.
        indexes: where the index of the file is kept; None when nowhere.
    """

    path: Path
    stream: int
    fps: float | None
    indexes: IndexCache | None


class ThumbnailServer(QObject):
    """Decodes small pictures for finding one's way; the frames asked for last come first.

    The keyframe before a moment stands in for it where no other picture would show the same.
    """

    thumbnail_ready = Signal(int, QImage)
    """Index of the frame asked for, and its picture."""

    def __init__(self) -> None:
        super().__init__()
        self._wake = threading.Condition()
        self._source: ThumbnailSource | None = None
        self._changed = False
        self._closing = False
        self._wanted: list[int] = []
        self._first: int | None = None
        self._near = 0
        self._cancel = CancelToken()
        self._thread = threading.Thread(target=self._work, name="thumbnails", daemon=True)
        self._thread.start()

    def open(self, source: ThumbnailSource | None) -> None:
        """Turns to other evidence; None closes what is open."""
        with self._wake:
            self._source, self._changed, self._wanted, self._first = source, True, [], None
            self._cancel.cancel()
            self._wake.notify()

    def ask(self, frames: Sequence[int], near: int) -> None:
        """Asks for the pictures of frames; what was asked before is dropped.

        Args:
            frames: their indices.
            near: how many frames before them a keyframe may lie to stand in.
        """
        with self._wake:
            self._wanted, self._near = list(frames), near
            self._wake.notify()

    def ask_first(self, frame: int) -> None:
        """Asks for the picture of one frame before all others."""
        with self._wake:
            self._first = frame
            self._wake.notify()

    def close(self) -> None:
        """Ends the thread."""
        with self._wake:
            self._closing = True
            self._cancel.cancel()
            self._wake.notify()
        self._thread.join()

    def _work(self) -> None:
        yield_to_window(THUMBNAILS)
        while (source := self._next_source()) is not None:
            try:
                self._serve(source)
            except SightlineError as error:
                # The player says so in its place; a timeline without pictures still works.
                _LOG.info("no thumbnails: %s", error.line())
            except Exception:
                _LOG.exception("thumbnails of %s", source.path)

    def _next_source(self) -> ThumbnailSource | None:
        with self._wake:
            while True:
                while not (self._closing or self._changed):
                    self._wake.wait()
                if self._closing:
                    return None
                self._changed = False
                self._cancel = CancelToken()
                if self._source is not None:
                    return self._source

    def _serve(self, evidence: ThumbnailSource) -> None:
        with open_source(
            evidence.path,
            stream=evidence.stream,
            fps=evidence.fps,
            cancel=self._cancel,
            cache_bytes=0,
            indexes=evidence.indexes,
        ) as source:
            keyframes = np.flatnonzero(source.index.keyframe)
            cache: OrderedDict[int, QImage] = OrderedDict()
            while (frame := self._next_frame()) is not None:
                stand_in = _stand_in(keyframes, frame, self._near)
                if stand_in not in cache:
                    cache[stand_in] = _picture(source, stand_in)
                    if len(cache) > _MAX_CACHED:
                        cache.popitem(last=False)
                self.thumbnail_ready.emit(frame, cache[stand_in])

    def _next_frame(self) -> int | None:
        with self._wake:
            while not (self._first is not None or self._wanted or self._changed or self._closing):
                self._wake.wait()
            if self._changed or self._closing:
                return None
            if self._first is not None:
                frame, self._first = self._first, None
                return frame
            return self._wanted.pop(0)


def _stand_in(keyframes: NDArray[np.int64], frame: int, near: int) -> int:
    position = int(np.searchsorted(keyframes, frame, side="right")) - 1
    if position < 0:
        return frame
    before = int(keyframes[position])
    return before if frame - before < near or frame - before > _MAX_DISTANCE else frame


def _picture(source: Source, frame: int) -> QImage:
    if not 0 <= frame < len(source.index):
        return QImage()
    info = source.info
    width = max(2, round(info.width * float(info.pixel_aspect) * _HEIGHT / info.height))
    image = source.pick(frame, size=(min(width, 640), _HEIGHT), pixels="rgb").image
    if image is None:
        return QImage()
    pixels = np.ascontiguousarray(image)
    height, columns = pixels.shape[:2]
    return QImage(pixels.data, columns, height, 3 * columns, QImage.Format.Format_RGB888).copy()
