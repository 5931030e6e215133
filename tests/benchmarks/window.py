"""The window's speed, measured offscreen from inside it; writes docs/performance.md.

Run: `python -m tests.benchmarks.window` (about six minutes on two cores, nothing else running).
"""

from __future__ import annotations

import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.pipeline.environment import environment
from tests.benchmarks.day_case import make_case, make_video
from tests.benchmarks.footage_files import encode_1080p, loop
from tests.benchmarks.lines import ROOT, Line, footage, run, table
from tests.desktop.screen import OFFSCREEN

_COMMAND = "python -m tests.benchmarks.window"
_STARTS = 5
_HOUR_S = 3600
_SAMPLE = ROOT / "resources" / "sample" / "sample.mp4"

_HEAD = """# Performance of the window

Made by `{command}` on {date} on {machine}. Each line is measured from inside the running window
on Qt's offscreen platform, with a home folder of its own. `SIGHTLINE_FOOTAGE` names the folder of
real footage; the one-hour file repeats `vtest.avi`, scaled to 1920x1080 and encoded with H.264 at
25 fps and two-second groups of pictures.

{table}
- A jump or step ends when exactly that frame has been painted. Bare PyAV seeks to the keyframe and
  decodes up to the same frame, converted to RGB, in turn with the window's jumps; it is measured
  with slice threads, PyAV's default, and with frame threads, and the faster of the two counts.
- The watchdog is a timer of {tick} ms, one refresh of a screen, in the window's thread; a gap is
  the time between two ticks. The idle window is the same one, just before the run begins. While
  the run is in progress it plays, scrubs through the hour and hides, shows and raises every panel.
- The day is a real file of 2.16 million frames with invented results: as many scores, 5,000
  events, 5,000 trajectories and 500,000 regions. It is open when its exact frame, its lists and
  its timeline are painted; a frame of the timeline is all of its parts painted anew.
- A start begins when the process is made and is the median of {starts}, with a warm disk cache.
"""


def lines() -> list[Line]:
    """Measures and returns the lines of the table."""
    with tempfile.TemporaryDirectory() as name:
        bench = _Bench(Path(name))
        return [
            *_watchdog(bench.probe("watchdog", bench.hour())),
            *_jumps(bench.probe("jumps", bench.hour())),
            *_day(bench.probe("day", bench.day())),
            *_starts(bench),
        ]


class _Bench:
    """Runs the probe in a home folder of its own, on footage made on the spot."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        home = folder / "home"
        settings = home / "config" / "Sightline" / "window.json"
        settings.parent.mkdir(parents=True)
        settings.write_text('{"analyse_on_adding": false}', encoding="utf-8")
        places = {f"XDG_{name.upper()}_HOME": str(home / name)
                  for name in ("config", "data", "state", "cache")}  # fmt: skip
        self._environment = {
            **os.environ, **places, "HOME": str(home), "QT_QPA_PLATFORM": OFFSCREEN,
        }  # fmt: skip

    def probe(self, measure: str, path: Path) -> dict[str, Any]:
        """Returns what one measurement found."""
        line = [sys.executable, "-m", "tests.benchmarks.window_probe", measure, str(path)]
        done = subprocess.run(
            [*line, repr(time.monotonic())], cwd=ROOT, env=self._environment, text=True,
            stdout=subprocess.PIPE, check=True,
        )  # fmt: skip
        measured: dict[str, Any] = json.loads(done.stdout)
        return measured

    def hour(self) -> Path:
        """Returns an hour of 1080p H.264."""
        return self._made("hour.mp4", self._make_hour)

    def day(self) -> Path:
        """Returns a case with a day of footage."""
        video = self._made("day.mp4", make_video)
        return self._made("cases/day.case", lambda case: make_case(video, case))

    def sample(self) -> Path:
        """Returns the case of the sample."""
        return self._made(
            "cases/sample.case", lambda case: run("analyze", _SAMPLE, "--case", case, "--quiet")
        )

    def _make_hour(self, target: Path) -> None:
        short = target.with_name("short.mp4")
        encode_1080p(footage() / "clips" / "vtest.avi", short, 795)
        loop(short, target, _HOUR_S)

    def _made(self, name: str, make: Callable[[Path], object]) -> Path:
        path = self._folder / "footage" / name if "/" not in name else self._folder / name
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            make(path)
        return path


def _watchdog(measured: dict[str, Any]) -> list[Line]:
    idle, busy = measured["idle"], measured["busy"]
    during = "during a run, playing, scrubbing, switching panels: "
    lines = [
        _line(f"{during}{name} of the gaps", f"< {most} ms", f"{busy[key]:.1f} ms",
              busy[key] < most and measured["run_in_progress_to_the_end"])
        for name, key, most in (("99th percentile", "p99_ms", 30), ("99.9th", "p999_ms", 100))
    ]  # fmt: skip
    lines += [
        _line(f"the same against the idle window, {name}", "<= 2 times",
              f"{busy[key] / idle[key]:.2f} (idle {idle[key]:.1f} ms)",
              busy[key] <= 2 * idle[key])
        for name, key in (("99th percentile", "p99_ms"), ("99.9th", "p999_ms"))
    ]  # fmt: skip
    cancel = measured["cancel_s"]
    return [*lines, _line("cancelling that run", "<= 2 s", f"{cancel:.2f} s", cancel <= 2)]


def _jumps(measured: dict[str, Any]) -> list[Line]:
    bare = measured["bare_ms"]
    fastest = min(bare.values())
    ratio = measured["jump_ms"] / fastest
    summary = (
        f"{ratio:.2f} ({measured['jump_ms']:.0f} ms; bare {bare['AUTO']:.0f} ms with frame "
        f"threads, {bare['SLICE']:.0f} ms with slices)"
    )
    worst, previews = measured["step_worst_ms"], measured["previews_per_s"]
    return [
        _line("cached step forward or back, slowest of 78", "< 16 ms",
              f"{worst:.1f} ms (median {measured['step_ms']:.1f} ms)", worst < 16),
        _line("exact jump in an hour of 1080p H.264 / bare PyAV, medians", "<= 1.3", summary,
              ratio <= 1.3),
        _line("previews while dragging through that hour", ">= 20/s", f"{previews:.0f}/s",
              previews >= 20),
    ]  # fmt: skip


def _day(measured: dict[str, Any]) -> list[Line]:
    rate, most = measured["frames_per_s"], measured["p95_ms"]
    return [
        _line("24 hours at 25 fps: opens", "< 2 s", f"{measured['open_s']:.2f} s",
              measured["open_s"] < 2),
        _line("24 hours: pans and zooms", ">= 30 frames/s",
              f"{rate:.0f}/s (95 of 100 frames within {most:.0f} ms, slowest "
              f"{measured['slowest_ms']:.0f} ms)", rate >= 30 and most <= 1000 / 30),
    ]  # fmt: skip


def _starts(bench: _Bench) -> list[Line]:
    case = bench.sample()
    bench.probe("startup", case)
    starts = [bench.probe("startup", case) for _ in range(_STARTS)]
    usable, frame, whole = (
        statistics.median(start[name] for start in starts)
        for name in ("usable_s", "frame_s", "all_s")
    )
    summary = f"{usable:.2f} s (exact frame {frame:.2f} s, all panels filled {whole:.2f} s)"
    return [_line("start to a usable window", "< 1.5 s", summary, usable < 1.5)]


def _line(name: str, required: str, measured: str, holds: bool) -> Line:
    return Line(name, required, measured, holds, _COMMAND)


def main() -> None:
    """Measures everything, prints the table and writes the page."""
    made_with = environment()
    machine = (
        f"{made_with['processor']}, {made_with['threads']} cores, {platform.system()} "
        f"{platform.machine()}, Python {made_with['python']}, no GPU"
    )
    measured = table(lines())
    page = _HEAD.format(
        command=_COMMAND, date=datetime.datetime.now(datetime.UTC).date(), machine=machine,
        table=measured, tick=16, starts=_STARTS,
    )  # fmt: skip
    Path(ROOT / "docs" / "performance.md").write_text(page, encoding="utf-8")
    print(measured)


if __name__ == "__main__":
    main()
