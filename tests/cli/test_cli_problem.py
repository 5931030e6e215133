from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.cli.cli_material import Command


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def test_writes_a_zip_and_says_that_nothing_was_sent(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "problem.zip"
    ran = command("problem", "--to", path, "--note", "It is black")
    assert ran.code == 0
    assert "nothing was sent" in ran.out
    with zipfile.ZipFile(path) as archive:
        assert archive.read("note.txt") == b"It is black\n"


def test_json_names_the_files(command: Command, tmp_path: Path) -> None:
    said = command("problem", "--to", tmp_path / "p.zip", "--json").json
    assert said["files"] == ["read-me.txt", "about.json", "window.log", "engine.log"]
    assert said["whole_logs"] is False


def test_a_bad_name_is_one_line(command: Command, tmp_path: Path) -> None:
    ran = command("problem", "--to", tmp_path / "p.tar")
    assert ran.code == 2
    assert ran.err.count("\n") == 1
    assert ran.error.endswith("name a file that ends in .zip")
