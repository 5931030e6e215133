"""The commands of the window by name: each is an action with one text, one icon and its keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QTabBar,
    QWidget,
)

from desktop.theme.icons import icon

MENUS = ("&Case", "&Edit", "&Evidence", "&Go", "&Review", "&Teach", "&View", "&Help")
_CONTROL_KEYS = {
    Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Left, Qt.Key.Key_Right,
    Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End,
}  # fmt: skip


@dataclass(frozen=True)
class WindowCommand:
    """Something the examiner can do.

    Attributes:
        name: its identifier, as `review.next`; it never changes.
        text: what it does, in the imperative; `&` marks the letter of the menu.
        run: called when the command is chosen.
        keys: shortcuts in Qt's notation.
        icon: Lucide name; empty for none.
        menu: title of the menu that contains it.
        needs: what must be open: `` (nothing), `case`, `writable` (a case that can be changed),
            `evidence`, `review` (evidence in a case that can be changed), `undo` or `redo`.
        repeats: whether it is done again and again while its key is down.
    """

    name: str
    text: str
    run: Callable[[], object]
    keys: tuple[str, ...] = ()
    icon: str = ""
    menu: str = ""
    needs: str = ""
    repeats: bool = False

    @property
    def plain(self) -> str:
        """The text without the mark of its menu letter."""
        return self.text.replace("&", "")


def make_command(
    name: str,
    text: str,
    run: Callable[[], object],
    *keys: str,
    icon: str = "",
    menu: str = "",
    needs: str = "",
    repeats: bool = False,
) -> WindowCommand:
    """Makes a command whose keys are the arguments after `run`."""
    return WindowCommand(name, text, run, keys, icon, menu, needs, repeats)


class WindowCommands(QObject):
    """The commands of a window, each with its Qt action."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._commands: dict[str, WindowCommand] = {}
        self._actions: dict[str, QAction] = {}

    def add(self, commands: Iterable[WindowCommand]) -> None:
        """Makes an action of each command.

        Raises:
            ValueError: two commands share a name or a key.
        """
        used_keys = {key for command in self.all for key in command.keys}
        for command in commands:
            clash = used_keys.intersection(command.keys)
            if command.name in self._commands or clash:
                raise ValueError(f"{command.name} is taken, or its keys are: {sorted(clash)}")
            used_keys.update(command.keys)
            action = QAction(command.text, self._window)
            action.setShortcuts([QKeySequence(key) for key in command.keys])
            action.setAutoRepeat(command.repeats)
            if command.icon:
                action.setIcon(icon(command.icon))
            tip = f"{command.plain} ({key_text(command)})" if command.keys else command.plain
            action.setToolTip(tip)
            action.triggered.connect(lambda _on=False, run=command.run: run())
            self._window.addAction(action)
            self._commands[command.name] = command
            self._actions[command.name] = action

    def action(self, name: str) -> QAction:
        """Returns the action of a command."""
        return self._actions[name]

    @property
    def all(self) -> tuple[WindowCommand, ...]:
        """Every command, in order."""
        return tuple(self._commands.values())

    def of_menu(self, menu: str) -> list[QAction]:
        """Returns the actions of a menu, in order."""
        return [self._actions[command.name] for command in self.all if command.menu == menu]

    def enable(self, available: frozenset[str]) -> None:
        """Enables the commands whose needs are met, and disables the rest."""
        for name, command in self._commands.items():
            self._actions[name].setEnabled(not command.needs or command.needs in available)


def key_text(command: WindowCommand) -> str:
    """Returns the keys of a command as people read them."""
    names = [QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
             for key in command.keys]  # fmt: skip
    return " or ".join(names)


class FocusKeys(QObject):
    """Leaves a focused control the keys that operate it, though they are commands elsewhere."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Reserves a key for the focused control before it triggers a command."""
        if event.type() != QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
            return False
        controls = (QAbstractButton, QAbstractSlider, QAbstractSpinBox, QComboBox, QTabBar)
        focused = QApplication.focusWidget()
        if not isinstance(focused, controls) or event.modifiers() not in (
            Qt.KeyboardModifier.NoModifier,
            Qt.KeyboardModifier.KeypadModifier,
        ):
            return False
        key = event.key()
        is_press_key = key in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if key in _CONTROL_KEYS and (is_press_key or not isinstance(focused, QAbstractButton)):
            event.accept()
            return True
        return False
