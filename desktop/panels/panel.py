"""What all panels share: a list, and words with one action when it is empty."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QLabel,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop.panels.row_list import RowList


class EmptyState(QWidget):
    """Says what will be here and offers the one action that fills it."""

    def __init__(self, text: str, action: QAction | None = None) -> None:
        super().__init__()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(8)
        self._text = QLabel(text)
        self._text.setWordWrap(True)
        self._text.setProperty("role", "muted")
        layout.addWidget(self._text)
        if action is not None:
            button = QPushButton(action.text().replace("&", ""))
            button.setEnabled(action.isEnabled())
            button.clicked.connect(action.trigger)
            action.changed.connect(lambda: button.setEnabled(action.isEnabled()))
            layout.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addStretch(1)

    def say(self, text: str) -> None:
        """Changes the words."""
        self._text.setText(text)


class Panel(QWidget):
    """A list with an empty state; what else a panel has stands above or below.

    Attributes:
        list: the rows.
        empty: what is shown while there are none.
    """

    def __init__(self, name: str, empty: str, action: QAction | None = None) -> None:
        super().__init__()
        self.list = RowList(name)
        self.empty = EmptyState(empty, action)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.empty)
        self._pages.addWidget(self.list)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(0)
        self.column.addWidget(self._pages, 1)
        self._with_rows: list[QWidget] = []
        self.list.rows.modelReset.connect(self._turn)

    def show_with_rows(self, *widgets: QWidget) -> None:
        """Hides widgets while there are no rows they could be about."""
        self._with_rows.extend(widgets)
        self._turn()

    def _turn(self) -> None:
        some = bool(self.list.rows.rows)
        self._pages.setCurrentWidget(self.list if some else self.empty)
        for widget in self._with_rows:
            widget.setVisible(some)
