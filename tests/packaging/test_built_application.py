"""The application that `make package` built starts, analyses, opens its window and ends."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from engine.case import Case, is_case
from engine.core.errors import SightlineError

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "dist" / "sightline" / ("sightline.exe" if sys.platform == "win32" else "sightline")
SAMPLE = ROOT / "resources" / "sample" / "sample.mp4"
PATIENCE_S = 300.0
TICK_S = 0.2

pytestmark = pytest.mark.skipif(
    not BUILT.is_file(), reason="there is no built application (make package builds dist/)"
)


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """The environment of a user who has no Python, and whose folders belong to the test."""
    folder = tmp_path / "home"
    places = {f"XDG_{name}_HOME": str(folder / name.lower())
              for name in ("CONFIG", "DATA", "STATE", "CACHE")}  # fmt: skip
    return {
        "PATH": "/usr/bin:/bin", "HOME": str(folder), "QT_QPA_PLATFORM": "offscreen", **places,
    }  # fmt: skip


def run(home: dict[str, str], *words: object) -> subprocess.CompletedProcess[str]:
    line = [str(BUILT), *map(str, words)]
    return subprocess.run(
        line, env=home, cwd="/", text=True, capture_output=True, check=False, timeout=PATIENCE_S
    )


def test_names_its_commands(home: dict[str, str]) -> None:
    done = run(home, "--help")
    assert done.returncode == 0, done.stderr
    assert "analyze" in done.stdout


def test_analyses_a_video_and_exports_what_it_found(home: dict[str, str], tmp_path: Path) -> None:
    video = tmp_path / "footage" / "sample.mp4"
    video.parent.mkdir()
    shutil.copy(SAMPLE, video)
    case = tmp_path / "cases" / "Prüfung 1.case"
    analysed = run(home, "analyze", video, "--case", case, "--json")
    assert analysed.returncode == 0, analysed.stderr
    assert json.loads(analysed.stdout)["runs"][0]["events"] >= 1
    still = tmp_path / "still.png"
    exported = run(home, "export", "--case", case, "--evidence", 1, "--start", "4", "--to", still)
    assert exported.returncode == 0, exported.stderr
    assert still.stat().st_size > 1000
    verified = run(home, "verify", "--case", case, "--json")
    assert json.loads(verified.stdout)["ok"] is True


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to close a window with")
def test_the_window_opens_analyses_the_sample_and_leaves_nothing(
    home: dict[str, str], tmp_path: Path
) -> None:
    case = tmp_path / "home" / "data" / "Sightline" / "Sample.case"
    window = subprocess.Popen([str(BUILT)], env=home, cwd="/", stderr=subprocess.PIPE, text=True)
    family = [psutil.Process(window.pid)]
    try:
        wait_for_run(window, case)
        family += family[0].children(recursive=True)
        assert any("--worker" in one.cmdline() for one in family[1:])
        window.send_signal(signal.SIGTERM)
        _, said = window.communicate(timeout=PATIENCE_S)
        assert window.returncode == 0, said
        assert "Traceback" not in said
        assert not psutil.wait_procs(family, timeout=PATIENCE_S)[1]
    finally:
        for one in family:
            if one.is_running():
                one.kill()


def wait_for_run(window: subprocess.Popen[str], case: Path) -> None:
    """Waits until the window's engine process has analysed the sample."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        try:
            window.wait(TICK_S)
        except subprocess.TimeoutExpired:
            if finished(case):
                return
        else:
            pytest.fail(f"the window ended by itself: {window.communicate()[1]}")
    pytest.fail("the sample was never analysed")


def finished(case: Path) -> bool:
    try:
        if not is_case(case):
            return False
        with Case.open(case) as opened:
            return opened.runs.current(1) is not None
    except SightlineError:
        # The window is just making it.
        return False
