"""A problem report holds nothing of evidence, paths or names unless the user says so."""

from __future__ import annotations

import json
import logging
import sys
import zipfile
from pathlib import Path

import pytest

from engine.core.errors import BadInputError
from engine.core.logs import FORM, LOGS, log_file
from engine.core.problem_report import problem_files, with_note, without_names, write_problem

SECRETS = ("Ada", "Lovelace", "yard", "cam1.mp4", "/evidence", "4711", "home", "ada")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home-of-ada"
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    return folder


def write_logs() -> None:
    """Logs as the program does what an examiner would not want to be known."""
    formatter = logging.Formatter(FORM)
    for kind in LOGS:
        file = log_file(kind)
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            raise FileNotFoundError(2, "No such file", "/evidence/4711 Lovelace/cam1.mp4")
        except FileNotFoundError:
            info = sys.exc_info()
        records = [
            logging.LogRecord("engine.worker.server", logging.ERROR, "/home/ada/x.py", 121,
                              "request %d: %s", (3, "cannot be read, /evidence/yard.case"), None),
            logging.LogRecord("desktop.player.frame_server", logging.ERROR, "y.py", 142,
                              "frames of %s", ("/evidence/\nAda Lovelace.mp4",), info),
        ]  # fmt: skip
        file.write_text("".join(f"{formatter.format(one)}\n" for one in records), "utf-8")


def test_without_a_tick_nothing_tells_of_evidence_paths_or_people() -> None:
    write_logs()
    text = "\n".join(problem_files().values())
    assert not [one for one in SECRETS if one in text]
    assert "ERROR engine.worker.server:121" in text
    assert "ERROR desktop.player.frame_server:142" in text
    assert "FileNotFoundError" in text
    assert "lines of words left out" in text


def test_with_the_tick_the_logs_are_whole_and_the_file_says_so() -> None:
    write_logs()
    files = problem_files(whole_logs=True)
    assert "/evidence/yard.case" in files["engine.log"]
    assert "may hold paths and names" in files["read-me.txt"]
    assert "no path" not in files["read-me.txt"]


def test_where_in_the_program_an_error_happened_is_kept() -> None:
    log = "\n".join(
        [
            "2026-11-27 10:00:00,000 ERROR engine.worker.server:113: request analyse failed",
            "Traceback (most recent call last):",
            '  File "/opt/Ada/sightline/engine/pipeline/run.py", line 12, in execute',
            "    secret = open('/evidence/cam1.mp4')",
            '  File "/usr/lib/python3.11/pathlib.py", line 3, in open',
            "engine.core.errors.MediaError: cannot be read, /evidence/cam1.mp4",
        ]
    )
    assert without_names(log).splitlines() == [
        "2026-11-27 10:00:00,000 ERROR engine.worker.server:113",
        "Traceback (most recent call last):",
        '  File "engine/pipeline/run.py", line 12, in execute',
        '  File "…", line 3, in open',
        "engine.core.errors.MediaError",
        "[lines of words left out: 1]",
    ]


def test_without_logs_it_says_so_and_still_names_versions() -> None:
    files = problem_files()
    assert files["window.log"] == "[there is no log]\n"
    about = json.loads(files["about.json"])
    assert about["build"] == "run from its sources"
    assert about["packages"]["av"]


def test_the_zip_holds_what_was_shown(tmp_path: Path) -> None:
    files = with_note(problem_files(), "  The picture stays black \ud800 ")
    path = tmp_path / "problem.zip"
    write_problem(path, files)
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == list(files)
        assert archive.read("note.txt").decode() == "The picture stays black ?\n"
    assert "note.txt" not in with_note(problem_files(), "  ")


@pytest.mark.parametrize(
    ("name", "said"),
    [("problem.txt", "ends in .zip"), ("taken.zip", "there already"), ("no/x.zip", "written")],
)
def test_a_place_that_cannot_be_is_one_line_and_leaves_nothing(
    tmp_path: Path, name: str, said: str
) -> None:
    (tmp_path / "taken.zip").write_bytes(b"mine")
    with pytest.raises(BadInputError) as error:
        write_problem(tmp_path / name, {"a": "b"})
    assert said in error.value.line()
    assert [one.name for one in tmp_path.iterdir()] == ["taken.zip"]
    assert (tmp_path / "taken.zip").read_bytes() == b"mine"
