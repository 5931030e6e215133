"""Starts the window."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from logging.handlers import RotatingFileHandler
from pathlib import Path

from platformdirs import user_log_path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from desktop.commands.registry import FocusKeys
from desktop.ending import EndRequests
from desktop.session.user_settings import SettingsFile
from desktop.window import MainWindow
from desktop.wiring import Wiring
from desktop.workspace import Workspace

_LOG_BYTES = 1 << 20
_LOG_FILES = 3
_SWITCH_S = 0.001
_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
_NO_DISPLAY = 4


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
    log = _start_log()
    existing = QApplication.instance()
    application = existing if isinstance(existing, QApplication) else QApplication(sys.argv[:1])
    application.setApplicationName("Sightline")
    application.setQuitOnLastWindowClosed(True)
    keys = FocusKeys(application)
    application.installEventFilter(keys)
    workspace = Workspace(SettingsFile())
    window = MainWindow(workspace.state)
    Wiring(application, workspace, window, log)
    ending = EndRequests()
    ending.asked.connect(window.close)
    window.show()
    # The keys of the player work from the first moment, and Space presses no button.
    window.player.canvas.setFocus()
    argument = Path(arguments[0]) if arguments else None
    QTimer.singleShot(0, workspace.cases, lambda: workspace.cases.start(argument))
    try:
        return application.exec()
    finally:
        ending.close()
        application.removeEventFilter(keys)


def _start_log() -> Path:
    """Logs to a rotating file; without one when it cannot be written."""
    folder = user_log_path("Sightline")
    file = folder / "window.log"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(
            file, maxBytes=_LOG_BYTES, backupCount=_LOG_FILES, encoding="utf-8"
        )
    except OSError:
        return file
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    return file
