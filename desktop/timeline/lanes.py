"""What lies in rows under the score: events, trajectories, bookmarks and marks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPen, QPolygonF

from desktop.state.evidence_view import EvidenceView
from desktop.state.view_state import Marks, Selection
from desktop.theme.theme_tokens import Tokens
from desktop.timeline.row_packing import pack
from desktop.timeline.time_view import TimeView
from engine.case import EventRow

_ROW = 7  # pixels of a row of a lane
_MAX_ROWS = 6  # rows at full height; more share the same room
_NARROW = 3  # pixels of the shortest bar, so that an event of one frame can be seen
_EMPTY = np.zeros(0, np.float64)


@dataclass
class Spans:
    """Spans of one lane, ready to be painted and hit.

    Attributes:
        starts: float64 [n], seconds.
        ends: float64 [n], seconds.
        rows: int64 [n], from 0.
        kinds: int64 [n], index into the lane's styles.
        ids: int64 [n].
    """

    starts: NDArray[np.float64] = field(default_factory=lambda: _EMPTY)
    ends: NDArray[np.float64] = field(default_factory=lambda: _EMPTY)
    rows: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    kinds: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    ids: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    @classmethod
    def of(cls, spans: Sequence[tuple[float, float, int, int, int]]) -> Spans:
        """Returns spans, each from its start, end, row, kind and id."""
        starts, ends, *integers = np.array(spans, np.float64).reshape(-1, 5).T
        return cls(starts, ends, *(column.astype(np.int64) for column in integers))

    def columns(self, view: TimeView, width: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Returns which spans are in sight, and one (left, right, row, kind) each [m, 4].

        Spans that would fall on the same pixels are given once.
        """
        visible = np.flatnonzero((self.ends >= view.start) & (self.starts <= view.end))
        scale = (view.x(view.end, width) - view.x(view.start, width)) / (view.end - view.start)
        left = view.x(view.start, width) + (self.starts[visible] - view.start) * scale
        right = view.x(view.start, width) + (self.ends[visible] - view.start) * scale
        low, high = view.x(view.start, width), view.x(view.end, width)
        left = np.clip(left, low, high - _NARROW)
        right = np.maximum(np.clip(right, low, high), left + _NARROW)
        boxes = np.stack([left, right, self.rows[visible], self.kinds[visible]], axis=1)
        _, distinct = np.unique(boxes.round().astype(np.int64), axis=0, return_index=True)
        return visible[distinct], boxes[distinct].round().astype(np.int64)

    def at(self, seconds: float, row: int | None, slack_s: float) -> int | None:
        """Returns the id of the shortest span at a moment; None when there is none."""
        hit = (self.starts - slack_s <= seconds) & (seconds <= self.ends + slack_s)
        if row is not None:
            hit &= self.rows == row
        hits = np.flatnonzero(hit)
        if not len(hits):
            return None
        return int(self.ids[hits[np.argmin((self.ends - self.starts)[hits])]])


class Lane(ABC):
    """A band of the timeline.

    Attributes:
        name: shown left of it.
        height: in pixels.
    """

    name: str
    height: int

    @abstractmethod
    def paint(
        self, painter: QPainter, view: TimeView, width: int, top: int, tokens: Tokens
    ) -> None:
        """Draws the part in sight."""

    def hit(self, seconds: float, y: int, slack_s: float) -> Selection | None:
        """Returns what lies at a moment and a place within the band."""
        return None


class SpanLane(Lane):
    """Spans of which one can be selected."""

    def __init__(self) -> None:
        self._spans = Spans()
        self._selected: int | None = None

    def select(self, row_id: int | None) -> None:
        """Makes the span with this id stand out."""
        self._selected = row_id


class EventLane(SpanLane):
    """Events; form and colour tell what the examiner made of them."""

    name = "Events"
    height = 22

    def set_events(self, events: Sequence[EventRow]) -> None:
        """Shows these events."""
        states = {"unseen": 0, "seen": 1, "relevant": 2, "dismissed": 3}
        self._spans = Spans.of(
            [(row.event.start_s, row.event.end_s, 0, states[row.state], row.id) for row in events]
        )

    def paint(
        self, painter: QPainter, view: TimeView, width: int, top: int, tokens: Tokens
    ) -> None:
        """Draws the events in sight."""
        indices, boxes = self._spans.columns(view, width)
        score, good, muted = (
            QColor(tokens.score), QColor(tokens.relevant), QColor(tokens.muted),
        )  # fmt: skip
        for index, (left, right, _row, kind) in zip(indices.tolist(), boxes.tolist(), strict=True):
            box = QRectF(left, top + 4, right - left, self.height - 8)
            if kind == 0:
                painter.fillRect(box, score)
            elif kind == 1:
                painter.fillRect(box.adjusted(0, 4, 0, -4), score)
            elif kind == 2:
                painter.fillRect(box, good)
                painter.fillRect(QRectF(left, top + 1, right - left, 2), good)
            else:
                painter.setPen(QPen(muted, 1))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(box.adjusted(0.5, 3.5, -0.5, -3.5))
            if int(self._spans.ids[index]) == self._selected:
                painter.setPen(QPen(QColor(tokens.accent), 2))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(box.adjusted(-2, -3, 2, 3))

    def hit(self, seconds: float, y: int, slack_s: float) -> Selection | None:
        """Returns the event there."""
        event_id = self._spans.at(seconds, None, slack_s)
        return None if event_id is None else Selection("event", event_id)


class PathLane(SpanLane):
    """Trajectories, packed into as few rows as possible."""

    name = "Paths"

    def __init__(self) -> None:
        super().__init__()
        self._of: object = None
        self._set_rows(1)

    def set_trajectories(self, view: EvidenceView | None, hidden: frozenset[int]) -> None:
        """Shows the trajectories of evidence but for those with these ids."""
        key = None if view is None else (view.trajectories, hidden)
        if key == self._of:
            return
        self._of = key
        trajectories = () if view is None else view.trajectories
        visible = [trajectory for trajectory in trajectories if trajectory.id not in hidden]
        rows = pack([(trajectory.start_s, trajectory.end_s) for trajectory in visible])
        self._set_rows(int(rows.max(initial=0)) + 1)
        self._spans = Spans.of(
            [
                (path.start_s, path.end_s, row, int((path.peak_score or 0) >= 0.5), path.id)
                for path, row in zip(visible, rows.tolist(), strict=True)
            ]
        )

    def paint(
        self, painter: QPainter, view: TimeView, width: int, top: int, tokens: Tokens
    ) -> None:
        """Draws the trajectories in sight; the ones that score high are drawn thicker."""
        indices, boxes = self._spans.columns(view, width)
        plain, high = QColor(tokens.muted), QColor(tokens.score)
        for index, (left, right, row, kind) in zip(indices.tolist(), boxes.tolist(), strict=True):
            y = top + 3 + row * self._row
            chosen = int(self._spans.ids[index]) == self._selected
            thick = max(2.0, self._row - (2 if kind or chosen else 4))
            colour = QColor(tokens.accent) if chosen else high if kind else plain
            painter.fillRect(QRectF(left, y, right - left, thick), colour)

    def hit(self, seconds: float, y: int, slack_s: float) -> Selection | None:
        """Returns the trajectory there."""
        trajectory_id = self._spans.at(seconds, int((y - 3) / self._row), slack_s)
        return None if trajectory_id is None else Selection("trajectory", trajectory_id)

    def _set_rows(self, rows: int) -> None:
        self._row = _ROW if rows <= _MAX_ROWS else max(2.0, _ROW * _MAX_ROWS / rows)
        self.height = round(6 + self._row * max(2, min(rows, _ROW * _MAX_ROWS // 2)))


class MarkLane(Lane):
    """Bookmarks, in and out marks, normal footage, and what was watched."""

    name = "Marks"
    height = 22

    def __init__(self) -> None:
        self._view: EvidenceView | None = None
        self._marks = Marks()
        self._bookmarks = Spans()
        self._watched = Spans()

    def set_evidence(self, view: EvidenceView | None) -> None:
        """Shows the bookmarks and spans of evidence."""
        self._view = view
        marks = () if view is None else view.bookmarks
        self._bookmarks = Spans.of([(mark.start_s, mark.end_s, 0, 0, mark.id) for mark in marks])
        self._watched = Spans()
        if view is not None and view.watched:
            spans = np.array(view.watched, np.int64).clip(0, len(view.seconds) - 1)
            begins, ends = view.seconds[spans.T].tolist()
            watched = enumerate(zip(begins, ends, strict=True))
            self._watched = Spans.of([(begin, end, 0, 0, row) for row, (begin, end) in watched])

    def set_marks(self, marks: Marks) -> None:
        """Shows the in and the out mark."""
        self._marks = marks

    def paint(
        self, painter: QPainter, view: TimeView, width: int, top: int, tokens: Tokens
    ) -> None:
        """Draws what is in sight."""
        for start, end in () if self._view is None else self._view.normal_spans:
            left, right = view.x(start, width), view.x(end, width)
            box = QRectF(left, top + 2, max(3.0, right - left), self.height - 8)
            painter.fillRect(box, QBrush(QColor(tokens.good), Qt.BrushStyle.BDiagPattern))
        _, boxes = self._watched.columns(view, width)
        for left, right, _row, _kind in boxes.tolist():
            painter.fillRect(
                QRectF(left, top + self.height - 4, right - left, 2), QColor(tokens.muted)
            )
        self._paint_marks(painter, view, width, top, tokens)
        _, boxes = self._bookmarks.columns(view, width)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.accent))
        for left, right, _row, _kind in boxes.tolist():
            if right - left > 2 * _NARROW:
                painter.drawRect(QRectF(left, top + 13, right - left, 2))
            flag = [(0, 2), (9, 6), (2, 10), (2, 16), (0, 16)]
            painter.drawPolygon(QPolygonF([QPointF(left + x, top + y) for x, y in flag]))

    def hit(self, seconds: float, y: int, slack_s: float) -> Selection | None:
        """Returns the bookmark there."""
        bookmark_id = self._bookmarks.at(seconds, None, 3 * slack_s)
        return None if bookmark_id is None else Selection("bookmark", bookmark_id)

    def _paint_marks(
        self, painter: QPainter, view: TimeView, width: int, top: int, tokens: Tokens
    ) -> None:
        painter.setPen(QPen(QColor(tokens.text), 2))
        bottom = top + self.height - 5
        for moment, way in ((self._marks.start, 5), (self._marks.end, -5)):
            if moment is not None:
                x = view.x(moment, width)
                corners = [(x + way, top + 2), (x, top + 2), (x, bottom), (x + way, bottom)]
                painter.drawPolyline(QPolygonF([QPointF(*corner) for corner in corners]))
        if self._marks.span is not None:
            left, right = (view.x(moment, width) for moment in self._marks.span)
            shade = QColor(tokens.text)
            shade.setAlpha(40)
            painter.fillRect(QRectF(left, top + 2, right - left, self.height - 7), shade)
