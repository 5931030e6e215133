"""Drives the real program from inside: a script runs while its event loop does."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import numpy as np
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

import main as program
from desktop.session.engine_client import EngineClient
from desktop.session.session import Session
from desktop.state.evidence_view import EvidenceView
from desktop.state.view_state import ShownFrame, ViewState
from desktop.window import MainWindow
from desktop.wiring import Wiring
from desktop.workspace import Workspace

_PATIENCE_MS = 180_000


def pixels(image: QImage | None) -> bytes:
    """Returns the RGB bytes of a picture, row by row without padding."""
    assert image is not None
    plain = image.convertToFormat(QImage.Format.Format_RGB888)
    bits = np.frombuffer(cast("memoryview[int]", plain.constBits()), np.uint8)
    rows = bits.reshape(plain.height(), plain.bytesPerLine())[:, : 3 * plain.width()]
    return rows.tobytes()


class Driver:
    """Acts on the open window and waits for what must follow."""

    def __init__(self, qtbot: QtBot, window: MainWindow) -> None:
        wiring = window.findChild(Wiring)
        assert wiring is not None
        self._qtbot = qtbot
        self.window = window
        self.workspace: Workspace = wiring._workspace

    @property
    def session(self) -> Session:
        return self.workspace.session

    @property
    def state(self) -> ViewState:
        return self.workspace.state

    @property
    def view(self) -> EvidenceView:
        view = self.state.evidence.value
        assert view is not None
        return view

    @property
    def shown(self) -> ShownFrame:
        frame = self.state.shown.value
        assert frame is not None
        return frame

    @property
    def engine(self) -> EngineClient:
        engine = self.session._engine
        assert engine is not None
        return engine

    def until(self, condition: Callable[[], object], what: str = "") -> None:
        """Waits until something holds."""

        def check() -> None:
            assert condition(), f"never came: {what}; the window says {self.window.notice.text!r}"

        self._qtbot.waitUntil(check, timeout=_PATIENCE_MS)

    def key(
        self, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
    ) -> None:
        """Presses a key in the window."""
        QTest.keyClick(self.window, key, modifiers)

    def do(self, command: str) -> None:
        """Does a command of the menus."""
        action = self.window.commands.action(command)
        assert action.isEnabled(), f"{command} is disabled"
        action.trigger()

    def until_shown(self, evidence: bool = True) -> None:
        """Waits until evidence and its frame are on screen."""
        self.until(lambda: self.state.evidence.value is not None, "evidence")
        self.until_exact()

    def until_exact(self) -> None:
        """Waits until the exact frame of the position is on screen."""
        self.until(
            lambda: (
                self.state.shown.value is not None
                and self.shown.index == self.state.position.value
                and not self.shown.preview
            ),
            "the exact frame",
        )

    def until_analysed(self) -> None:
        """Waits until the run is finished and nothing is in progress."""
        self.until(
            lambda: (
                self.state.evidence.value is not None
                and self.view.run is not None
                and self.view.run.state == "finished"
                and self.session.work is not None
                and not self.session.work.items
            ),
            "the end of the analysis",
        )

    @contextmanager
    def edit(self) -> Iterator[None]:
        """Waits until the edits made inside are in the case and on screen again."""
        with self._qtbot.waitSignal(self.session.editor.edited, timeout=_PATIENCE_MS):
            yield
        with self._qtbot.waitSignal(self.state.evidence.changed, timeout=_PATIENCE_MS):
            pass


def run_window(qtbot: QtBot, arguments: list[str], script: Callable[[Driver], None]) -> int:
    """Runs `main()`, does what a script does in its window, closes it.

    Returns:
        The exit code.
    """
    failed: list[BaseException] = []

    def act() -> None:
        windows = [
            widget for widget in QApplication.topLevelWidgets() if isinstance(widget, MainWindow)
        ]
        window = next(window for window in windows if window.isVisible())
        try:
            script(Driver(qtbot, window))
        except BaseException as error:
            failed.append(error)
        finally:
            window.close()

    before, sys.argv = sys.argv, ["main.py", *arguments]
    QTimer.singleShot(0, act)
    try:
        code = program.main()
    finally:
        sys.argv = before
    for window in QApplication.topLevelWidgets():
        if isinstance(window, MainWindow):
            window.deleteLater()
    if failed:
        raise failed[0]
    return code
