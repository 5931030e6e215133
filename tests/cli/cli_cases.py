"""Fixtures of a small real case: one clip, analysed once, and the command line to ask of it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from engine.cli.main import run
from tests.cli.cli_material import Command, Ran, moving_blob
from tests.clips import write_video


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("footage") / "gate.mp4"
    return write_video(path, moving_blob(), options={"preset": "ultrafast", "bf": "2", "g": "12"})


@pytest.fixture(scope="session")
def analysed(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A case of the clip, to be copied and not to be changed."""
    folder = tmp_path_factory.mktemp("cases") / "gate.case"
    assert run(["analyze", str(clip), "--case", str(folder), "--quiet"]) == 0
    return folder


@pytest.fixture
def case(analysed: Path, tmp_path: Path) -> Path:
    """A case of the clip of the test's own."""
    return Path(shutil.copytree(analysed, tmp_path / "gate.case"))


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str]) -> Command:
    """Runs the command line in this process."""

    def call(*words: object) -> Ran:
        capfd.readouterr()
        code = run([os.fspath(word) if isinstance(word, Path) else str(word) for word in words])
        captured = capfd.readouterr()
        return Ran(code, captured.out, captured.err)

    return call
