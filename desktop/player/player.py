"""The player: follows the state, asks the frame thread, shows what comes back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from desktop.player.canvas import Canvas
from desktop.player.frame_requests import FrameReply, FrameSource
from desktop.player.frame_server import FrameServer
from desktop.player.transport import Transport
from desktop.player.view_settings_text import picture_words
from desktop.state.evidence_view import EvidenceView
from desktop.state.view_state import (
    OverlaySettings,
    PictureSettings,
    Selection,
    ShownFrame,
    ViewState,
)
from desktop.theme.layouts import column_of
from engine.core.times import format_time
from engine.media import IndexCache

# Playing speeds in multiples of real time, as other players offer them.
_RATES = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
_WATCHED_MS = 5000  # how often what was watched is written into the case


class Player(QWidget):
    """Shows the frame at the state's position, plays, steps and zooms."""

    watched = Signal(int, object)
    """Evidence id and tuple[(first, last), ...] of frames that were watched."""

    failed = Signal(object)
    """A SightlineError of opening or decoding."""

    indexing = Signal(object)
    """A `Progress`, or None when the index is ready."""

    def __init__(self, state: ViewState) -> None:
        super().__init__()
        self._state = state
        self.canvas = Canvas()
        self.transport = Transport(state)
        self._server = FrameServer()
        self._source: FrameSource | None = None
        self._case: Path | None = None
        self._indexes: IndexCache | None = None
        self._ready = False
        self._fresh = True
        self._latest = 0
        self._shown_id = 0
        self._from_player = False
        self._seen: list[tuple[int, int]] = []
        self._seen_of = 0
        self._watch_timer = QTimer(self)
        self._watch_timer.setInterval(_WATCHED_MS)
        self._watch_timer.timeout.connect(self._report_watched)
        column_of((self.canvas, 1), self.transport, parent=self, spacing=0)
        self._connect()
        self._evidence(state.evidence.value)

    def _connect(self) -> None:
        state, server = self._state, self._server
        server.replied.connect(self._on_reply)
        server.opened.connect(self._on_opened)
        server.failed.connect(self._cannot)
        server.indexing.connect(self.indexing)
        server.stopped.connect(self._came_to_end)
        state.evidence.changed.connect(self._evidence)
        state.position.changed.connect(lambda _frame: self._ask())
        state.dragging.changed.connect(self._dragging)
        state.playing.changed.connect(lambda _on: self._play())
        state.rate.changed.connect(lambda _rate: self._play())
        state.every_frame.changed.connect(lambda _on: self._play())
        state.overlay.changed.connect(self._overlay)
        state.picture.changed.connect(self._picture)
        state.accumulated.changed.connect(lambda _on: self._ask())
        state.selection.changed.connect(self._on_selection)
        state.shown.changed.connect(lambda _frame: self._show_targets())
        state.targets.changed.connect(lambda _marks: self._show_targets())
        self.transport.pressed.connect(self._on_press)
        self.canvas.set_overlay(state.overlay.value)

    def set_case(self, case: Path | None, indexes: IndexCache | None) -> None:
        """Says in which case folder heat and regions are found, and where indexes are kept."""
        self._case, self._indexes = case, indexes

    def open_file(self, path: Path) -> None:
        """Shows the first picture of a file that is still being added."""
        self._turn_to(FrameSource(path, only_first=True))

    def step(self, frames: int) -> None:
        """Goes so many frames forward, or back when negative."""
        view = self._state.evidence.value
        if view is not None:
            self._go(self._state.position.value + frames, view)

    def seconds(self, seconds: float) -> None:
        """Goes so many seconds forward, or back when negative."""
        view = self._state.evidence.value
        if view is not None:
            here = float(view.seconds[self._state.position.value])
            self._go(view.index.nearest(max(0.0, here + seconds)), view)

    def to_start(self) -> None:
        """Goes to the first frame."""
        self.step(-self._state.position.value)

    def to_end(self) -> None:
        """Goes to the last frame."""
        view = self._state.evidence.value
        if view is not None:
            self._go(len(view.index) - 1, view)

    def play_pause(self) -> None:
        """Plays or pauses; at the end it plays from the beginning."""
        view = self._state.evidence.value
        if view is None:
            return
        playing = self._state.playing
        if not playing.value and self._state.position.value >= len(view.index) - 1:
            self._state.position.set(0)
        playing.set(not playing.value)

    def shuttle(self, way: int) -> None:
        """Plays forward (1) or backward (-1), faster with every call; pauses on turning round."""
        state = self._state
        if not state.playing.value:
            state.rate.set(float(way))
            state.playing.set(state.evidence.value is not None)
        elif (state.rate.value > 0) != (way > 0):
            state.playing.set(False)
            state.rate.set(1.0)
        else:
            state.rate.set(way * min(16.0, abs(state.rate.value) * 2))

    def change_speed(self, step: int) -> None:
        """Plays faster (1) or slower (-1)."""
        rate = self._state.rate.value
        nearest = min(range(len(_RATES)), key=lambda index: abs(_RATES[index] - abs(rate)))
        chosen = _RATES[min(len(_RATES) - 1, max(0, nearest + step))]
        self._state.rate.set(chosen if rate > 0 else -chosen)

    def still(self, overlay: bool) -> QImage | None:
        """Returns the exact frame on screen in decoded size; None when there is none."""
        return self.canvas.still(overlay)

    def close_threads(self) -> None:
        """Ends the frame thread and tells what was watched."""
        self._watch_timer.stop()
        self._report_watched()
        self._server.close()

    def _go(self, frame: int, view: EvidenceView) -> None:
        self._state.playing.set(False)
        self._state.accumulated.set(False)
        self._state.position.set(min(max(0, frame), len(view.index) - 1))

    def _evidence(self, view: EvidenceView | None) -> None:
        if view is None:
            self._source, self._ready = None, False
            self._server.open(None)
            self._state.shown.set(None)
            self.canvas.clear(
                "The picture will be here.\n\nDrop a video on the window, or press Ctrl+O."
            )
            return
        run = view.run
        source = FrameSource(
            path=view.path,
            stream=view.stream,
            fps=view.evidence.fps,
            case=self._case,
            run_id=None if run is None else run.id,
            derived=view.derivation_id,
            channel=self._state.overlay.value.channel,
            indexes=self._indexes,
            trajectories=view.trajectories,
        )
        self.canvas.set_parts(view.ignore, view.interest)
        self.canvas.set_end(len(view.index) - 1, _end_words(view))
        before = self._source
        if before is not None and source == before:
            return
        if view.evidence.id != self._seen_of:
            self._report_watched()
            self._seen_of = view.evidence.id
            self._state.pause_at(min(self._state.position.value, len(view.index) - 1))
        self._turn_to(source)
        self.canvas.set_frame_size(view.width, view.height, view.rotation, view.pixel_aspect)
        self._picture(self._state.picture.value)

    def _overlay(self, overlay: OverlaySettings) -> None:
        self.canvas.set_overlay(overlay)
        view, source = self._state.evidence.value, self._source
        if view is not None and source is not None and overlay.channel != source.channel:
            self._evidence(view)

    def _turn_to(self, source: FrameSource) -> None:
        self._fresh = self._source is None or self._source.path != source.path
        self._source, self._ready = source, False
        if self._fresh:
            self.canvas.fit()
        self._server.open(source)

    def _on_opened(self, source: FrameSource) -> None:
        if source == self._source:
            self._ready = True
            self.indexing.emit(None)
            if self._state.playing.value:
                self._play()
            else:
                self._ask()

    def _ask(self) -> None:
        """Asks for the frame at the position, or the accumulated view of the selection."""
        if not self._ready or self._from_player:
            return
        self._state.playing.set(False)
        span = self._accumulated_span() if self._state.accumulated.value else None
        view = self._state.evidence.value
        if span is not None and view is not None:
            first, last = (format_time(float(view.seconds[frame])) for frame in span[:2])
            self.canvas.set_span(f"{first} – {last}")
            self._latest = self._server.accumulate(*span)
        else:
            frame, preview = self._state.position.value, self._state.dragging.value
            self._latest = self._server.request(frame, preview)

    def _accumulated_span(self) -> tuple[int, int, tuple[int, ...]] | None:
        view, selection = self._state.evidence.value, self._state.selection.value
        if view is None or selection is None:
            return None
        if selection.kind == "trajectory":
            trajectory = next((row for row in view.trajectories if row.id == selection.id), None)
            if trajectory is not None:
                first, last = (
                    view.index.nearest(trajectory.start_s),
                    view.index.nearest(trajectory.end_s),
                )
                return first, last, (trajectory.id,)
        row = next((row for row in view.events if row.id == selection.id), None)
        if selection.kind != "event" or row is None:
            return None
        ids = {trajectory.number: trajectory.id for trajectory in view.trajectories}
        chosen = tuple(ids[number] for number in row.event.trajectories if number in ids)
        return row.event.first_frame, row.event.last_frame, chosen

    def _on_selection(self, _selection: Selection | None) -> None:
        if self._state.accumulated.value:
            self._ask()

    def _show_targets(self) -> None:
        view, frame = self._state.evidence.value, self._state.shown.value
        here = (view and view.evidence.id, frame and frame.index)
        marks = self._state.targets.value
        self.canvas.set_targets(
            tuple(mark for mark in marks if (mark.evidence_id, mark.frame) == here)
        )

    def _dragging(self, on: bool) -> None:
        if not on:
            self._ask()

    def _play(self) -> None:
        state = self._state
        if not self._ready:
            return
        if state.playing.value:
            state.accumulated.set(False)
            frame, rate = state.position.value, state.rate.value
            self._latest = self._server.play(frame, rate, state.every_frame.value)
        elif not state.dragging.value:
            self._latest = self._server.request(state.position.value)

    def _on_reply(self, reply: FrameReply) -> None:
        if reply.request_id == 0:
            if not self._ready and self._fresh:
                self.canvas.show_frame(reply)
            return
        if not self._ready:
            return
        if reply.request_id != self._latest:
            # While the hand moves on, a picture of where it just was is better than none.
            if not self._state.dragging.value or reply.request_id <= self._shown_id:
                return
            reply = replace(reply, preview=True)
        self._shown_id = reply.request_id
        self.canvas.show_frame(reply)
        self._server.acknowledge()
        self.transport.set_dropped(reply.dropped)
        if self._state.playing.value and not reply.preview:
            self._from_player = True
            self._state.position.set(reply.index)
            self._from_player = False
        if not reply.accumulated:
            self._state.shown.set(
                ShownFrame(
                    reply.index,
                    reply.pts,
                    reply.seconds,
                    reply.pict_type,
                    reply.damaged,
                    reply.preview,
                )
            )
            if not reply.preview:
                self._note_watched(reply.index)

    def _note_watched(self, frame: int) -> None:
        playing = self._state.playing.value
        near = self._seen and 0 <= frame - self._seen[-1][1] <= (16 if playing else 1)
        if near:
            self._seen[-1] = self._seen[-1][0], frame
        else:
            self._seen.append((frame, frame))
        if not self._watch_timer.isActive():
            self._watch_timer.start()

    def _report_watched(self) -> None:
        if self._seen and self._seen_of:
            self.watched.emit(self._seen_of, tuple(self._seen))
        self._seen = []
        if not self._state.playing.value:
            self._watch_timer.stop()

    def _came_to_end(self, frame: int) -> None:
        self._state.pause_at(frame)

    def _cannot(self, error: object) -> None:
        self._state.playing.set(False)
        if not self._ready:
            self.indexing.emit(None)
            self.canvas.clear(str(error))
        self.failed.emit(error)

    def _picture(self, settings: PictureSettings) -> None:
        self._server.set_picture(settings)
        self.canvas.set_view(settings.rotation, settings.aspect, picture_words(settings))
        self._ask()

    def _on_press(self, name: str) -> None:
        {
            "start": self.to_start,
            "back": lambda: self.step(-1),
            "play": self.play_pause,
            "forward": lambda: self.step(1),
            "end": self.to_end,
        }[name]()


def _end_words(view: EvidenceView) -> str:
    if not view.lost_frames:
        return ""
    lost = f"{view.lost_frames:,} frame{'s' if view.lost_frames > 1 else ''}"
    return f"the video stops here: {lost} that the file promises cannot be read"
