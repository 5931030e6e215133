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

_ROW = 7
_MOST_ROWS = 6
_NARROW = 3
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

    def columns(self, view: TimeView, width: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Returns which spans are in sight, and one (left, right, row, kind) each [m, 4].

        Spans that would fall on the same pixels are given once.
        """
        seen = np.flatnonzero((self.ends >= view.start) & (self.starts <= view.end))
        scale = (view.x(view.end, width) - view.x(view.start, width)) / (view.end - view.start)
        left = view.x(view.start, width) + (self.starts[seen] - view.start) * scale
        right = view.x(view.start, width) + (self.ends[seen] - view.start) * scale
        low, high = view.x(view.start, width), view.x(view.end, width)
        left = np.clip(left, low, high - _NARROW)
        right = np.maximum(np.clip(right, low, high), left + _NARROW)
        boxes = np.stack([left, right, self.rows[seen], self.kinds[seen]], axis=1)
        _, kept = np.unique(boxes.round().astype(np.int64), axis=0, return_index=True)
        return seen[kept], boxes[kept].round().astype(np.int64)

    def at(self, seconds: float, row: int | None, slack_s: float) -> int | None:
        """Returns the id of the shortest span at a moment; None when there is none."""
        hit = (self.starts - slack_s <= seconds) & (seconds <= self.ends + slack_s)
        if row is not None:
            hit &= self.rows == row
        places = np.flatnonzero(hit)
        if not len(places):
            return None
        return int(self.ids[places[np.argmin((self.ends - self.starts)[places])]])


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


class EventLane(Lane):
    """Events; form and colour tell what the examiner made of them."""

    name = "Events"
    height = 22

    def __init__(self) -> None:
        self._spans = Spans()
        self._selected: int | None = None

    def set_events(self, events: Sequence[EventRow]) -> None:
        """Shows these events."""
        states = {"unseen": 0, "seen": 1, "relevant": 2, "dismissed": 3}
        self._spans = Spans(
            np.array([row.event.start_s for row in events], np.float64),
            np.array([row.event.end_s for row in events], np.float64),
            np.zeros(len(events), np.int64),
            np.array([states[row.state] for row in events], np.int64),
            np.array([row.id for row in events], np.int64),
        )

    def select(self, event_id: int | None) -> None:
        """Frames an event."""
        self._selected = event_id

    def paint(
        self, painter: QPainter, view: TimeView, width: int, top: int, tokens: Tokens
    ) -> None:
        """Draws the events in sight."""
        places, boxes = self._spans.columns(view, width)
        score, good, muted = (
            QColor(tokens.score), QColor(tokens.relevant), QColor(tokens.muted),
        )  # fmt: skip
        for place, (left, right, _row, kind) in zip(places.tolist(), boxes.tolist(), strict=True):
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
            if int(self._spans.ids[place]) == self._selected:
                painter.setPen(QPen(QColor(tokens.accent), 2))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(box.adjusted(-2, -3, 2, 3))

    def hit(self, seconds: float, y: int, slack_s: float) -> Selection | None:
        """Returns the event there."""
        found = self._spans.at(seconds, None, slack_s)
        return None if found is None else Selection("event", found)


class PathLane(Lane):
    """Trajectories, packed into as few rows as possible."""

    name = "Paths"

    def __init__(self) -> None:
        self._spans = Spans()
        self._selected: int | None = None
        self._of: object = None
        self._set_rows(1)

    def set_trajectories(self, view: EvidenceView | None, hidden: frozenset[int]) -> None:
        """Shows the trajectories of evidence but for those with these ids."""
        key = None if view is None else (view.trajectories, hidden)
        if key == self._of:
            return
        self._of = key
        shown = [] if view is None else [one for one in view.trajectories if one.id not in hidden]
        rows = pack([(one.start_s, one.end_s) for one in shown])
        self._set_rows(int(rows.max(initial=0)) + 1)
        self._spans = Spans(
            np.array([one.start_s for one in shown], np.float64),
            np.array([one.end_s for one in shown], np.float64),
            rows,
            np.array([int((one.peak_score or 0) >= 0.5) for one in shown], np.int64),
            np.array([one.id for one in shown], np.int64),
        )

    def select(self, trajectory_id: int | None) -> None:
        """Frames a trajectory."""
        self._selected = trajectory_id

    def paint(
        self, painter: QPainter, view: TimeView, width: int, top: int, tokens: Tokens
    ) -> None:
        """Draws the trajectories in sight; the ones that score high are drawn thicker."""
        places, boxes = self._spans.columns(view, width)
        plain, high = QColor(tokens.muted), QColor(tokens.score)
        for place, (left, right, row, kind) in zip(places.tolist(), boxes.tolist(), strict=True):
            y = top + 3 + row * self._row
            chosen = int(self._spans.ids[place]) == self._selected
            thick = max(2.0, self._row - (2 if kind or chosen else 4))
            colour = QColor(tokens.accent) if chosen else high if kind else plain
            painter.fillRect(QRectF(left, y, right - left, thick), colour)

    def hit(self, seconds: float, y: int, slack_s: float) -> Selection | None:
        """Returns the trajectory there."""
        found = self._spans.at(seconds, int((y - 3) / self._row), slack_s)
        return None if found is None else Selection("trajectory", found)

    def _set_rows(self, rows: int) -> None:
        self._row = _ROW if rows <= _MOST_ROWS else max(2.0, _ROW * _MOST_ROWS / rows)
        self.height = round(6 + self._row * max(2, min(rows, _ROW * _MOST_ROWS // 2)))


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
        self._bookmarks = _spans([(one.start_s, one.end_s, one.id) for one in marks])
        self._watched = Spans()
        if view is not None and view.watched:
            spans = np.array(view.watched, np.int64).clip(0, len(view.seconds) - 1)
            begin, end = view.seconds[spans[:, 0]], view.seconds[spans[:, 1]]
            self._watched = _spans(list(zip(begin, end, range(len(spans)), strict=True)))

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
        found = self._bookmarks.at(seconds, None, 3 * slack_s)
        return None if found is None else Selection("bookmark", found)

    def _paint_marks(
        self, painter: QPainter, view: TimeView, width: int, top: int, tokens: Tokens
    ) -> None:
        painter.setPen(QPen(QColor(tokens.text), 2))
        bottom = top + self.height - 5
        for moment, way in ((self._marks.start, 5), (self._marks.end, -5)):
            if moment is not None:
                x = view.x(moment, width)
                corners = [(x + way, top + 2), (x, top + 2), (x, bottom), (x + way, bottom)]
                painter.drawPolyline(QPolygonF([QPointF(*one) for one in corners]))
        if self._marks.span is not None:
            left, right = (view.x(moment, width) for moment in self._marks.span)
            shade = QColor(tokens.text)
            shade.setAlpha(40)
            painter.fillRect(QRectF(left, top + 2, right - left, self.height - 7), shade)


def _spans(spans: Sequence[tuple[float, float, int]]) -> Spans:
    count = len(spans)
    return Spans(
        np.array([one[0] for one in spans], np.float64),
        np.array([one[1] for one in spans], np.float64),
        np.zeros(count, np.int64),
        np.zeros(count, np.int64),
        np.array([one[2] for one in spans], np.int64),
    )
