"""The frame around a panel: its name, and buttons to take it out or hide it."""

from __future__ import annotations

from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QLabel, QToolButton, QWidget

from desktop.theme.icons import icon


class PanelDock(QDockWidget):
    """A panel that can be moved, floated and hidden, with icons of the window's family.

    Args:
        name: of the panel.
        panel: what it frames.
        parent: the window.
        controls: what stands in the title beside the name; None for nothing.
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
        row = QHBoxLayout(title)
        row.setContentsMargins(8, 2, 4, 2)
        row.setSpacing(4)
        row.addWidget(label, 0 if controls else 1)
        if controls is not None:
            row.addWidget(controls, 1)
        self._float = _button("arrow-up-right", f"{name} in a window of its own")
        self._float.clicked.connect(lambda: self.setFloating(not self.isFloating()))
        hide = _button("x", f"Hide {name}; the View menu shows it again")
        hide.clicked.connect(self.close)
        row.addWidget(self._float)
        row.addWidget(hide)
        self.setTitleBarWidget(title)
        self.topLevelChanged.connect(
            lambda out: self._float.setToolTip(
                f"{name} back into the window" if out else f"{name} in a window of its own"
            )
        )


def _button(name: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setIcon(icon(name))
    button.setProperty("quiet", True)
    button.setToolTip(tip)
    button.setAccessibleName(tip.partition(";")[0])
    return button
