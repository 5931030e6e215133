"""A call that is put off, so that many causes in a row lead to one effect."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer


def delayed_call(parent: QObject, delay_ms: int, act: Callable[[], object]) -> QTimer:
    """Makes a timer that calls `act` once after each start; it ends with its parent."""
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(delay_ms)
    timer.timeout.connect(act)
    return timer
