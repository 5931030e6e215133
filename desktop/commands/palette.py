"""The command palette: type a few letters of what you want to do."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QIcon, QKeyEvent, QPixmap
from PySide6.QtWidgets import QDialog, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from desktop.commands.command_registry import Command, Commands, key_text

_ICON = 16


def matches(text: str, wanted: str) -> bool:
    """Whether every word typed occurs in a text, in any order."""
    low = text.casefold()
    return all(word in low for word in wanted.casefold().split())


class Palette(QDialog):
    """Lists the commands that match what is typed; Enter does the chosen one."""

    def __init__(self, commands: Commands, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Commands")
        self._commands = commands
        self._field = QLineEdit()
        self._field.setPlaceholderText("What do you want to do?")
        self._field.setAccessibleName("Search for a command")
        self._list = QListWidget()
        self._list.setAccessibleName("Commands that match")
        self._list.setUniformItemSizes(True)
        self._list.setIconSize(QSize(_ICON, _ICON))
        # Stands in for a missing icon, so that all lines begin at the same place.
        blank = QPixmap(_ICON, _ICON)
        blank.fill(Qt.GlobalColor.transparent)
        self._blank = QIcon(blank)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(8)
        layout.addWidget(self._field)
        layout.addWidget(self._list)
        self.resize(520, 380)
        self._field.textChanged.connect(self._fill)
        self._field.returnPressed.connect(self._choose)
        self._list.itemActivated.connect(lambda _item: self._choose())
        self._list.itemClicked.connect(lambda _item: self._choose())
        self._field.installEventFilter(self)
        self._fill("")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Lets Up and Down move through the list while typing."""
        moves = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            step = moves.get(Qt.Key(event.key()))
            if step is not None and self._list.count():
                row = self._list.currentRow() + step
                self._list.setCurrentRow(min(self._list.count() - 1, max(0, row)))
                return True
        return super().eventFilter(watched, event)

    def _fill(self, wanted: str) -> None:
        self._list.clear()
        for command in self._commands.all:
            action = self._commands.action(command.name)
            if action.isEnabled() and matches(_line(command), wanted):
                sign = self._blank if action.icon().isNull() else action.icon()
                item = QListWidgetItem(sign, _line(command))
                item.setData(Qt.ItemDataRole.UserRole, command.name)
                self._list.addItem(item)
        self._list.setCurrentRow(0)

    def _choose(self) -> None:
        item = self._list.currentItem()
        if item is not None:
            self.accept()
            self._commands.action(item.data(Qt.ItemDataRole.UserRole)).trigger()


def _line(command: Command) -> str:
    keys = f"    {key_text(command)}" if command.keys else ""
    return f"{command.menu.replace('&', '')}: {command.plain}{keys}"
