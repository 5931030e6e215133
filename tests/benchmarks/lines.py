"""One line of the table of figures, and the commands behind it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Line:
    """One figure: what was asked, what was measured, by which command.

    Attributes:
        name: what is measured.
        required: in words.
        measured: in words.
        holds: whether it is met.
        command: typed from the repository root.
    """

    name: str
    required: str
    measured: str
    holds: bool
    command: str


def footage() -> Path:
    """Returns the folder of real footage, which SIGHTLINE_FOOTAGE names."""
    folder = os.environ.get("SIGHTLINE_FOOTAGE")
    if not folder:
        sys.exit("This benchmark needs real footage: name its folder in SIGHTLINE_FOOTAGE.")
    return Path(folder)


def absolute(path: str) -> Path:
    """Returns the path that a word names here; commands run in the root of the repository."""
    return Path(path).resolve()


def run_json(*words: object) -> dict[str, Any]:
    """Runs a command of the application with `--json` and returns what it prints."""
    done = run(*words, "--json", "--quiet")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


_LAUNCHER = """
import os, subprocess, sys, time
begun = time.perf_counter()
process = subprocess.Popen([sys.executable, *sys.argv[1:]], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
process.returncode = os.waitstatus_to_exitcode(status)
print(process.returncode, time.perf_counter() - begun, usage.ru_maxrss)
"""
# A process counts the pages of the one it was forked from as its own, so a small one must start it.


def run(*words: object, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Runs a command of the application."""
    line = [sys.executable, str(ROOT / "main.py"), *map(str, words)]
    return subprocess.run(line, cwd=ROOT, text=True, capture_output=True, check=check)


def timed(*words: object) -> tuple[float, float]:
    """Runs a command; returns wall seconds and peak resident size in MB of that process alone.

    Raises:
        RuntimeError: the command failed.
    """
    line = [sys.executable, "-c", _LAUNCHER, str(ROOT / "main.py"), *map(str, words)]
    done = subprocess.run(line, cwd=ROOT, text=True, capture_output=True, check=False)
    code, wall, peak = done.stdout.split()
    if code != "0":
        raise RuntimeError(done.stderr)
    return float(wall), float(peak) / 1024


def table(lines: Sequence[Line]) -> str:
    """Returns a Markdown table of lines."""
    rows = ["| what | required | measured | holds |", "| --- | --- | --- | --- |"]
    rows += [
        f"| {line.name} | {line.required} | {line.measured} | {'yes' if line.holds else '**no**'} |"
        for line in lines
    ]
    commands = list(dict.fromkeys(line.command for line in lines))
    return "\n".join([*rows, "", "```sh", *commands, "```"]) + "\n"
