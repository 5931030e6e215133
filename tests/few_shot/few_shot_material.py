"""A case with a street in which one box runs, seen by an untrained decoder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.cli.main import run
from tests.pipeline.pipeline_material import street_video
from tests.tvad.text_pack import text_pack

RUNNER_S = (1.2, 1.6)
"""Stream times at which the runner is in the picture, which starts at frame 20 of 25 a second."""


def runner_box(seconds: float) -> list[float]:
    """The box of the runner, [x, y, w, h]."""
    return [5 * (seconds * 25 - 20) - 28, 36, 28, 24]


def mark(
    seconds: float = 1.2, name: str = "cart", normal: bool = False, **shape: Any
) -> dict[str, Any]:
    shape_fields = shape or {"box": runner_box(seconds)}
    return {"evidence_id": 1, "time": seconds, "name": name, "normal": normal, **shape_fields}


def marks_file(folder: Path, *marks: object) -> Path:
    path = folder / "marks.json"
    path.write_text(json.dumps({"marks": list(marks)}), encoding="utf-8")
    return path


def made_case(folder: Path) -> Path:
    """Analyses the street; returns the case."""
    pack = text_pack(folder)
    (folder / "footage").mkdir()
    video = street_video(folder / "footage" / "street.mp4", 70, (20,))
    case = folder / "street.case"
    words = ["--channels", "scene,text", "--pack", str(pack.folder), "--device", "cpu", "--quiet"]
    assert run(["analyze", str(video), "--case", str(case), *words]) == 0
    return case


def run_command(
    capsys: pytest.CaptureFixture[str], *words: object
) -> tuple[int, dict[str, Any], str]:
    """Runs a command with --json: exit code, what it printed, the line of its error."""
    capsys.readouterr()
    code = run([*map(str, words), "--json", "--quiet"])
    out, err = capsys.readouterr()
    values = json.loads(out) if out else {}
    return code, values, err.strip().splitlines()[-1] if err.strip() else ""
