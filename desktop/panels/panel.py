"""What all panels share: a list, and words with one action when it is empty."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop.panels.row_list import RowList
from desktop.state.evidence_view import EvidenceView


class EmptyState(QScrollArea):
    """Says what will be here and offers the one action that fills it; cuts nothing when small."""

    def __init__(self, text: str, action: QAction | None = None) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setProperty("role", "empty")
        content = QWidget()
        self.setWidget(content)
        layout = QVBoxLayout(content)
        layout.setContentsMargins(12, 12, 12, 12)
        layout.setSpacing(8)
        self._text = QLabel(text)
        self._text.setWordWrap(True)
        self._text.setProperty("role", "muted")
        layout.addWidget(self._text)
        self._action: QAction | None = None
        self._button = QPushButton()
        self._button.clicked.connect(self._do)
        layout.addWidget(self._button, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addStretch(1)
        self.offer(action)

    @property
    def text(self) -> str:
        """What it says."""
        return self._text.text()

    def say(self, text: str) -> None:
        """Changes the words."""
        self._text.setText(text)

    def offer(self, action: QAction | None) -> None:
        """Changes the action; None offers none."""
        if self._action is not None:
            self._action.changed.disconnect(self._follow)
        self._action = action
        self._button.setVisible(action is not None)
        if action is not None:
            self._button.setText(action.text().replace("&", ""))
            self._button.setToolTip(action.toolTip())
            action.changed.connect(self._follow)
            self._follow()

    def _follow(self) -> None:
        self._button.setEnabled(self._action is not None and self._action.isEnabled())

    def _do(self) -> None:
        if self._action is not None:
            self._action.trigger()


def offered(view: EvidenceView | None, add: QAction, analyse: QAction) -> QAction | None:
    """Returns the action that brings results: adding evidence, analysing it, or none."""
    if view is None:
        return add
    return analyse if view.run is None else None


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

    def add_below(self, *widgets: QWidget) -> None:
        """Puts fields under the list, apart from each other and from the edges."""
        column = QVBoxLayout()
        column.setContentsMargins(8, 4, 8, 8)
        column.setSpacing(8)
        for widget in widgets:
            column.addWidget(widget)
        self.column.addLayout(column)

    def show_with_rows(self, *widgets: QWidget) -> None:
        """Hides widgets while there are no rows they could be about."""
        self._with_rows.extend(widgets)
        self._turn()

    def _turn(self) -> None:
        some = bool(self.list.rows.rows)
        self._pages.setCurrentWidget(self.list if some else self.empty)
        for widget in self._with_rows:
            widget.setVisible(some)
