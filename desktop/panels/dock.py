"""The frame around a panel: its name, and buttons to float or hide it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QDockWidget, QLabel, QToolButton, QWidget

from desktop.theme.controls import icon_button
from desktop.theme.layouts import row_of


class PanelDock(QDockWidget):
    """A panel that can be moved, floated and hidden, with the icons of the window.

    Args:
        name: of the panel.
        panel: the widget inside.
        parent: the window.
        controls: in the title beside the name; None for nothing.
    """

    def __init__(
        self, name: str, panel: QWidget, parent: QWidget, controls: QWidget | None = None
    ) -> None:
        super().__init__(name, parent)
        self.setObjectName(name)
        self.setWidget(panel)
        title = QWidget()
        title.setObjectName("panelTitle")
        label = QLabel(name)
        label.setProperty("role", "title")
        self._float = _button(
            "arrow-up-right",
            f"{name} in a window of its own",
            lambda: self.setFloating(not self.isFloating()),
        )
        hide = _button("x", f"Hide {name}; the View menu shows it again", self.close)
        heading = [(label, 1)] if controls is None else [label, (controls, 1)]
        row_of(*heading, self._float, hide, parent=title, margins=(8, 2, 4, 2), spacing=4)
        self.setTitleBarWidget(title)
        self.topLevelChanged.connect(
            lambda floating: self._float.setToolTip(
                f"{name} back into the window" if floating else f"{name} in a window of its own"
            )
        )


def _button(icon_name: str, tip: str, act: Callable[[], object]) -> QToolButton:
    button = icon_button(icon_name, tip, act, tip.partition(";")[0])
    button.setProperty("quiet", True)
    return button
