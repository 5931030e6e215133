"""Small real cases for the tests of commands: one clip, analysed once."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.cli.main import run
from tests.cli.cli_cases import analysed, case, clip, command

__all__ = ["analysed", "case", "clip", "command"]


@pytest.fixture
def copied_case(clip: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A case that holds a copy of its evidence, and that copy."""
    folder = tmp_path / "own.case"
    assert run(["analyze", str(clip), "--case", str(folder), "--copy", "--quiet"]) == 0
    (held,) = (folder / "evidence").rglob("*.mp4")
    return folder, held


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder for footage, with the case elsewhere."""
    folder = tmp_path / "footage"
    folder.mkdir()
    return folder


@pytest.fixture
def new_case(tmp_path: Path) -> Path:
    return tmp_path / "cases" / "new.case"
