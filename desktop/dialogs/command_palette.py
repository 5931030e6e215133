"""The command palette: type a few letters of what you want to do."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QIcon, QKeyEvent, QPixmap
from PySide6.QtWidgets import QDialog, QListWidget, QListWidgetItem, QWidget

from desktop.command_registry import WindowCommand, WindowCommands, key_text
from desktop.theme.controls import line_field
from desktop.theme.layouts import column_of

_ICON_SIZE = 16  # pixels; the size of the window's other icons


def matches(text: str, words: str) -> bool:
    """Whether every word typed occurs in a text, in any order."""
    folded = text.casefold()
    return all(word in folded for word in words.casefold().split())


class CommandPalette(QDialog):
    """Lists the commands that match what is typed; Enter does the chosen one."""

    def __init__(self, commands: WindowCommands, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Commands")
        self._commands = commands
        self._field = line_field("Search for a command", "What do you want to do?")
        self._list = QListWidget()
        self._list.setAccessibleName("Commands that match")
        self._list.setUniformItemSizes(True)
        self._list.setIconSize(QSize(_ICON_SIZE, _ICON_SIZE))
        # Stands in for a missing icon, so that all lines begin at the same place.
        blank = QPixmap(_ICON_SIZE, _ICON_SIZE)
        blank.fill(Qt.GlobalColor.transparent)
        self._blank = QIcon(blank)
        column_of(self._field, self._list, parent=self, margins=(8, 8, 8, 8))
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

    def _fill(self, words: str) -> None:
        self._list.clear()
        for command in self._commands.all:
            action = self._commands.action(command.name)
            if action.isEnabled() and matches(_line(command), words):
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


def _line(command: WindowCommand) -> str:
    keys = f"    {key_text(command)}" if command.keys else ""
    return f"{command.menu.replace('&', '')}: {command.plain}{keys}"
