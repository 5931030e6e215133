"""The footage of what is reviewed: the frame with the target's box and path, and its timeline."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from desktop.lab.review_items import Item, Material
from desktop.lab.review_lanes import ReviewLanes, StatementLane
from desktop.player.canvas import Canvas
from desktop.player.frame_requests import (
    FrameOverlay,
    FrameReply,
    FrameSource,
    ShownPath,
    ShownRegion,
)
from desktop.player.frame_server import FrameServer
from desktop.state.view_state import OverlaySettings
from desktop.theme.icons import icon
from desktop.theme.stylesheet import figures
from desktop.theme.theme_tokens import Tokens
from desktop.timeline.time_view import TimeView
from engine.core.times import format_time
from engine.lab.dialogue_corpus.files.frame_records import FrameRecord
from engine.lab.dialogue_corpus.files.timeline_files import TargetTimeline, TimelineStatement

_LANES = ("Path", "Turns", "Stops", "Span")
_BUTTONS = (
    (-1, "step-back", "One frame back (←)"),
    (0, "play", "Play or pause (Space)"),
    (1, "step-forward", "One frame forward (→)"),
)


class Footage(QWidget):
    """Shows the frames of one item; steps, plays, and goes where the timeline is clicked."""

    failed = Signal(object)
    """A SightlineError of opening or decoding."""

    frame_shown = Signal(int)
    """Index of the exact frame on screen."""

    def __init__(self) -> None:
        super().__init__()
        self.canvas = Canvas()
        self.canvas.set_overlay(OverlaySettings(heat=False))
        self.frame = 0
        self._server = FrameServer()
        self._source: FrameSource | None = None
        self._ready = self._playing = self._closed = False
        self._latest = 0
        self._count, self._fps, self._step = 1, 25.0, 1
        self._records: list[FrameRecord] = []
        self._frames: list[int] = []
        self._lanes = {name: StatementLane(name) for name in _LANES}
        self.lanes = ReviewLanes(TimeView(), tuple(self._lanes.values()))
        self._time_label = QLabel()
        self._time_label.setFont(figures(self._time_label.font()))
        self._time_label.setAccessibleName("Stream time and frame")
        self._play = QToolButton()
        self._lay_out()
        self._server.replied.connect(self._on_reply)
        self._server.opened.connect(self._on_opened)
        self._server.failed.connect(self._cannot)
        self._server.stopped.connect(self._came_to_end)
        self.lanes.sought.connect(lambda seconds: self.go(round(seconds * self._fps)))
        self.canvas.clear("The picture will be here.")

    def show_item(self, material: Material, item: Item) -> None:
        """Turns to what an item is about, at the first frame that shows it."""
        about, path = material.videos[item.subject.video], material.path(item.subject.video)
        self._count, self._fps, self._step = about.frames, about.fps, about.step
        self._records = material.target_of(item)
        self._frames = [record.frame for record in self._records]
        number = item.subject.target
        timeline = None if number is None else material.timelines.get((about.name, number))
        self._show_lanes(item, timeline)
        self.frame, self._playing = item.first, False
        source = FrameSource(path, fps=about.fps if path.is_dir() else None)
        if source != self._source:
            self._source, self._ready = source, False
            self.canvas.set_frame_size(*about.size, 0, 1.0)
            self._server.open(source)
        else:
            self._ask()

    def go(self, frame: int) -> None:
        """Goes to a frame."""
        self._playing = False
        self.frame = min(max(0, frame), self._count - 1)
        self._ask()

    def step(self, frames: int) -> None:
        """Goes so many frames forward, or back when negative."""
        self.go(self.frame + frames)

    def play_pause(self) -> None:
        """Plays from the frame on screen, or pauses."""
        if not self._ready:
            return
        self._playing = not self._playing
        if self._playing:
            start = 0 if self.frame >= self._count - 1 else self.frame
            self._latest = self._server.play(start, 1.0, False)
        else:
            self._ask()
        self._say()

    def set_tokens(self, tokens: Tokens) -> None:
        """Takes the colours of a theme."""
        self.lanes.set_tokens(tokens)

    def close_threads(self) -> None:
        """Ends the frame thread."""
        if not self._closed:
            self._closed = True
            self._server.close()

    def record_here(self) -> FrameRecord | None:
        """Returns the target's record nearest to the frame on screen; None where it has none."""
        if not self._frames:
            return None
        nearest = min(self._records, key=lambda record: abs(record.frame - self.frame))
        return nearest if 2 * abs(nearest.frame - self.frame) <= self._step else None

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setContentsMargins(8, 4, 8, 4)
        row.setSpacing(8)
        for step, name, tip in _BUTTONS:
            button = QToolButton() if step else self._play
            button.setIcon(icon(name))
            button.setToolTip(tip)
            button.setAccessibleName(tip.partition(" (")[0])
            button.clicked.connect(
                lambda _on=False, step=step: self.step(step) if step else self.play_pause()
            )
            row.addWidget(button)
        row.addWidget(self._time_label, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.canvas, 1)
        column.addLayout(row)
        column.addWidget(self.lanes)

    def _show_lanes(self, item: Item, timeline: TargetTimeline | None) -> None:
        statements: dict[str, Sequence[TimelineStatement]] = dict.fromkeys(_LANES, ())
        if timeline is not None:
            statements |= {"Path": timeline.path, "Turns": timeline.turns, "Stops": timeline.stops}
        statements["Span"] = (TimelineStatement("", item.first, item.last),)
        for name, lane in self._lanes.items():
            lane.statements = [
                (spoken.first / self._fps, spoken.last / self._fps, spoken.value)
                for spoken in statements[name]
            ]
        self.lanes.time.set_duration(self._count / self._fps)
        self.lanes.redraw()

    def _ask(self) -> None:
        if self._ready:
            self._latest = self._server.request(self.frame)

    def _on_opened(self, source: FrameSource) -> None:
        if source == self._source:
            self._ready = True
            self._ask()

    def _on_reply(self, reply: FrameReply) -> None:
        if reply.request_id not in (0, self._latest) or (reply.request_id == 0 and self._ready):
            return
        if reply.request_id == 0:
            self.canvas.show_frame(reply)
            return
        self.frame = reply.index
        self.canvas.show_frame(replace(reply, overlay=self._overlay()))
        self._server.acknowledge()
        self.lanes.set_playhead(reply.index / self._fps)
        self._say(reply.seconds)
        if not self._playing:
            self.frame_shown.emit(reply.index)

    def _overlay(self) -> FrameOverlay:
        """Draws the record of the frame, and the way of the target up to it."""
        here = self.record_here()
        past = self._records[: bisect_right(self._frames, self.frame)]
        regions = () if here is None else (ShownRegion(here.box, None, here.target),)
        if len(past) < 2:
            return FrameOverlay(None, regions)
        points = np.array([record.box.centre for record in past], np.float32)
        ages = np.linspace(1, 0, len(past), dtype=np.float32)
        return FrameOverlay(None, regions, (ShownPath(past[0].target, points, ages),))

    def _came_to_end(self, frame: int) -> None:
        self._playing = False
        self.go(frame)

    def _cannot(self, error: object) -> None:
        self._playing = False
        if not self._ready:
            self.canvas.clear(str(error))
        self.failed.emit(error)

    def _say(self, seconds: float | None = None) -> None:
        self._play.setIcon(icon("pause" if self._playing else "play"))
        if seconds is not None:
            self._time_label.setText(f"{format_time(seconds)}   frame {self.frame:,}")
