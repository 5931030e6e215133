"""The timeline: everything about the evidence over time, and the hand on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QPixmap, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QLabel, QMenu, QSlider, QToolButton, QVBoxLayout, QWidget

from desktop.state.delayed_call import delayed_call
from desktop.state.evidence_view import EvidenceView
from desktop.state.view_state import Marks, OverlaySettings, Selection, ViewState
from desktop.state.visibility_filters import visible_events, visible_trajectories
from desktop.theme.controls import figures_label, icon_button, labelled_button, muted_label
from desktop.theme.layouts import column_of, row_of
from desktop.theme.theme_tokens import DARK, Tokens
from desktop.timeline.lane_stack import LaneStack
from desktop.timeline.lanes import EventLane, MarkLane, PathLane
from desktop.timeline.thumbnail_strip import ThumbnailStrip
from desktop.timeline.thumbnails import ThumbnailServer, ThumbnailSource
from desktop.timeline.time_view import TimeView
from desktop.timeline.timeline_mouse import TimelineMouseHandler
from engine.core.times import format_time
from engine.media import IndexCache

if TYPE_CHECKING:
    from desktop.timeline.score_plot import ScorePlot

_HOVER_HEIGHT = 96  # pixels of the picture above the pointer


class Timeline(QWidget):
    """Follows the state; a click goes there, a drag scrubs, the wheel zooms.

    Attributes:
        view: the time in sight.
        controls: threshold, channels and zoom, to be placed where there is room.
    """

    def __init__(self, state: ViewState) -> None:
        super().__init__()
        self._state = state
        self.view = TimeView()
        self._events, self._paths, self._marks = EventLane(), PathLane(), MarkLane()
        self._server = ThumbnailServer()
        self._thumbnails = ThumbnailStrip(self.view, self._server)
        self._plot: ScorePlot | None = None
        self._loading = delayed_call(self, 0, self._add_plot)
        self._tokens = DARK
        self._lanes = LaneStack(self.view, (self._events, self._paths, self._marks))
        self._hover = _HoverPreview()
        self._indexes: IndexCache | None = None
        self._evidence_id = 0
        self._mouse = TimelineMouseHandler(self.view)
        for widget in (self._thumbnails, self._lanes):
            self._mouse.watch(widget)
        self.controls = QWidget()
        self._fill_controls()
        self._room = QVBoxLayout()
        column_of(self._thumbnails, (self._room, 1), self._lanes, parent=self, spacing=0)
        self._connect()
        self._show(state.evidence.value)

    def set_indexes(self, indexes: IndexCache | None) -> None:
        """Says where the indexes of files are kept."""
        self._indexes = indexes

    def set_tokens(self, tokens: Tokens) -> None:
        """Takes the colours of a theme."""
        self._tokens = tokens
        for widget in self._parts:
            widget.set_tokens(tokens)

    def close_threads(self) -> None:
        """Ends the thread that makes pictures."""
        self._thumbnails.stop()
        self._hover.hide()
        self._loading.stop()
        self._server.close()

    def _connect(self) -> None:
        state, mouse = self._state, self._mouse
        state.evidence.changed.connect(self._show)
        state.position.changed.connect(self._on_view_change)
        state.threshold.changed.connect(lambda _threshold: self._filter())
        state.hidden_channels.changed.connect(lambda _names: self._filter())
        state.overlay.changed.connect(self._lead)
        state.selection.changed.connect(self._select)
        state.marks.changed.connect(self._mark)
        state.compared.changed.connect(lambda _curves: self._compare())
        mouse.pressed.connect(self._on_press)
        mouse.scrubbed.connect(self._on_scrub)
        mouse.released.connect(lambda: state.dragging.set(False))
        mouse.hovered.connect(self._on_hover)
        mouse.left.connect(self._hover.hide)
        self._server.thumbnail_ready.connect(self._hover.take)

    @property
    def _parts(self) -> tuple[ThumbnailStrip | LaneStack | ScorePlot, ...]:
        plot = () if self._plot is None else (self._plot,)
        return (self._thumbnails, *plot, self._lanes)

    def showEvent(self, event: QShowEvent) -> None:
        """Loads the plot once the window has been painted for the first time."""
        super().showEvent(event)
        if self._plot is None:
            self._loading.start()

    def _add_plot(self) -> None:
        # The slowest library of the window. Imported in another thread, as it makes types of Qt,
        # it ends the process now and then.
        from desktop.timeline.score_plot import ScorePlot

        self._plot = ScorePlot(self.view)
        self._room.addWidget(self._plot)
        self._mouse.watch(self._plot.viewport())
        self._plot.set_tokens(self._tokens)
        view = self._state.evidence.value
        self._plot.set_evidence(view)
        self._compare()
        self._filter()
        self._on_view_change(self._state.position.value)

    def _fill_controls(self) -> None:
        self._span = figures_label()
        self._span.setProperty("role", "muted")
        self._other = muted_label()
        self._channels = labelled_button("Channels", "Which channels are shown")
        self._channels.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._channels.setMenu(QMenu(self._channels))
        self._threshold_slider = QSlider(Qt.Orientation.Horizontal)
        self._threshold_slider.setRange(0, 100)
        self._threshold_slider.setFixedWidth(120)
        self._threshold_slider.setAccessibleName("Least score shown")
        self._threshold_slider.setToolTip("Events and trajectories below this score are hidden")
        self._threshold_slider.valueChanged.connect(
            lambda value: self._state.threshold.set(value / 100)
        )
        self._threshold_text = figures_label("0.00")
        row_of(
            self._span,
            self._other,
            None,
            self._channels,
            QLabel("Threshold"),
            self._threshold_slider,
            self._threshold_text,
            icon_button("zoom-in", "Zoom in on the playhead", self.zoom_in),
            icon_button("zoom-out", "Zoom out", self.zoom_out),
            icon_button("scan", "Show everything", self.view.fit),
            parent=self.controls,
            margins=(8, 0, 8, 0),
        )
        self.view.changed.connect(self._say_span)

    def _zoom(self, factor: float) -> None:
        view = self._state.evidence.value
        if view is not None:
            here = float(view.seconds[self._state.position.value])
            inside = self.view.start <= here <= self.view.end
            self.view.zoom(factor, here if inside else (self.view.start + self.view.end) / 2)

    def zoom_in(self) -> None:
        """Shows less time around the playhead."""
        self._zoom(2.0)

    def zoom_out(self) -> None:
        """Shows more time."""
        self._zoom(0.5)

    def _show(self, view: EvidenceView | None) -> None:
        changed = (view.evidence.id if view else 0) != self._evidence_id
        if changed:
            self._evidence_id = view.evidence.id if view else 0
            self._server.open(None if view is None else self._source(view))
            self.view.set_duration(1.0 if view is None else view.duration_s)
        self._fill_channels(view)
        if self._plot is not None:
            self._plot.set_evidence(view)
        self._compare()
        self._thumbnails.set_evidence(view)
        self._marks.set_evidence(view)
        self._filter()

    def _source(self, view: EvidenceView) -> ThumbnailSource:
        return ThumbnailSource(view.path, view.stream, view.evidence.fps, self._indexes)

    def _filter(self) -> None:
        state, view = self._state, self._state.evidence.value
        threshold, hidden = state.threshold.value, state.hidden_channels.value
        self._events.set_events(visible_events(view, threshold, hidden))
        visible = {trajectory.id for trajectory in visible_trajectories(view, threshold)}
        rest = () if view is None else view.trajectories
        self._paths.set_trajectories(
            view, frozenset(trajectory.id for trajectory in rest if trajectory.id not in visible)
        )
        if self._plot is not None:
            self._plot.set_hidden(hidden)
            self._plot.set_leading(state.overlay.value.channel)
            self._plot.set_threshold(threshold)
        self._threshold_slider.setValue(round(threshold * 100))
        self._threshold_text.setText(f"{threshold:.2f}")
        self._lanes.redraw()

    def _compare(self) -> None:
        view = self._state.evidence.value
        evidence_id = None if view is None else view.evidence.id
        curves = self._state.compared.value
        other = next((curve for curve in curves if curve.evidence_id == evidence_id), None)
        self._other.setText("" if other is None else f"dashed: {other.name}")
        if self._plot is not None:
            self._plot.set_other(view, None if other is None else other.curve)

    def _lead(self, overlay: OverlaySettings) -> None:
        if self._plot is not None:
            self._plot.set_leading(overlay.channel)

    def _fill_channels(self, view: EvidenceView | None) -> None:
        names = [] if view is None else list(view.curves)
        if view is not None and any(row.event.channel == "examiner" for row in view.events):
            names.append("examiner")
        self._channels.setVisible(len(names) > 1)
        menu = self._channels.menu()
        if [action.text() for action in menu.actions()] == names:
            return
        menu.clear()
        for name in names:
            action = menu.addAction(name)
            action.setCheckable(True)
            action.setChecked(name not in self._state.hidden_channels.value)
            action.toggled.connect(lambda on, name=name: self._hide(name, not on))

    def _hide(self, name: str, hidden: bool) -> None:
        names = self._state.hidden_channels.value
        self._state.hidden_channels.set(names | {name} if hidden else names - {name})

    def _on_view_change(self, frame: int) -> None:
        view = self._state.evidence.value
        if view is None or frame >= len(view.seconds):
            return
        seconds = float(view.seconds[frame])
        if not self._state.dragging.value:
            self.view.reveal(seconds)
        for widget in self._parts:
            widget.set_playhead(seconds)

    def _select(self, selection: Selection | None) -> None:
        kind, row_id = (selection.kind, selection.id) if selection else ("", 0)
        self._events.select(row_id if kind == "event" else None)
        self._paths.select(row_id if kind == "trajectory" else None)
        self._lanes.redraw()

    def _mark(self, marks: Marks) -> None:
        self._marks.set_marks(marks)
        self._lanes.redraw()

    def _on_press(self, widget: QWidget, point: QPointF) -> None:
        if self._state.evidence.value is None:
            return
        self._state.playing.set(False)
        self._state.accumulated.set(False)
        if widget is self._lanes:
            hit = self._lanes.hit(point)
            if hit is not None:
                self._state.selection.set(hit)
        self._state.dragging.set(True)

    def _on_scrub(self, seconds: float) -> None:
        view = self._state.evidence.value
        if view is not None:
            self._state.position.set(view.index.nearest(seconds))

    def _on_hover(self, seconds: float, position: QPointF) -> None:
        view = self._state.evidence.value
        if view is None:
            return
        frame = view.index.nearest(seconds)
        self._server.ask_first(frame)
        top = self.mapToGlobal(QPoint(0, 0)).y()
        curve = next(iter(view.curves.values()), None)
        score = None if curve is None else curve.at(frame)
        text = "" if score is None else f" · score {score:.2f}"
        self._hover.show_at(
            frame, f"{format_time(float(view.seconds[frame]))}{text}", int(position.x()), top
        )

    def _say_span(self) -> None:
        if self._state.evidence.value is None:
            self._span.setText("")
        else:
            start, end = format_time(self.view.start), format_time(self.view.end)
            self._span.setText(f"{start} – {end}")

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fits what is drawn to the new width."""
        super().resizeEvent(event)
        self.view.changed.emit()


class _HoverPreview(QLabel):
    """A small picture above the timeline: what is there."""

    def __init__(self) -> None:
        super().__init__(None, Qt.WindowType.ToolTip | Qt.WindowType.WindowTransparentForInput)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self._frame = -1
        self._text = QLabel(self)
        self._picture = QLabel(self)
        column_of(self._picture, self._text, parent=self, margins=(4, 4, 4, 4), spacing=4)

    def show_at(self, frame: int, text: str, x: int, bottom: int) -> None:
        """Shows words at once and a picture as soon as it is there."""
        self._frame = frame
        self._text.setText(text)
        self.adjustSize()
        screen = self.screen().availableGeometry()
        left = min(max(screen.left(), x - self.width() // 2), screen.right() - self.width())
        self.move(left, max(screen.top(), bottom - self.height() - 4))
        self.show()

    def take(self, frame: int, picture: QImage) -> None:
        """Shows a picture when it is the one wanted."""
        if frame == self._frame and self.isVisible() and not picture.isNull():
            smooth = Qt.TransformationMode.SmoothTransformation
            self._picture.setPixmap(
                QPixmap.fromImage(picture.scaledToHeight(_HOVER_HEIGHT, smooth))
            )
