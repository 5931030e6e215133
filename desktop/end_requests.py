"""Closes the window in good order when the system asks the process to end."""

from __future__ import annotations

import signal
import socket
from types import FrameType
from typing import Any

from PySide6.QtCore import QObject, QSocketNotifier, Signal

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class EndRequests(QObject):
    """Tells of Ctrl+C in the terminal and of the end of the user's session.

    Belongs to the main thread. Python looks at signals only while it runs; Qt's event loop may not
    let it for a long time, so the signal is told through a pair of sockets that Qt watches.
    """

    asked = Signal()
    """The process is to end."""

    def __init__(self) -> None:
        super().__init__()
        self._ours, self._theirs = socket.socketpair()
        for one in (self._ours, self._theirs):
            one.setblocking(False)
        self._notifier = QSocketNotifier(self._ours.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._told)
        self._wakeup = signal.set_wakeup_fd(self._theirs.fileno())
        self._handlers: dict[int, Any] = {
            number: signal.signal(number, _noted) for number in _SIGNALS
        }

    def close(self) -> None:
        """Gives signals back to whoever had them before."""
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup)
        self._notifier.setEnabled(False)
        self._ours.close()
        self._theirs.close()

    def _told(self) -> None:
        if any(number in _SIGNALS for number in self._ours.recv(64)):
            self.asked.emit()


def _noted(_number: int, _frame: FrameType | None) -> None:
    """Keeps Python from ending the process where it stands."""
