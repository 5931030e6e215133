"""How the window starts and ends, as processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.pipeline.pipeline_material import street_video

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "transformers", "sklearn", "peft")
ABOVE = (
    *("cli", "worker", "reports", "training", "evaluation", "datasets", "dialogue", "analysis"),
    *("tracking", "scene", "tvad"),
)
"""Packages of the engine above the floor the window may stand on."""


def begin(mode: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.desktop.window_process", mode, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def read_reply(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Returns what the window says, as soon as it does."""
    assert process.stdout is not None
    assert process.stderr is not None
    line = process.stdout.readline()
    if not line:
        raise AssertionError(process.stderr.read())
    return dict(json.loads(line))


def end(process: subprocess.Popen[str]) -> int:
    process.communicate(timeout=60)
    return process.returncode


def test_without_arguments_it_loads_nothing_of_the_engine_above_its_floor(home: Path) -> None:
    process = begin("modules")
    modules: list[str] = read_reply(process)["modules"]
    assert end(process) == 0
    tops = {name.partition(".")[0] for name in modules}
    assert not tops.intersection(HEAVY)
    assert not {f"engine.{name}" for name in ABOVE}.intersection(modules)
    assert "desktop.window" in modules


@pytest.mark.parametrize("word", ["nonsense", "--nonsense", "nowhere.mp4"])
def test_what_is_no_command_and_no_path_ends_before_any_window(word: str, home: Path) -> None:
    # On a platform that does not exist, any window would end the process in another way.
    surroundings = {**os.environ, "QT_QPA_PLATFORM": "nowhere"}
    ended = subprocess.run(
        [sys.executable, "main.py", word],
        cwd=ROOT,
        env=surroundings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.splitlines()[-1].startswith("error: ")


def test_without_a_display_it_says_so_in_one_line(home: Path) -> None:
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    surroundings = {name: value for name, value in os.environ.items() if name not in hidden}
    ended = subprocess.run(
        [sys.executable, "main.py"],
        cwd=ROOT,
        env=surroundings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 4
    assert ended.stderr.startswith("error: no display")
    assert len(ended.stderr.splitlines()) == 1


def test_a_killed_window_takes_its_worker_along_and_comes_back_where_it_was(
    home: Path, tmp_path: Path
) -> None:
    footage = tmp_path / "footage"
    footage.mkdir()
    video = street_video(footage / "street.mp4", 1200, (60, 200))
    window = begin("worker", str(video))
    first = read_reply(window)
    worker = psutil.Process(first["worker"])
    window.kill()
    end(window)
    gone, alive = psutil.wait_procs([worker], timeout=30)
    assert not alive, "the worker outlived its window"
    assert gone
    again = begin("place")
    reply = read_reply(again)
    assert reply == {"case": first["case"], "frame": 7}
    assert end(again) == 0
