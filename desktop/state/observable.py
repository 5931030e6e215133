"""A value that says when it changes."""

from __future__ import annotations

from typing import Generic, TypeVar

from PySide6.QtCore import QObject, Signal

T = TypeVar("T")


class Observable(QObject, Generic[T]):
    """Holds one value; `changed` carries the new one, and is silent when nothing changed.

    Values are immutable (numbers, texts, frozen dataclasses), so that a change is always seen.
    Belongs to the window's thread.
    """

    changed = Signal(object)

    def __init__(self, value: T) -> None:
        super().__init__()
        self._value = value

    @property
    def value(self) -> T:
        """The value now."""
        return self._value

    def set(self, value: T) -> None:
        """Changes the value and says so, unless it equals the one before."""
        if value is self._value or value == self._value:
            return
        self._value = value
        self.changed.emit(value)
