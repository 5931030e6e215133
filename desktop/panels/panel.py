"""The base of all panels: a list, or words with one action while it is empty.

A panel is made and docked in `desktop/window.py` (`build`, `_add_docks`, `set_tokens`; a new dock
raises `_LAYOUT_VERSION`) and connected in `desktop/wiring.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QMenu, QScrollArea, QStackedWidget, QWidget

from desktop.panels.row_list import Row, RowList
from desktop.state.evidence_view import EvidenceView
from desktop.theme.controls import muted_label, push_button
from desktop.theme.layouts import column_of


class EmptyState(QScrollArea):
    """Says what will be here, with a button for the action that fills it; scrolls when small."""

    def __init__(self, text: str, action: QAction | None = None) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setProperty("role", "empty")
        content = QWidget()
        self.setWidget(content)
        self._text = muted_label(text, wraps=True)
        self._action: QAction | None = None
        self._button = push_button("", self._trigger)
        column = column_of(self._text, parent=content, margins=(12, 12, 12, 12))
        column.addWidget(self._button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)
        self.set_action(action)

    @property
    def text(self) -> str:
        """The words on screen."""
        return self._text.text()

    def set_text(self, text: str) -> None:
        """Changes the words."""
        self._text.setText(text)

    def set_action(self, action: QAction | None) -> None:
        """Changes the action; None hides the button."""
        if self._action is not None:
            self._action.changed.disconnect(self._enable_button)
        self._action = action
        self._button.setVisible(action is not None)
        if action is not None:
            self._button.setText(action.text().replace("&", ""))
            self._button.setToolTip(action.toolTip())
            action.changed.connect(self._enable_button)
            self._enable_button()

    def _enable_button(self) -> None:
        self._button.setEnabled(self._action is not None and self._action.isEnabled())

    def _trigger(self) -> None:
        if self._action is not None:
            self._action.trigger()


def next_action(view: EvidenceView | None, add: QAction, analyse: QAction) -> QAction | None:
    """Returns the action that leads to results: adding evidence, analysing it, or None."""
    if view is None:
        return add
    return analyse if view.run is None else None


class Panel(QWidget):
    """A list with an empty state; other widgets of a panel stand above or below it.

    Attributes:
        list: the rows.
        empty: shown while there are no rows.
    """

    def __init__(self, name: str, empty: str, action: QAction | None = None) -> None:
        super().__init__()
        self.list = RowList(name)
        self.empty = EmptyState(empty, action)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.empty)
        self._pages.addWidget(self.list)
        self.column = column_of((self._pages, 1), parent=self, spacing=0)
        self._with_rows: list[QWidget] = []
        self._row_actions: Mapping[str, Callable[[int], object]] = {}
        self.list.rows.modelReset.connect(self._show_page)

    def add_below(self, *widgets: QWidget) -> None:
        """Adds fields under the list, with space around each."""
        self.column.addLayout(column_of(*widgets, margins=(8, 4, 8, 8)))

    def show_with_rows(self, *widgets: QWidget) -> None:
        """Hides widgets while there are no rows."""
        self._with_rows.extend(widgets)
        self._show_page()

    def set_row_menu(self, actions: Mapping[str, Callable[[int], object]]) -> None:
        """Gives every row a context menu.

        Args:
            actions: by the text of the menu; each is called with the id of the row.
        """
        self._row_actions = actions
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._show_row_menu)

    def _show_row_menu(self, position: QPoint) -> None:
        row = self.list.indexAt(position).data(Qt.ItemDataRole.UserRole)
        if not isinstance(row, Row) or row.id < 0:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for text, act in self._row_actions.items():
            menu.addAction(text).triggered.connect(lambda _on=False, act=act: act(row.id))
        menu.popup(self.list.viewport().mapToGlobal(position))

    def _show_page(self) -> None:
        has_rows = bool(self.list.rows.rows)
        self._pages.setCurrentWidget(self.list if has_rows else self.empty)
        for widget in self._with_rows:
            widget.setVisible(has_rows)
