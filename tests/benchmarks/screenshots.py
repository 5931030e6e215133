"""Makes the pictures of the user guide: the real window under Xvfb, on the sample.

Run: `python -m tests.benchmarks.screenshots [FOLDER]`; the folder is docs/images when none is
named. Needs Xvfb (`apt-get install xvfb`).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

import main as program
from desktop.session.user_settings import SettingsFile, UserSettings
from desktop.state.view_state import Selection
from tests.benchmarks.window_probe import Probe

ROOT = Path(__file__).parents[2]
_DISPLAY = "1280x800x24"
_SETTLE_S = 0.8
_QUESTION = "From where to where?"


def window_dark(probe: Probe) -> None:
    """An event of the sample: exact frame, heat, box, path, reasons."""
    _key(Qt.Key.Key_N)
    probe.wait(_SETTLE_S)


def window_light(probe: Probe) -> None:
    """The light theme, plain and overlaid side by side, a bookmark and marks."""
    window_dark(probe)
    state = probe.state
    state.overlay.set(replace(state.overlay.value, side_by_side=True))
    probe.workspace.review.bookmark("a cyclist among walkers")
    probe.workspace.review.go_to("1")
    _key(Qt.Key.Key_I)
    probe.workspace.review.go_to("4.5")
    _key(Qt.Key.Key_O)
    window_dark(probe)


def window_accumulated(probe: Probe) -> None:
    """The accumulated view of the trajectory."""
    view = probe.state.evidence.value
    assert view is not None
    probe.state.selection.set(Selection("trajectory", view.trajectories[0].id))
    _key(Qt.Key.Key_A)
    probe.wait(2 * _SETTLE_S)


def window_chat(probe: Probe) -> None:
    """Facts of an event in the chat, and what the language model said to a question."""
    window_dark(probe)
    conversation = probe.state.conversation
    for ask in (probe.workspace.dialogue.facts, lambda: probe.workspace.dialogue.ask(_QUESTION)):
        ask()
        probe.until(lambda: not conversation.value.busy)
    probe.wait(_SETTLE_S)


def window_dismissing(probe: Probe) -> None:
    """The question why an event is dismissed."""
    window_dark(probe)
    _key(Qt.Key.Key_4)
    probe.wait(_SETTLE_S)


def window_empty(probe: Probe) -> None:
    """A case without evidence."""
    probe.workspace.cases.new(Path(os.environ["HOME"]) / "Yard.case")
    probe.until(lambda: probe.window.timeline_panel.empty.isVisible())


SCENES: dict[str, tuple[str, Callable[[Probe], None]]] = {
    "window-dark": ("dark", window_dark),
    "window-light": ("light", window_light),
    "window-accumulated": ("dark", window_accumulated),
    "window-chat": ("dark", window_chat),
    "window-dismissing": ("light", window_dismissing),
    "window-empty": ("light", window_empty),
}
"""Name of the picture: theme, and what is done before it is taken."""


def _key(key: Qt.Key) -> None:
    QTest.keyClick(Probe().window, key)


def _ready(probe: Probe) -> bool:
    view, work = probe.state.evidence.value, probe.workspace.session.work
    if view is None or view.run is None or work is None:
        return False
    done = view.run.state == "finished" and not work.items
    return done and probe.exact() and probe.window.timeline._plot is not None


def _take(name: str, file: Path) -> None:
    """Runs the window in this process and takes one picture of the screen."""
    theme, scene = SCENES[name]
    SettingsFile().save(UserSettings(theme=theme))

    def act() -> None:
        probe = Probe()
        try:
            probe.window.setGeometry(0, 0, 1280, 800)
            probe.window.activateWindow()
            probe.until(lambda: _ready(probe))
            scene(probe)
            probe.window.notice.hide()
            probe.wait(_SETTLE_S)
            QApplication.primaryScreen().grabWindow(0).save(str(file))
        finally:
            probe.window.close()

    sys.argv = ["main.py"]
    application = QApplication(sys.argv)
    QTimer.singleShot(0, application, act)
    program.main()


def _take_all(folder: Path) -> None:
    """Runs one process a picture, each with a home and a screen of its own."""
    if shutil.which("xvfb-run") is None:
        raise SystemExit("error: no Xvfb, xvfb-run, apt-get install xvfb")
    folder.mkdir(parents=True, exist_ok=True)
    for name in SCENES:
        file = str((folder / f"{name}.png").absolute())
        with tempfile.TemporaryDirectory() as home:
            surroundings = {
                **{key: value for key, value in os.environ.items() if not key.startswith("XDG_")},
                "HOME": home,
                "QT_QPA_PLATFORM": "xcb",
            }
            subprocess.run(
                [
                    *("xvfb-run", "-a", "-s", f"-screen 0 {_DISPLAY}", sys.executable, "-m"),
                    *("tests.benchmarks.screenshots", name, file),
                ],
                cwd=ROOT,
                env=surroundings,
                check=True,
            )
        sys.stderr.write(f"{folder / name}.png\n")


def main() -> None:
    """Takes all pictures, or with a name and a file one of them."""
    if len(sys.argv) == 3:
        _take(sys.argv[1], Path(sys.argv[2]))
    else:
        _take_all(Path(sys.argv[1]) if len(sys.argv) == 2 else ROOT / "docs" / "images")


if __name__ == "__main__":
    main()
