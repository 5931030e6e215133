"""Which part of the evidence's time the timeline shows."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

GUTTER = 76
"""Pixels left of the first moment, for names and scale."""

MARGIN = 10
"""Pixels right of the last moment."""

_MIN_SPAN_S = 1.0  # seconds on screen at the largest zoom: single frames can be told apart
_ROOM = 0.02  # share of the view kept free beside what is brought into it


class TimeView(QObject):
    """The span in sight, shared by everything that is drawn over time."""

    changed = Signal()
    """Start, end or duration changed."""

    def __init__(self) -> None:
        super().__init__()
        self.duration = 1.0
        self.start = 0.0
        self.end = 1.0

    def set_duration(self, seconds: float) -> None:
        """Turns to evidence of another length and shows all of it."""
        self.duration = max(seconds, 1e-3)
        self.fit()

    def fit(self) -> None:
        """Shows everything."""
        self._show(0.0, self.duration)

    def zoom(self, factor: float, at: float) -> None:
        """Shows less time (factor > 1) or more; the moment `at` stays where it is."""
        span = self.end - self.start
        length = min(max(span / factor, min(_MIN_SPAN_S, self.duration)), self.duration)
        share = (at - self.start) / span
        self._show(at - share * length, at + (1 - share) * length)

    def pan(self, seconds: float) -> None:
        """Shows a later part, or an earlier one when negative."""
        self._show(self.start + seconds, self.end + seconds)

    def reveal(self, seconds: float) -> None:
        """Pans so that a moment is in sight, a little inside of the border."""
        span = self.end - self.start
        room = span * _ROOM
        if seconds < self.start:
            self.pan(seconds - self.start - room)
        elif seconds > self.end:
            # A page on, so that playing does not pan with every frame.
            self.pan(seconds - self.start - room)

    def x(self, seconds: float, width: int) -> float:
        """Returns where a moment lies in a widget of a width."""
        usable = max(1, width - GUTTER - MARGIN)
        return GUTTER + (seconds - self.start) / (self.end - self.start) * usable

    def seconds(self, x: float, width: int) -> float:
        """Returns the moment at a place in a widget of a width, within the evidence."""
        usable = max(1, width - GUTTER - MARGIN)
        moment = self.start + (x - GUTTER) / usable * (self.end - self.start)
        return min(max(0.0, moment), self.duration)

    def _show(self, start: float, end: float) -> None:
        span = min(end - start, self.duration)
        start = min(max(0.0, start), self.duration - span)
        if (start, start + span) != (self.start, self.end):
            self.start, self.end = start, start + span
        self.changed.emit()
