"""View settings: how the frame is shown, never what is analysed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QFormLayout, QLabel, QSlider, QWidget

from desktop.state.observable import Observable
from desktop.state.view_state import PictureSettings
from desktop.theme.controls import choice_field, figures_label, muted_label, push_button
from desktop.theme.layouts import row_of

_SLIDERS = (
    ("brightness", "Brightness", -100, 100),
    ("contrast", "Contrast", 25, 400),
    ("gamma", "Gamma", 25, 400),
)
_ASPECTS = {"as the file says": None, "1:1": 1.0, "16:11": 16 / 11, "12:11": 12 / 11, "1:2": 2.0}


class PicturePanel(QWidget):
    """Sliders and choices over one observable."""

    def __init__(self, picture: Observable[PictureSettings]) -> None:
        super().__init__()
        self._picture = picture
        form = QFormLayout(self)
        form.setContentsMargins(0, 8, 0, 0)
        form.addRow(muted_label("View only: nothing here touches the analysis."))
        self._sliders: dict[str, QSlider] = {}
        self._value_labels: dict[str, QLabel] = {}
        for name, text, low, high in _SLIDERS:
            slider = QSlider(Qt.Orientation.Horizontal)
            slider.setRange(low, high)
            slider.setMinimumWidth(160)
            slider.setAccessibleName(text)
            slider.valueChanged.connect(lambda value, name=name: self._set(name, value / 100))
            label = figures_label("+0.00")
            form.addRow(text, row_of((slider, 1), label))
            self._sliders[name], self._value_labels[name] = slider, label
        self._deinterlace = QCheckBox("Deinterlace")
        self._deinterlace.toggled.connect(lambda on: self._set("deinterlace", on))
        form.addRow(self._deinterlace)
        self._rotation = choice_field("Rotation", ["0°", "90°", "180°", "270°"])
        self._rotation.currentIndexChanged.connect(lambda turn: self._set("rotation", turn * 90))
        form.addRow("Rotation", self._rotation)
        self._aspect = choice_field("Pixel aspect", list(_ASPECTS))
        self._aspect.currentTextChanged.connect(lambda name: self._set("aspect", _ASPECTS[name]))
        form.addRow("Pixel aspect", self._aspect)
        form.addRow(push_button("Reset", lambda: picture.set(PictureSettings())))
        picture.changed.connect(self._show)
        self._show(picture.value)

    def _set(self, name: str, value: object) -> None:
        changed: dict[str, Any] = {name: value}
        self._picture.set(replace(self._picture.value, **changed))

    def _show(self, settings: PictureSettings) -> None:
        for name, slider in self._sliders.items():
            value: float = getattr(settings, name)
            slider.setValue(round(value * 100))
            self._value_labels[name].setText(
                f"{value:+.2f}" if name == "brightness" else f"{value:.2f}"
            )
        self._deinterlace.setChecked(settings.deinterlace)
        self._rotation.setCurrentIndex(settings.rotation // 90)
        names = [name for name, value in _ASPECTS.items() if value == settings.aspect]
        self._aspect.setCurrentText(names[0] if names else "as the file says")
