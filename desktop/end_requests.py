"""Closes the window in good order when the system asks the process to end."""

from __future__ import annotations

import signal
import socket
from types import FrameType
from typing import Any

from PySide6.QtCore import QObject, QSocketNotifier, Signal

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class EndRequests(QObject):
    """Turns Ctrl+C in the terminal and the end of the user's session into a Qt signal.

    Belongs to the main thread. Python looks at signals only while it runs; Qt's event loop may not
    let it for a long time, so the signal is passed through a pair of sockets that Qt watches.
    """

    end_requested = Signal()
    """The process is to end."""

    def __init__(self) -> None:
        super().__init__()
        self._read_end, self._write_end = socket.socketpair()
        for end in (self._read_end, self._write_end):
            end.setblocking(False)
        self._notifier = QSocketNotifier(self._read_end.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._on_wakeup)
        self._wakeup = signal.set_wakeup_fd(self._write_end.fileno())
        self._handlers: dict[int, Any] = {
            number: signal.signal(number, _ignore) for number in _SIGNALS
        }

    def close(self) -> None:
        """Restores the signal handlers that were there before."""
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup)
        self._notifier.setEnabled(False)
        self._read_end.close()
        self._write_end.close()

    def _on_wakeup(self) -> None:
        if any(number in _SIGNALS for number in self._read_end.recv(64)):
            self.end_requested.emit()


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Does nothing, which keeps Python from ending the process at once."""
