"""The score over time: one line a channel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPen, QShowEvent
from PySide6.QtWidgets import QFrame

from desktop.state.evidence_view import Curve, EvidenceView
from desktop.theme.theme_tokens import DARK, Tokens
from desktop.timeline.score_pyramid import ScorePyramid
from desktop.timeline.time_view import GUTTER, MARGIN, TimeView
from engine.render.chart_ticks import tick_step

# Seconds between ticks, as clocks are divided.
_STEPS = (
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30,
    60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400,
)  # fmt: skip
_TICK_PIXELS = 110  # pixels that a time with milliseconds needs
_DASHES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine)


class TimeAxis(pg.AxisItem):  # type: ignore[misc]
    """Marks stream time at round moments."""

    def __init__(self) -> None:
        super().__init__("bottom")
        self.enableAutoSIPrefix(False)

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:
        """Returns the marks in sight."""
        step = tick_step(high - low, max(1.0, size / _TICK_PIXELS), _STEPS) or _STEPS[-1]
        marks = np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step
        return [(float(step), marks.tolist())]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        """Writes each mark as a time, as precise as the marks are apart."""
        return [_time(value, spacing) for value in values]


class ScorePlot(pg.PlotWidget):  # type: ignore[misc]
    """Draws curves, threshold and playhead; the mouse belongs to `TimelineMouseHandler`."""

    def __init__(self, view: TimeView) -> None:
        axis = TimeAxis()
        super().__init__(axisItems={"bottom": axis}, background=None)
        self._view = view
        self._tokens = DARK
        self._pyramids: dict[str, ScorePyramid] = {}
        self._curves: dict[str, Curve] = {}
        self._items: dict[str, pg.PlotCurveItem] = {}
        self._hidden: frozenset[str] = frozenset()
        self._leading = ""
        self._other: ScorePyramid | None = None
        self._other_item = pg.PlotCurveItem(antialias=False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName("Score over time")
        self.setMinimumHeight(72)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        item = self.getPlotItem()
        item.setMenuEnabled(False)
        item.hideButtons()
        item.setMouseEnabled(False, False)
        item.layout.setContentsMargins(0, 4, MARGIN, 0)
        item.getAxis("left").setWidth(GUTTER)
        item.getAxis("left").setTicks([[(0, "0"), (0.5, "Score"), (1, "1")]])
        item.setYRange(0, 1, padding=0.02)
        item.getViewBox().setDefaultPadding(0)
        self._threshold = pg.InfiniteLine(0, angle=0)
        self._playhead = pg.InfiniteLine(0, angle=90)
        self.addItem(self._threshold)
        self.addItem(self._playhead)
        self.addItem(self._other_item)
        view.changed.connect(self._refresh)

    def set_evidence(self, view: EvidenceView | None) -> None:
        """Shows the curves of evidence; unchanged ones cost nothing."""
        curves = {} if view is None else view.curves
        for name in [*self._items]:
            if name not in curves:
                self.removeItem(self._items.pop(name))
                del self._curves[name], self._pyramids[name]
        for name, curve in curves.items():
            if view is None or self._curves.get(name) is curve:
                continue
            self._curves[name] = curve
            self._pyramids[name] = ScorePyramid(view.seconds[curve.frames], curve.scores)
            if name not in self._items:
                self._items[name] = pg.PlotCurveItem(antialias=False)
                self.addItem(self._items[name])
        self._recolour()
        self._refresh()

    def set_other(self, view: EvidenceView | None, curve: Curve | None) -> None:
        """Shows another curve beside those of the evidence; None takes it away."""
        self._other = None
        if view is not None and curve is not None and len(curve.scores):
            self._other = ScorePyramid(view.seconds[curve.frames], curve.scores)
        self._refresh()

    def set_hidden(self, channels: frozenset[str]) -> None:
        """Hides the curves of channels."""
        self._hidden = channels
        self._refresh()

    def set_leading(self, channel: str) -> None:
        """Lets the score of a channel stand out; empty for the first one's."""
        if channel != self._leading:
            self._leading = channel
            self._recolour()

    def set_threshold(self, score: float) -> None:
        """Moves the line of the threshold."""
        self._threshold.setValue(score)
        self._threshold.setVisible(score > 0)

    def set_playhead(self, seconds: float) -> None:
        """Moves the playhead."""
        self._playhead.setValue(seconds)

    def set_tokens(self, tokens: Tokens) -> None:
        """Takes the colours of a theme."""
        self._tokens = tokens
        self._recolour()

    def showEvent(self, event: QShowEvent) -> None:
        """Draws what changed while hidden."""
        super().showEvent(event)
        self._refresh()

    def _recolour(self) -> None:
        tokens, names = self._tokens, list(self._items)
        leading = self._leading if self._leading in names else next(iter(names), "")
        for row, (name, item) in enumerate(self._items.items()):
            pen = _pen(tokens.score if name == leading else tokens.muted, 1)
            item.setZValue(name == leading)
            provisional = self._curves[name].provisional
            pen.setStyle(Qt.PenStyle.DotLine if provisional else _DASHES[row % len(_DASHES)])
            item.setPen(pen)
        self._other_item.setPen(_pen(tokens.accent, 2, Qt.PenStyle.DashLine))
        self._threshold.setPen(_pen(tokens.muted, 1, Qt.PenStyle.DashLine))
        self._playhead.setPen(_pen(tokens.accent, 1))
        for side in ("left", "bottom"):
            axis = self.getPlotItem().getAxis(side)
            axis.setPen(_pen(tokens.line, 1))
            axis.setTextPen(QColor(tokens.muted))
        self.setBackground(QColor(tokens.panel))

    def _refresh(self) -> None:
        if not self.isVisible():
            return
        self.getPlotItem().setXRange(self._view.start, self._view.end, padding=0)
        columns = max(64, self.width() - GUTTER)
        for name, item in self._items.items():
            item.setVisible(name not in self._hidden)
            if name not in self._hidden:
                times, scores = self._pyramids[name].line(self._view.start, self._view.end, columns)
                item.setData(times, scores)
        self._other_item.setVisible(self._other is not None)
        if self._other is not None:
            self._other_item.setData(*self._other.line(self._view.start, self._view.end, columns))


def _pen(colour: str, width: int, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
    pen = QPen(QColor(colour), width, style)
    pen.setCosmetic(True)
    return pen


def _time(seconds: float, step: float) -> str:
    whole = round(seconds * 1000)
    hours, rest = divmod(whole, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    text = f"{hours:02}:{minutes:02}:{rest // 1000:02}"
    return text if step >= 1 else f"{text}.{rest % 1000:03}"
