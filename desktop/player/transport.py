"""Under the picture: buttons, where the frame lies, and what is drawn over it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QGridLayout,
    QLabel,
    QMenu,
    QSlider,
    QToolButton,
    QWidget,
    QWidgetAction,
)

from desktop.player.picture_panel import PicturePanel
from desktop.state.evidence_view import EvidenceView
from desktop.state.view_state import OverlaySettings, ShownFrame, ViewState
from desktop.theme.controls import choice_field, figures_label, icon_button
from desktop.theme.icons import icon
from desktop.theme.layouts import column_of, row_of
from engine.core.times import format_time
from engine.render.palette import COLOUR_MAPS

_BUTTONS = (
    ("start", "skip-back", "Go to the first frame (Home)"),
    ("back", "step-back", "One frame back (←)"),
    ("play", "play", "Play or pause (Space)"),
    ("forward", "step-forward", "One frame forward (→)"),
    ("end", "skip-forward", "Go to the last frame (End)"),
)


class Transport(QWidget):
    """The bar under the picture; it changes the state, and says what buttons were pressed."""

    pressed = Signal(str)
    """`start`, `back`, `play`, `forward` or `end`."""

    def __init__(self, state: ViewState) -> None:
        super().__init__()
        self._state = state
        self._dropped = 0
        self._buttons = {
            name: icon_button(icon_name, tip, partial(self.pressed.emit, name))
            for name, icon_name, tip in _BUTTONS
        }
        self._speed = self._label("Speed", "0.25x")
        self._time = self._label("Stream time", "00:00:00.000")
        self._clock = self._label("Burned-in clock", "")
        self._frame = self._label("Frame, PTS and type", "")
        self._score = self._label("Score", "score 0.00")
        where = (self._time, self._clock, self._frame, None, self._score)
        labels = row_of(*where, margins=(8, 4, 8, 0), spacing=16)
        buttons = self._buttons.values()
        row = row_of(*buttons, self._speed, None, *self._overlay_controls(), margins=(8, 4, 8, 4))
        column_of(labels, row, parent=self, spacing=0)
        state.shown.changed.connect(lambda _frame: self._refresh())
        state.evidence.changed.connect(lambda _view: self._refresh())
        state.rate.changed.connect(lambda _rate: self._refresh())
        state.every_frame.changed.connect(lambda _on: self._refresh())
        state.playing.changed.connect(self._playing)
        state.overlay.changed.connect(self._show_overlay)
        self._refresh()

    def set_dropped(self, dropped: int) -> None:
        """Says how many frames were left out since playing began."""
        if dropped != self._dropped:
            self._dropped = dropped
            self._refresh()

    def _label(self, name: str, widest: str) -> QLabel:
        label = figures_label(widest)
        label.setAccessibleName(name)
        label.setToolTip(name)
        label.setMinimumWidth(label.minimumWidth() + 4)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        return label

    def _overlay_controls(self) -> tuple[QWidget, ...]:
        overlay = self._state.overlay
        self._toggles: dict[str, QToolButton] = {}
        for name, icon_name, tip in (
            ("heat", "flame", "Heatmap (H)"),
            ("boxes", "square", "Boxes (B)"),
            ("paths", "route", "Paths (P)"),
            ("side_by_side", "columns-2", "Compare with and without overlay (S)"),
        ):
            toggle = icon_button(icon_name, tip)
            toggle.setCheckable(True)
            toggle.toggled.connect(
                lambda on, name=name: overlay.set(replace(overlay.value, **{name: on}))
            )
            self._toggles[name] = toggle
        self._opacity = QSlider(Qt.Orientation.Horizontal)
        self._opacity.setRange(0, 100)
        self._opacity.setFixedWidth(72)
        self._opacity.setToolTip("Opacity of the heatmap")
        self._opacity.setAccessibleName("Opacity of the heatmap")
        self._opacity.valueChanged.connect(
            lambda value: overlay.set(replace(overlay.value, opacity=value / 100))
        )
        view_button = self._view_button()
        self._show_overlay(overlay.value)
        return (*self._toggles.values(), self._opacity, view_button)

    def _view_button(self) -> QToolButton:
        tip = "View settings: they never touch the analysis"
        button = icon_button("sliders-horizontal", tip, name="View settings")
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(button)
        action = QWidgetAction(menu)
        panel = QWidget()
        grid = QGridLayout(panel)
        self._maps = choice_field("Colours of the heatmap", list(COLOUR_MAPS))
        overlay = self._state.overlay
        self._maps.currentTextChanged.connect(
            lambda name: overlay.set(replace(overlay.value, colour_map=name))
        )
        grid.addWidget(QLabel("Heatmap colours"), 0, 0)
        grid.addWidget(self._maps, 0, 1)
        grid.addWidget(PicturePanel(self._state.picture), 1, 0, 1, 2)
        action.setDefaultWidget(panel)
        menu.addAction(action)
        button.setMenu(menu)
        return button

    def _show_overlay(self, settings: OverlaySettings) -> None:
        for name, toggle in self._toggles.items():
            toggle.setChecked(bool(getattr(settings, name)))
        self._opacity.setValue(round(settings.opacity * 100))
        self._maps.setCurrentText(settings.colour_map)

    def _playing(self, on: bool) -> None:
        button = self._buttons["play"]
        button.setIcon(icon("pause" if on else "play"))
        button.setAccessibleName("Pause" if on else "Play")

    def _refresh(self) -> None:
        view, frame = self._state.evidence.value, self._state.shown.value
        rate, every = self._state.rate.value, self._state.every_frame.value
        speed = f"{rate:g}x" if not every else "every frame"
        dropped = f" · {self._dropped} frames dropped" if self._dropped else ""
        self._speed.setText(speed + dropped)
        for button in self._buttons.values():
            button.setEnabled(view is not None)
        if view is None or frame is None:
            for label in (self._time, self._clock, self._frame, self._score):
                label.setText("")
            return
        self._time.setText(format_time(frame.seconds))
        offset = view.clock_offset_s
        self._clock.setText("" if offset is None else f"clock {_clock(frame.seconds + offset)}")
        origin = " made" if view.index.made else ""
        self._frame.setText(f"frame {frame.index:,} · pts {frame.pts}{origin} · {frame.pict_type}")
        self._score.setText(_score(view, frame))


def _score(view: EvidenceView, frame: ShownFrame) -> str:
    curve = next(iter(view.curves.values()), None)
    score = None if curve is None else curve.at(frame.index)
    if score is None or curve is None:
        return "score –"
    return f"score {score:.2f}{' provisional' if curve.provisional else ''}"


def _clock(seconds: float) -> str:
    """Writes a time of day, or a date and time when the offset counts from 1970."""
    if seconds < 10 * 86400:
        return format_time(seconds)
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
