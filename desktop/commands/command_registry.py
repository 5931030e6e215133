"""Commands by name: each is one action with one text, one icon and its keys."""

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

_OWN_KEYS = {
    Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Left, Qt.Key.Key_Right,
    Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End,
}  # fmt: skip


@dataclass(frozen=True)
class Command:
    """Something the examiner can do.

    Attributes:
        name: never changes, as `event.next`.
        text: what it does, in the imperative; `&` marks the letter of the menu.
        run: does it.
        keys: as Qt writes them.
        icon: Lucide name; empty for none.
        menu: the menu it stands in.
        needs: what must be there: `` (nothing), `case`, `writable` (a case that can be changed),
            `evidence`, `review` (evidence in a case that can be changed), `undo` or `redo`.
        held: whether it is done again while the key is held down.
    """

    name: str
    text: str
    run: Callable[[], object]
    keys: tuple[str, ...] = ()
    icon: str = ""
    menu: str = ""
    needs: str = ""
    held: bool = False

    @property
    def plain(self) -> str:
        """The text without the mark of its menu letter."""
        return self.text.replace("&", "")


class Commands(QObject):
    """The actions of a window, made from commands."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._commands: dict[str, Command] = {}
        self._actions: dict[str, QAction] = {}

    def add(self, commands: Iterable[Command]) -> None:
        """Makes an action of each command.

        Raises:
            ValueError: two commands share a name or a key.
        """
        taken = {key for one in self._commands.values() for key in one.keys}
        for command in commands:
            clash = taken.intersection(command.keys)
            if command.name in self._commands or clash:
                raise ValueError(f"{command.name} is taken, or its keys are: {sorted(clash)}")
            taken.update(command.keys)
            action = QAction(command.text, self._window)
            action.setShortcuts([QKeySequence(key) for key in command.keys])
            action.setAutoRepeat(command.held)
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
    def all(self) -> tuple[Command, ...]:
        """Every command, in order."""
        return tuple(self._commands.values())

    def of_menu(self, menu: str) -> list[QAction]:
        """Returns the actions of a menu, in order."""
        return [self._actions[one.name] for one in self.all if one.menu == menu]

    def allow(self, there: frozenset[str]) -> None:
        """Enables what has what it needs, and disables the rest."""
        for name, command in self._commands.items():
            self._actions[name].setEnabled(not command.needs or command.needs in there)


def key_text(command: Command) -> str:
    """Returns the keys of a command as people read them."""
    names = [QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
             for key in command.keys]  # fmt: skip
    return " or ".join(names)


class FocusKeys(QObject):
    """Leaves a focused control the keys that work it, though they are commands elsewhere."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Claims the key for the control before a command gets it."""
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
        presses = key in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if key in _OWN_KEYS and (presses or not isinstance(focused, QAbstractButton)):
            event.accept()
            return True
        return False
