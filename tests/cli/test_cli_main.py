from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.cli import events
from engine.cli.main import run

ROOT = Path(__file__).parents[2]
COMMANDS = (
    "analyze", "events", "report", "export", "archive", "unpack", "verify", "log", "evaluate",
    "packs", "problem", "synth", "train",
)  # fmt: skip
Run = Callable[..., Any]


def test_without_a_command_the_help_is_shown_and_the_code_says_so(command: Run) -> None:
    ran = command()
    assert ran.code == 2
    assert "analyze VIDEO --case" in ran.out
    assert ran.error.startswith("error: no command named")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["frobnicate"], "frobnicate"),
        (["--frobnicate"], "--frobnicate"),
        (["analyze", "--frobnicate"], "--frobnicate"),
        (["analyze", "a.mp4", "--case"], "--case"),
        (["events"], "--case"),
        (["events", "--case", "x.case", "--run", "first"], "--run"),
        (["analyze", "a.mp4", "--case", "x.case", "--stride", "often"], "--stride"),
        (["analyze", "a.mp4", "--case", "x.case", "--fps", "fast"], "--fps"),
    ],
)
def test_wrong_usage_is_one_line_with_the_way_out(
    command: Run, words: list[str], said: str
) -> None:
    ran = command(*words)
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.count("\n") == 1
    assert said in ran.error
    assert "internal" not in ran.error
    assert ran.error.endswith("see main.py --help")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_help_of_its_own(command: Run, name: str) -> None:
    ran = command(name, "--help")
    assert ran.code == 0
    assert ran.err == ""
    assert f"main.py {name}" in ran.out


@pytest.mark.parametrize("words", [(), ("--help",), *((name, "--help") for name in COMMANDS)])
def test_the_built_program_goes_by_its_own_name(
    command: Run, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    ran = command(*words)
    assert "sightline" in ran.out
    assert "main.py" not in ran.out + ran.err


def test_the_overview_names_every_command_and_the_codes(command: Run) -> None:
    ran = command("--help")
    assert ran.code == 0
    for name in COMMANDS:
        assert name in ran.out
    assert "Exit codes" in ran.out
    assert "analyse" not in ran.out


def test_analyse_is_analyze(command: Run) -> None:
    assert (
        command("analyse", "--case", "x.case").error == command("analyze", "--case", "x.case").error
    )


def fail_with(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("engine.cli.main._commands", lambda: failing)


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KeyboardInterrupt(), 3, "cancelled"),
        (MemoryError(), 4, "memory"),
        (OSError(errno.ENOSPC, "No space left on device", "/case/db"), 4, "no space left"),
        (OSError(errno.EDQUOT, "Disk quota exceeded", "/case/db"), 4, "quota"),
        (PermissionError(errno.EACCES, "Permission denied", "/case/db"), 2, "/case/db"),
        (OSError("odd"), 2, "OSError".lower()),
        (RuntimeError("line one\nline two \x1b[31m"), 2, "internal error"),
        (RecursionError("deep"), 2, "internal error"),
    ],
)
def test_every_failure_is_one_line_and_a_code(
    command: Run, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, said: str
) -> None:
    fail_with(error, monkeypatch)
    ran = command("events")
    assert ran.code == code
    assert said in ran.error.lower()
    assert ran.err.count("\n") == 1
    assert "\x1b" not in ran.err


def test_debug_shows_where_and_still_ends_with_the_line(
    command: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_with(RuntimeError("what happened"), monkeypatch)
    ran = command("events", "--debug")
    assert ran.code == 2
    assert "Traceback" in ran.err
    assert ran.err.rstrip("\n").rpartition("\n")[2].startswith("error: internal error")


def test_debug_and_quiet_after_the_end_of_options_are_names(command: Run, tmp_path: Path) -> None:
    ran = command("analyze", "--case", tmp_path / "x.case", "--", "--debug")
    assert "--debug" in ran.error


@pytest.mark.parametrize("name", ["\x1b[31mred", "\x9b31mred", "a\nerror: forged", "bell\a"])
def test_control_characters_of_arguments_do_not_reach_the_terminal(
    command: Run, name: str, tmp_path: Path
) -> None:
    for words in (
        ["analyze", name, "--case", str(tmp_path / "x.case")],
        ["events", "--case", name],
        [name],
        ["events", "--case", "x", f"--{name}"],
    ):
        ran = command(*words)
        assert ran.code == 2
        shown = ran.out + ran.err
        assert shown.count("\n") == 1
        assert all(char.isprintable() or char == "\n" for char in shown), words


HEAVY = ("torch", "cv2", "av", "sklearn", "scipy", "transformers", "PySide6", "PIL")


@pytest.mark.parametrize("words", [["--help"], ["analyze", "--help"], []])
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv.pop(1))\n"
        "from engine.cli.main import run\n"
        "run(sys.argv[1:])\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(ROOT), *words],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stderr.splitlines()[-1] == "[]"


def test_main_runs_from_any_folder(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), "--help"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        timeout=60,
    )
    assert "analyze" in done.stdout
    assert done.stderr == ""


def test_json_is_readable_in_any_locale(analysed: Path, tmp_path: Path) -> None:
    """Names of files may hold what the terminal's encoding cannot show."""
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    folder = Path(shutil.copytree(analysed, tmp_path / "Küche 東京.case"))
    for words in (["events", "--json"], ["events"]):
        done = subprocess.run(
            [sys.executable, str(ROOT / "main.py"), *words, "--case", str(folder)],
            capture_output=True,
            env=environment,
            timeout=60,
            check=True,
        )
        if "--json" in words:
            assert json.loads(done.stdout)["events"]


def test_events_of_a_case(command: Run, case: Path) -> None:
    found = command("events", "--case", case, "--json").json["events"]
    assert found
    first = found[0]
    assert {
        "event_id", "run_id", "evidence_id", "state", "start_s", "end_s", "start_pts", "end_pts",
        "peak_s", "peak_score", "channel", "reasons", "trajectories", "summary",
    } <= set(first)  # fmt: skip
    assert set(first["reasons"][0]) >= {"attribute", "value", "usual", "ratio", "unit", "text"}
    assert set(first["trajectories"][0]) >= {
        "trajectory_id", "from", "to", "direction", "box_at_peak",
    }  # fmt: skip
    assert first["state"] == "unseen"
    assert first["start_s"] <= first["peak_s"] <= first["end_s"]
    shown = command("events", "--case", case)
    assert shown.code == 0
    assert f"{len(found)} event" in shown.out
    assert first["summary"] in shown.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--evidence", "7"], "evidence"),
        (["--run", "7"], "run"),
        (["--evidence", "0"], "evidence"),
    ],
)
def test_events_of_what_is_not_there(command: Run, case: Path, words: list[str], said: str) -> None:
    ran = command("events", "--case", case, *words)
    assert ran.code == 2
    assert said in ran.error


def test_events_of_no_case(command: Run, tmp_path: Path) -> None:
    ran = command("events", "--case", tmp_path / "missing.case")
    assert ran.code == 2
    assert "missing.case" in ran.error
    assert not (tmp_path / "missing.case").exists()


def test_run_returns_the_code() -> None:
    assert callable(events.command)
    assert run(["events", "--case", "/nowhere/x.case", "--quiet"]) == 2


def test_every_entry_of_every_registry_can_be_imported(command: Run) -> None:
    ran = command("registries")
    assert ran.code == 0
    for entry in ("command: analyze", "channel: scene", "scene attribute: speed",
                  "backbone: compact", "data set: ubnormal"):  # fmt: skip
        assert entry in ran.out
