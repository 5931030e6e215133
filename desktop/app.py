"""Starts the window."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from desktop.command_registry import FocusKeys
from desktop.end_requests import EndRequests
from desktop.session.user_settings import SettingsFile
from desktop.window import MainWindow
from desktop.wiring import Wiring
from desktop.workspace import Workspace
from engine.core.logs import WINDOW, start_log

_LOG = logging.getLogger(__name__)
_SWITCH_S = 0.001  # seconds a decoding thread may delay the window; Python's default is 0.005
_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
_NO_DISPLAY = 4  # the exit code for a missing resource, as on the command line


def run(arguments: Sequence[str]) -> int:
    """Shows the window until it is closed.

    Args:
        arguments: nothing, or the path of a case or a video.

    Returns:
        The exit code.
    """
    if sys.platform == "linux" and not any(os.environ.get(name) for name in _DISPLAYS):
        sys.stderr.write("error: no display, this session, start it in a desktop session\n")
        return _NO_DISPLAY
    # Threads that decode must not keep the window waiting for the interpreter's lock.
    sys.setswitchinterval(_SWITCH_S)
    log = start_log(WINDOW)
    existing = QApplication.instance()
    application = existing if isinstance(existing, QApplication) else QApplication(sys.argv[:1])
    application.setApplicationName("Sightline")
    application.setQuitOnLastWindowClosed(True)
    keys = FocusKeys(application)
    application.installEventFilter(keys)
    workspace = Workspace(SettingsFile())
    window = MainWindow(workspace.state)
    Wiring(application, workspace, window, log)
    end_requests = EndRequests()
    end_requests.end_requested.connect(window.close)
    window.show()
    # The keys of the player work from the first moment, and Space presses no button.
    window.player.canvas.setFocus()
    argument = Path(arguments[0]) if arguments else None
    QTimer.singleShot(0, workspace.cases, lambda: workspace.cases.start(argument))
    try:
        with _log_unexpected_errors():
            return application.exec()
    finally:
        end_requests.close()
        application.removeEventFilter(keys)


@contextmanager
def _log_unexpected_errors() -> Iterator[None]:
    """Logs unexpected errors in the window's thread, because a window may have no terminal."""
    before = sys.excepthook

    def log(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        _LOG.error("an error that nobody foresaw", exc_info=(kind, error, trace))
        before(kind, error, trace)

    sys.excepthook = log
    try:
        yield
    finally:
        sys.excepthook = before
