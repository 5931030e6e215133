"""Measures from inside the running window: one measurement a process, one JSON object on stdout.

Run: `python -m tests.benchmarks.window_probe startup|jumps|watchdog|day PATH [BEGUN]`, BEGUN being
`time.monotonic()` of the process that starts it; `tests.benchmarks.window` runs them all.
"""

from __future__ import annotations

import itertools
import json
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import av
from PySide6.QtCore import QEvent, QEventLoop, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication

import main as program
from desktop.state.view_state import ShownFrame
from desktop.window import MainWindow
from desktop.wiring import Wiring
from desktop.workspace import Workspace

_PATIENCE_S = 120.0
_IDLE_S, _TURNS = 80.0, 12
"""Some five thousand gaps each: with a third of them the 99.9th percentile is the second worst."""
_STUCK_MS = 10_000
_TICK_MS = 16
_SEED = 7
_WINDOW = 1920, 1080
_JUMPS = 60
_STEPS = 40
_THREADS = ("SLICE", "AUTO")


class Probe:
    """Acts on the open window; every wait runs the event loop."""

    def __init__(self) -> None:
        windows = [
            window for window in QApplication.topLevelWidgets() if isinstance(window, MainWindow)
        ]
        self.window = windows[0]
        wiring = self.window.findChild(Wiring)
        assert wiring is not None
        self.workspace: Workspace = wiring._workspace
        self.state = self.workspace.state

    def wait(self, seconds: float) -> None:
        """Lets the window run for a while."""
        loop = QEventLoop()
        QTimer.singleShot(round(seconds * 1000), loop, loop.quit)
        loop.exec()

    def until(self, condition: Callable[[], object]) -> None:
        """Lets the window run until something holds.

        Raises:
            TimeoutError: it never did.
        """
        begun = time.monotonic()
        while not condition():
            if time.monotonic() - begun > _PATIENCE_S:
                raise TimeoutError(self.window.notice.text)
            self.wait(0.005)

    def paint(self) -> None:
        """Paints at once whatever of the window is out of date."""
        QApplication.sendPostedEvents(self.window, QEvent.Type.UpdateRequest.value)

    def exact(self) -> bool:
        """Whether the exact frame of the position is on screen."""
        image = self.state.shown.value
        return image is not None and image.index == self.state.position.value and not image.preview

    def jump(self, frame: int) -> float:
        """Goes to a frame and returns the seconds until exactly it is painted."""
        loop = QEventLoop()

        def on_shown(shown: ShownFrame | None) -> None:
            if shown is not None and shown.index == frame and not shown.preview:
                loop.quit()

        QTimer.singleShot(_STUCK_MS, loop, loop.quit)
        connection = self.state.shown.changed.connect(on_shown)
        begun = time.perf_counter()
        self.state.position.set(frame)
        loop.exec()
        self.paint()
        seconds = time.perf_counter() - begun
        QObject.disconnect(connection)
        return seconds


def startup(probe: Probe) -> dict[str, object]:
    """Seconds from the start of the process to a painted window, and to all that it shows."""
    begun = float(sys.argv[3])
    probe.window.repaint()
    usable = time.monotonic() - begun
    probe.until(lambda: probe.state.evidence.value is not None and probe.exact())
    probe.window.repaint()
    frame = time.monotonic() - begun
    probe.until(lambda: probe.window.timeline._plot is not None)
    probe.window.repaint()
    return {"usable_s": usable, "frame_s": frame, "all_s": time.monotonic() - begun}


def jumps(probe: Probe) -> dict[str, object]:
    """Exact jumps beside bare PyAV, cached steps, previews while dragging."""
    probe.until(lambda: probe.state.evidence.value is not None and probe.exact())
    view = probe.state.evidence.value
    assert view is not None
    random.seed(_SEED)
    ours: list[float] = []
    bare: dict[str, list[float]] = {kind: [] for kind in _THREADS}
    for frame in random.sample(range(len(view.index)), _JUMPS):
        ours.append(probe.jump(frame))
        for kind, times in bare.items():
            times.append(_bare(view.path, int(view.index.pts[frame]), kind))
    middle = len(view.index) // 2
    for frame in range(middle, middle + _STEPS):
        probe.jump(frame)
    steps = [probe.jump(frame) for frame in range(middle + _STEPS - 2, middle - 1, -1)]
    steps += [probe.jump(frame) for frame in range(middle + 1, middle + _STEPS)]
    return {
        "jump_ms": 1000 * statistics.median(ours),
        "bare_ms": {kind: 1000 * statistics.median(times) for kind, times in bare.items()},
        "step_ms": 1000 * statistics.median(steps),
        "step_worst_ms": 1000 * max(steps),
        "previews_per_s": _drag(probe, 5.0),
    }


def watchdog(probe: Probe) -> dict[str, object]:
    """Gaps between ticks of the window's thread: idle, and while a run is in progress."""
    probe.until(lambda: probe.state.evidence.value is not None and probe.exact())
    work = probe.workspace.session.work
    assert work is not None
    probe.until(lambda: not work.items)
    idle = _ticks(lambda: probe.wait(_IDLE_S))
    view = probe.state.evidence.value
    assert view is not None
    probe.workspace.evidence.analyse(view.evidence.id, "fresh")
    probe.until(lambda: work.items and work.items[0].progress is not None)
    busy = _ticks(lambda: _use(probe, work))
    in_progress = bool(work.items)
    probe.workspace.evidence.cancel()
    begun = time.monotonic()
    probe.until(lambda: not work.items)
    return {
        "idle": _gaps(idle),
        "busy": _gaps(busy),
        "run_in_progress_to_the_end": in_progress,
        "cancel_s": time.monotonic() - begun,
    }


def day(probe: Probe) -> dict[str, object]:
    """A day of scores: seconds to open it, frames a second while panning and zooming."""
    probe.workspace.session.close()
    probe.wait(0.5)
    case = Path(sys.argv[2])
    begun = time.perf_counter()
    probe.workspace.session.open(case)
    probe.until(lambda: probe.state.evidence.value is not None and probe.exact())
    probe.window.repaint()
    opened = time.perf_counter() - begun
    probe.wait(1.0)
    timeline = probe.window.timeline
    moments = []
    for number in range(240):
        begun = time.perf_counter()
        if number < 80:
            timeline.view.zoom(1.12, 40_000.0)
        elif number < 160:
            timeline.view.pan((timeline.view.end - timeline.view.start) * 0.05)
        else:
            timeline.view.zoom(1 / 1.12, 40_000.0)
        timeline.repaint()
        for child in (timeline._parts[1], timeline._lanes, timeline._thumbnails):
            child.repaint()
        moments.append(time.perf_counter() - begun)
        probe.wait(0.0)
    return {
        "open_s": opened,
        "frames_per_s": 1 / statistics.mean(moments),
        "p95_ms": 1000 * sorted(moments)[int(0.95 * len(moments))],
        "slowest_ms": 1000 * max(moments),
    }


def _use(probe: Probe, work: object) -> None:
    """Plays, scrubs and switches panels for two minutes."""
    window, state = probe.window, probe.state
    view = state.evidence.value
    assert view is not None
    count = len(view.index)
    for turn in range(_TURNS):
        window.player.play_pause()
        probe.wait(4.0)
        state.playing.set(False)
        state.dragging.set(True)
        for step in range(100):
            state.position.set((turn * 131 + step * 7) % count)
            probe.wait(0.02)
        state.dragging.set(False)
        for dock in window._docks:
            dock.raise_()
            probe.wait(0.2)
            dock.setVisible(False)
            probe.wait(0.2)
            dock.setVisible(True)
            probe.wait(0.2)


def _ticks(act: Callable[[], None]) -> list[float]:
    times: list[float] = []
    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.setInterval(_TICK_MS)
    timer.timeout.connect(lambda: times.append(time.perf_counter()))
    timer.start()
    act()
    timer.stop()
    return times


def _gaps(times: list[float]) -> dict[str, float]:
    gaps = sorted(1000 * (b - a) for a, b in itertools.pairwise(times))
    return {
        "ticks": len(gaps),
        "p99_ms": gaps[int(0.99 * len(gaps))],
        "p999_ms": gaps[int(0.999 * len(gaps))],
        "most_ms": gaps[-1],
    }


def _drag(probe: Probe, seconds: float) -> float:
    view = probe.state.evidence.value
    assert view is not None
    indices: list[int] = []
    connection = probe.state.shown.changed.connect(
        lambda frame: indices.append(frame.index) if frame is not None else None
    )
    probe.state.dragging.set(True)
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        share = (time.monotonic() - begun) / seconds
        probe.state.position.set(int(share * (len(view.index) - 1)))
        probe.wait(0.008)
    probe.state.dragging.set(False)
    QObject.disconnect(connection)
    return len(indices) / seconds


def _bare(path: Path, pts: int, threads: str) -> float:
    """Seconds that bare PyAV takes to seek to a PTS and decode the frame to RGB."""
    container = _open.setdefault((path, threads), _opened(path, threads))
    stream = container.streams.video[0]
    begun = time.perf_counter()
    container.seek(pts, stream=stream)
    for frame in container.decode(stream):
        if frame.pts is not None and frame.pts >= pts:
            frame.to_ndarray(format="rgb24")
            break
    return time.perf_counter() - begun


_open: dict[tuple[Path, str], av.container.InputContainer] = {}


def _opened(path: Path, threads: str) -> av.container.InputContainer:
    container = av.open(str(path))
    container.streams.video[0].thread_type = threads
    return container


def main() -> None:
    """Runs the window with the path and measures in it."""
    measure = {probe.__name__: probe for probe in (startup, jumps, watchdog, day)}[sys.argv[1]]
    measured: dict[str, object] = {}

    def act() -> None:
        sys.argv = arguments
        probe = Probe()
        probe.window.resize(*_WINDOW)
        try:
            measured.update(measure(probe))
        finally:
            probe.window.close()

    QApplication(sys.argv[:1])
    words = [sys.argv[0], *sys.argv[2:3]] if measure is not day else [sys.argv[0]]
    sys.argv, arguments = words, sys.argv
    QTimer.singleShot(0, act)
    program.main()
    sys.stdout.write(json.dumps(measured) + "\n")


if __name__ == "__main__":
    main()
