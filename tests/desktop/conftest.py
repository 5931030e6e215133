"""What tests of the window share: an offscreen Qt, a home of their own, and nothing left behind."""

from __future__ import annotations

import gc
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import shiboken6
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.desktop.screen import OFFSCREEN

os.environ["QT_QPA_PLATFORM"] = OFFSCREEN

from desktop.window import MainWindow
from tests.desktop.driving import Driver, run_window

SAMPLE = Path(__file__).parents[2] / "resources" / "sample" / "sample.mp4"


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Fails a test that leaves a thread, a timer or a child process behind."""
    before = set(threading.enumerate())
    children = set(psutil.Process().children())
    yield
    left = [
        thread.name
        for thread in threading.enumerate()
        if thread not in before and thread.is_alive()
    ]
    assert not left, f"threads left behind: {left}"
    orphans = [child for child in psutil.Process().children() if child not in children]
    assert not orphans, f"processes left behind: {orphans}"
    running = [
        (timer.interval(), timer.parent()) for timer in gc.get_objects()
        if issubclass(type(timer), QTimer) and shiboken6.isValid(timer) and timer.isActive()
    ]  # fmt: skip
    assert not running, f"timers left behind: {running}"
    application = QApplication.instance()
    if isinstance(application, QApplication):
        windows = [
            widget for widget in application.topLevelWidgets() if isinstance(widget, MainWindow)
        ]
        assert not any(window.isVisible() for window in windows), "a window was left open"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders for settings, data and logs that belong to the test alone."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(folder / name.lower()))
    return folder


@pytest.fixture(scope="session")
def analysed_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A case of the sample, analysed; to be copied and not to be changed."""
    from engine.cli.main import run

    folder = tmp_path_factory.mktemp("cases") / "sample.case"
    assert run(["analyze", str(SAMPLE), "--case", str(folder), "--quiet"]) == 0
    return folder


@pytest.fixture
def sample_case(analysed_sample: Path, tmp_path: Path) -> Path:
    """An analysed case of the test's own."""
    return Path(shutil.copytree(analysed_sample, tmp_path / "sample.case"))


Drive = Callable[[list[str], Callable[[Driver], None]], int]


@pytest.fixture
def drive(qtbot: QtBot, home: Path) -> Drive:
    """Runs the real `main()` with arguments and a script that acts on its window."""
    return lambda arguments, script: run_window(qtbot, arguments, script)
