"""The window: picture in the middle, lists beside it, time below."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QByteArray, QSize, Qt, Signal
from PySide6.QtGui import QAction, QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QLabel,
    QMainWindow,
    QMenu,
    QSizePolicy,
    QTabWidget,
    QToolBar,
    QToolButton,
    QWidget,
)

from desktop.command_registry import MENUS, WindowCommands
from desktop.dialogs.notice_strip import NoticeStrip
from desktop.dialogs.work_status import WorkStatus
from desktop.panels.bookmarks_panel import BookmarksPanel
from desktop.panels.chat_panel import ChatPanel
from desktop.panels.dock import PanelDock
from desktop.panels.events_panel import EventsPanel
from desktop.panels.evidence_panel import EvidencePanel
from desktop.panels.notes_panel import NotesPanel
from desktop.panels.teach_panel import TeachPanel
from desktop.panels.timeline_panel import TimelinePanel
from desktop.panels.trajectories_panel import TrajectoriesPanel
from desktop.player.player import Player
from desktop.state.view_state import ViewState
from desktop.theme.layouts import column_of
from desktop.theme.theme_tokens import Tokens
from desktop.timeline.timeline import Timeline

_LAYOUT_VERSION = 4
"""Goes up when panels change, so that Qt does not restore a layout of other panels."""
_LEFT_WIDTH, _RIGHT_WIDTH, _BOTTOM_HEIGHT = 250, 310, 210  # pixels of the first layout; a choice


class MainWindow(QMainWindow):
    """Holds the panels; what they do is connected in `desktop.wiring`.

    Attributes:
        commands: all commands with their actions.
        player: the picture and its controls.
        timeline: scores, events and trajectories over time.
        notice: the strip for errors and news.
        status: the long work in progress.
        integrity: whether the case was verified.
    """

    dropped = Signal(object)
    """list[Path]: files and folders that were dropped on the window."""

    closing = Signal()
    """The window is about to close."""

    def __init__(self, state: ViewState) -> None:
        super().__init__()
        self.setWindowTitle("Sightline")
        self.setMinimumSize(960, 600)
        self.resize(1440, 900)
        self.setAcceptDrops(True)
        # Docks as tabs leave tab bars behind when a layout is restored.
        self.setDockOptions(QMainWindow.DockOption.AllowNestedDocks)
        self.commands = WindowCommands(self)
        self.player = Player(state)
        self.timeline = Timeline(state)
        self.notice = NoticeStrip()
        self.status = WorkStatus()
        self.integrity = QLabel()
        self._docks: list[PanelDock] = []
        self._notes_tabs = QTabWidget()
        self._chat_tabs = QTabWidget()
        self.setCentralWidget(self._centre())
        self._add_status()

    def build(self, state: ViewState) -> None:
        """Makes panels, menus and toolbar; the commands must have been added."""
        action = self.commands.action
        self.evidence = EvidencePanel(action("evidence.add"))
        states = ("unseen", "seen", "relevant", "dismissed")
        triage = {state: action(f"review.{state}") for state in states}
        self.events = EventsPanel(
            state, action("evidence.add"), action("evidence.analyse"), action("go.highest"), triage
        )
        self.trajectories = TrajectoriesPanel(
            state, action("evidence.add"), action("evidence.analyse")
        )
        self.bookmarks = BookmarksPanel(state, action("review.bookmark"))
        self.notes = NotesPanel(state)
        self.chat = ChatPanel(
            state,
            action("evidence.add"),
            action("evidence.analyse"),
            action("dialogue.interview"),
        )
        self.teach = TeachPanel(
            state,
            {shape: action(f"teach.{shape}") for shape in ("point", "box", "brush")},
            action("teach.teach"),
            action("teach.variants"),
        )
        self.timeline_panel = TimelinePanel(self.timeline, action("evidence.add"))
        self._add_docks()
        self._add_menus()
        self._add_toolbar()
        self._first_layout = self.saveState(_LAYOUT_VERSION)

    def set_tokens(self, tokens: Tokens) -> None:
        """Sets the colours of a theme."""
        panels = (self.evidence, self.events, self.trajectories, self.chat)
        for widget in (self.timeline, self.notice, *panels):
            widget.set_tokens(tokens)

    def restore_layout(self, layout: str, geometry: str) -> None:
        """Restores panels and window as `saved_layout` gave them; empty texts leave them."""
        if geometry:
            self.restoreGeometry(QByteArray.fromBase64(geometry.encode()))
        self._fit_screen()
        if layout:
            self.restoreState(QByteArray.fromBase64(layout.encode()), _LAYOUT_VERSION)

    def _fit_screen(self) -> None:
        """Keeps a window of a larger screen within this one."""
        if self.isMaximized() or self.isFullScreen():
            return
        area = self.screen().availableGeometry()
        self.resize(self.size().boundedTo(area.size()))
        corner = area.bottomRight() - self.rect().bottomRight()
        self.move(
            max(area.left(), min(self.x(), corner.x())), max(area.top(), min(self.y(), corner.y()))
        )

    def reveal(self, panel: QWidget) -> None:
        """Brings a panel to the front, also when it is hidden."""
        for dock in self._docks:
            if dock.isAncestorOf(panel):
                dock.show()
                dock.raise_()
        for tabs in (self._notes_tabs, self._chat_tabs):
            if tabs.indexOf(panel) >= 0:
                tabs.setCurrentWidget(panel)

    def reset_panels(self) -> None:
        """Restores the layout of the first start."""
        self.restoreState(self._first_layout, _LAYOUT_VERSION)

    @property
    def saved_layout(self) -> tuple[str, str]:
        """Layout of the panels and geometry of the window, each as base64."""
        layout = bytes(self.saveState(_LAYOUT_VERSION).toBase64().data())
        return layout.decode(), bytes(self.saveGeometry().toBase64().data()).decode()

    def show_recent(self, folders: tuple[str, ...], open_case: Callable[[Path], None]) -> None:
        """Fills the menu of recent cases; `open_case` is called with the folder of one."""
        self._recent.clear()
        for folder in folders:
            entry = self._recent.addAction(Path(folder).name)
            entry.setToolTip(folder)
            entry.triggered.connect(lambda _on=False, path=Path(folder): open_case(path))
        self._recent.setEnabled(bool(folders))

    def set_case_name(self, name: str, folder: str) -> None:
        """Shows the name of the case."""
        self._case_name.setText(name or "no case is open")
        self._case_name.setToolTip(folder)
        self.setWindowTitle(f"{name} – Sightline" if name else "Sightline")

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accepts files and folders."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Passes the dropped files and folders on."""
        urls = event.mimeData().urls()
        paths = [Path(url.toLocalFile()) for url in urls if url.isLocalFile()]
        if paths:
            self.dropped.emit(paths)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Says that the window closes, so that threads and processes end."""
        self.closing.emit()
        super().closeEvent(event)

    def _centre(self) -> QWidget:
        centre = QWidget()
        column_of(self.notice, (self.player, 1), parent=centre, spacing=0)
        return centre

    def _add_docks(self) -> None:
        left, right = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea
        bottom = Qt.DockWidgetArea.BottomDockWidgetArea
        self.setCorner(Qt.Corner.BottomLeftCorner, bottom)
        # The chat needs the height: beside a timeline it would show three lines on a small screen.
        self.setCorner(Qt.Corner.BottomRightCorner, right)
        for tabs in (self._notes_tabs, self._chat_tabs):
            tabs.setDocumentMode(True)
            tabs.setTabPosition(QTabWidget.TabPosition.South)
        self._notes_tabs.addTab(self.bookmarks, "Bookmarks")
        self._notes_tabs.addTab(self.notes, "Notes")
        self._chat_tabs.addTab(self.chat, "Chat")
        self._chat_tabs.addTab(self.trajectories, "Trajectories")
        self._chat_tabs.addTab(self.teach, "Teach")
        evidence = self._dock(PanelDock("Evidence", self.evidence, self), left)
        notes = self._dock(PanelDock("Bookmarks and notes", self._notes_tabs, self), left)
        events = self._dock(PanelDock("Events", self.events, self), right)
        chat = self._dock(PanelDock("Chat, trajectories, teaching", self._chat_tabs, self), right)
        timeline = self._dock(
            PanelDock("Timeline", self.timeline_panel, self, self.timeline.controls), bottom
        )
        self.resizeDocks([evidence, events], [_LEFT_WIDTH, _RIGHT_WIDTH], Qt.Orientation.Horizontal)
        vertical = Qt.Orientation.Vertical
        self.resizeDocks([timeline], [_BOTTOM_HEIGHT], vertical)
        self.resizeDocks([evidence, notes], [220, 260], vertical)
        self.resizeDocks([events, chat], [280, 400], vertical)

    def _dock(self, dock: PanelDock, area: Qt.DockWidgetArea) -> PanelDock:
        self.addDockWidget(area, dock)
        self._docks.append(dock)
        return dock

    def _add_menus(self) -> None:
        for title in MENUS:
            menu = self.menuBar().addMenu(title)
            menu.setToolTipsVisible(True)
            for action in self.commands.of_menu(title):
                menu.addAction(action)
                if action is self.commands.action("case.open"):
                    self._recent = menu.addMenu("Open &recent")
                    self._recent.setToolTipsVisible(True)
            if title == "&View":
                menu.addSeparator()
                for dock in self._docks:
                    menu.addAction(dock.toggleViewAction())

    def _add_toolbar(self) -> None:
        bar = QToolBar("Main")
        bar.setObjectName("Main")
        bar.setMovable(False)
        bar.setIconSize(QSize(16, 16))
        self._case_name = QLabel()
        self._case_name.setProperty("role", "title")
        self._case_name.setContentsMargins(4, 0, 8, 0)
        bar.addWidget(self._case_name)
        bar.addWidget(self._text_button(self.commands.action("evidence.add"), "Add"))
        analyse = self._text_button(self.commands.action("evidence.analyse"), "Analyse")
        self.analyse_menu = QMenu(analyse)
        analyse.setMenu(self.analyse_menu)
        analyse.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        bar.addWidget(analyse)
        bar.addWidget(self._text_button(self.commands.action("dialogue.interview"), "Interview"))
        spacer = QWidget()
        spacer.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        bar.addWidget(spacer)
        for name in ("edit.undo", "edit.redo"):
            bar.addAction(self.commands.action(name))
        bar.addWidget(self._text_button(self.commands.action("help.palette"), "Search"))
        bar.addAction(self.commands.action("view.theme"))
        self.addToolBar(Qt.ToolBarArea.TopToolBarArea, bar)

    def _text_button(self, action: QAction, text: str) -> QToolButton:
        button = QToolButton()
        button.setDefaultAction(action)
        button.setText(text)
        button.setProperty("labelled", True)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        # The action's own text belongs to menus; it would come back with every change.
        action.changed.connect(lambda: button.setText(text))
        return button

    def _add_status(self) -> None:
        bar = self.statusBar()
        bar.setSizeGripEnabled(False)
        bar.addWidget(self.status, 1)
        self.integrity.setContentsMargins(8, 0, 8, 0)
        bar.addPermanentWidget(self.integrity)
