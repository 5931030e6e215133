"""The frame thread: decodes what is wanted now and forgets what was wanted before."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QObject, Signal

from desktop.player.frame_requests import (
    NOTHING_OVER,
    AccumulateRequest,
    FrameOverlay,
    FrameReply,
    FrameRequest,
    FrameSource,
    PlayRequest,
)
from desktop.player.overlay_reader import OverlayReader
from desktop.player.screen_images import to_image
from desktop.session.thread_priority import FRAMES, yield_to_window
from desktop.state.view_state import PictureSettings
from engine.core.errors import CancelledError, SightlineError
from engine.core.progress import CancelToken, Progress
from engine.core.stream import Frame
from engine.media import Source, open_source, read_first_frame

_LOG = logging.getLogger(__name__)
_PREVIEW_WIDTH = 640  # pixels of a frame while scrubbing; the exact one follows at once
_LATE_S = 0.02  # seconds; a frame that is later than this while playing is left out
_ACK_S = 0.25  # seconds to wait for the window to take a frame before the next is sent

Wanted = FrameRequest | AccumulateRequest | PlayRequest


class FrameServer(QObject):
    """Decodes frames in a thread of its own; the latest request wins.

    A reply carries the id of its request and the PTS of its frame; a reply to a request that is
    no longer the latest is for the receiver to drop.
    """

    replied = Signal(object)
    """A `FrameReply`."""

    indexing = Signal(object)
    """A `Progress` while a file is indexed."""

    opened = Signal(object)
    """The `FrameSource` whose index is ready; frames can be asked for."""

    failed = Signal(object)
    """A SightlineError: the file cannot be opened or read."""

    stopped = Signal(int)
    """Playing came to an end by itself; carries the index of the last frame."""

    def __init__(self) -> None:
        super().__init__()
        self._wake = threading.Condition()
        self._next_source: FrameSource | None = None
        self._changed = False
        self._wanted: Wanted | None = None
        self._closing = False
        self._acknowledged = threading.Event()
        self._cancel = CancelToken()
        self._settings = PictureSettings()
        self._last_id = 0
        self._thread = threading.Thread(target=self._work, name="frames", daemon=True)
        self._thread.start()

    def open(self, source: FrameSource | None) -> None:
        """Turns to other evidence; None closes what is open."""
        with self._wake:
            self._next_source, self._changed, self._wanted = source, True, None
            self._cancel.cancel()
            self._wake.notify()

    def request(self, frame: int, preview: bool = False) -> int:
        """Asks for a frame and returns the request's id."""
        return self._ask(FrameRequest(self._new_id(), frame, preview))

    def accumulate(self, first: int, last: int, trajectories: tuple[int, ...]) -> int:
        """Asks for the accumulated view of a span and returns the request's id."""
        return self._ask(AccumulateRequest(self._new_id(), first, last, trajectories))

    def play(self, frame: int, rate: float, every_frame: bool) -> int:
        """Begins to play and returns the request's id; any other request ends it."""
        self._acknowledged.set()
        return self._ask(PlayRequest(self._new_id(), frame, rate, every_frame))

    def acknowledge(self) -> None:
        """Says that the frame played last is on screen."""
        self._acknowledged.set()

    def set_picture(self, settings: PictureSettings) -> None:
        """Changes how frames are shown from the next reply on."""
        self._settings = settings

    def close(self) -> None:
        """Ends the thread."""
        with self._wake:
            self._closing, self._wanted = True, None
            self._cancel.cancel()
            self._acknowledged.set()
            self._wake.notify()
        self._thread.join()

    def _new_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def _ask(self, request: Wanted) -> int:
        with self._wake:
            self._wanted = request
            self._wake.notify()
        return request.id

    def _work(self) -> None:
        yield_to_window(FRAMES)
        source: FrameSource | None = None
        while True:
            with self._wake:
                while not (self._closing or self._changed):
                    self._wake.wait()
                if self._closing:
                    return
                source, self._changed = self._next_source, False
                self._cancel = CancelToken()
            if source is not None:
                try:
                    self._serve(source)
                except CancelledError:
                    continue
                except SightlineError as error:
                    self.failed.emit(error)
                except Exception as error:
                    _LOG.exception("frames of %s", source.path)
                    failure = f"internal error ({type(error).__name__}: {error})"
                    self.failed.emit(SightlineError(failure, source.path, "report it with the log"))

    def _serve(self, source: FrameSource) -> None:
        """Opens evidence and answers requests until other evidence is wanted."""
        has_index = source.indexes is not None and source.indexes.has(source.path, source.stream)
        if source.only_first or not has_index:
            self._show_first(source)
        if source.only_first:
            return
        with (
            open_source(
                source.path,
                stream=source.stream,
                fps=source.fps,
                cancel=self._cancel,
                progress=self._progress,
                indexes=source.indexes,
            ) as opened,
            OverlayReader(source) as overlays,
        ):
            server = _Serving(self, opened, overlays)
            self.opened.emit(source)
            while (request := self._take()) is not None:
                if isinstance(request, PlayRequest):
                    server.play(request)
                elif isinstance(request, AccumulateRequest):
                    server.accumulate(request)
                else:
                    server.answer(request)

    def _show_first(self, source: FrameSource) -> None:
        """Shows the first picture at once: the index of an hour takes seconds."""
        picture = read_first_frame(source.path, stream=source.stream)
        if picture is not None:
            image = to_image(picture, self._settings)
            self.replied.emit(FrameReply(0, 0, 0, 0.0, image, preview=True))

    def _progress(self, progress: Progress) -> None:
        self.indexing.emit(progress)

    def _take(self) -> Wanted | None:
        with self._wake:
            while not (self._wanted or self._changed or self._closing):
                self._wake.wait()
            if self._changed or self._closing:
                return None
            request, self._wanted = self._wanted, None
            return request

    @property
    def is_superseded(self) -> bool:
        """Whether something else is wanted by now."""
        return self._wanted is not None or self._changed or self._closing

    def wait_until(self, due: float) -> bool:
        """Waits for a moment of `time.monotonic`; False when something else is wanted first."""
        with self._wake:
            while not self.is_superseded:
                left = due - time.monotonic()
                if left <= 0:
                    return True
                self._wake.wait(left)
        return False

    def wait_acknowledged(self) -> None:
        """Waits until the frame played last is on screen, a quarter of a second at most."""
        self._acknowledged.wait(_ACK_S)

    @property
    def behind(self) -> bool:
        """Whether the frame played last is not on screen yet."""
        return not self._acknowledged.is_set()

    def mark_sent(self) -> None:
        """Notes that a played frame was sent."""
        self._acknowledged.clear()

    @property
    def settings(self) -> PictureSettings:
        """How frames are shown."""
        return self._settings


class _Serving:
    """Answers requests for one piece of evidence; lives in the frame thread."""

    def __init__(self, server: FrameServer, source: Source, overlays: OverlayReader) -> None:
        self._server = server
        self._source = source
        self._overlays = overlays
        self._keyframes = np.flatnonzero(source.index.keyframe)
        info = source.info
        self._scale = min(1.0, _PREVIEW_WIDTH / info.width)
        width, height = (max(2, int(side * self._scale)) for side in (info.width, info.height))
        self._small = width, height
        self._overlay_failed = False

    def answer(self, request: FrameRequest) -> None:
        """Sends the frame asked for, or a stand-in while the hand moves."""
        index = min(max(0, request.frame), len(self._source.index) - 1)
        if request.preview:
            position = int(np.searchsorted(self._keyframes, index, side="right")) - 1
            nearest = int(self._keyframes[max(0, position)]) if len(self._keyframes) else index
            frame = self._source.pick(nearest, size=self._small, pixels="rgb")
            reply = self._reply(frame, request.id, NOTHING_OVER)
            scale = self._small[0] / self._source.info.width
            self._server.replied.emit(replace(reply, preview=nearest != index, scale=scale))
        else:
            frame = self._source.frame(index)
            self._server.replied.emit(self._reply(frame, request.id, self._overlay(frame)))

    def accumulate(self, request: AccumulateRequest) -> None:
        """Sends the accumulated view of a span unless something else is wanted meanwhile."""
        # Imported here because OpenCV comes with it and a start does not need it.
        from desktop.player.accumulated_view import accumulated_view

        view = accumulated_view(
            self._source, self._overlays, request, lambda: self._server.is_superseded
        )
        if view is None:
            return
        image = to_image(view, PictureSettings())
        index = min(max(0, request.first), len(self._source.index) - 1)
        self._server.replied.emit(
            FrameReply(
                request.id,
                index,
                int(self._source.index.pts[index]),
                self._source.index.seconds(index),
                image,
                scale=view.shape[1] / self._source.info.width,
                accumulated=True,
            )
        )

    def play(self, request: PlayRequest) -> None:
        """Sends frame after frame at their times until something else is wanted."""
        server, index = self._server, self._source.index
        start = min(max(0, request.frame), len(index) - 1)
        begun, from_s = time.monotonic(), index.seconds(start)
        dropped, last = 0, start
        for frame in self._in_order(start, forward=request.rate > 0):
            due = begun + (index.seconds(frame.index) - from_s) / request.rate
            last = frame.index
            if request.every_frame:
                server.wait_acknowledged()
            elif frame.index != start and (time.monotonic() > due + _LATE_S or server.behind):
                dropped += 1
                if server.is_superseded:
                    return
                continue
            if not server.wait_until(due):
                return
            reply = self._reply(frame, request.id, self._overlay(frame))
            server.mark_sent()
            server.replied.emit(replace(reply, dropped=dropped))
            if server.is_superseded:
                return
        server.stopped.emit(last)

    def _in_order(self, start: int, forward: bool) -> Iterator[Frame]:
        if forward:
            yield from self._source.frames(start, pixels="rgb")
            return
        for index in range(start, -1, -1):
            yield self._source.frame(index)

    def _overlay(self, frame: Frame) -> FrameOverlay:
        try:
            return self._overlays.at(frame.index, self._source.index.seconds(frame.index))
        except SightlineError as error:
            # Said once: the picture matters more than what lies over it.
            if not self._overlay_failed:
                self._overlay_failed = True
                self._server.failed.emit(error)
            return NOTHING_OVER

    def _reply(self, frame: Frame, request_id: int, overlay: FrameOverlay) -> FrameReply:
        image = None if frame.image is None else to_image(frame.image, self._server.settings)
        seconds = self._source.index.seconds(frame.index)
        return FrameReply(
            request_id, frame.index, frame.pts, seconds, image, overlay,
            frame.pict_type, frame.damaged,
        )  # fmt: skip
