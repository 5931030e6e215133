"""What analyze refuses: what is no footage, what changed, and places no case can be made in."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.case import Case
from tests.cli.cli_material import Command, actions, short


def audio_only(path: Path) -> Path:
    import wave

    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16_000))
    return path


BAD: dict[str, Callable[[Path], object]] = {
    "empty.mp4": lambda path: path.write_bytes(b""),
    "text.mp4": lambda path: path.write_text("this is no video\n" * 20),
    "noise.avi": lambda path: path.write_bytes(np.random.default_rng(0).bytes(5000)),
    "sound.wav": audio_only,
    "folder": lambda path: path.mkdir(),
    "list.mp4": lambda path: path.write_text("ffconcat version 1.0\nfile '/etc/passwd'\n"),
}


@pytest.mark.parametrize("name", list(BAD))
def test_what_is_no_footage_is_refused_by_name(
    command: Command, place: Path, new_case: Path, name: str
) -> None:
    BAD[name](place / name)
    ran = command("analyze", place / name, "--case", new_case, "--json")
    assert ran.code == 2
    assert name in ran.error
    assert ran.out.count("\n") == 1
    (failed,) = ran.json["failed"]
    assert failed["path"] == str(place / name)
    assert name in failed["error"]
    with Case.open(new_case) as case:
        assert not case.evidence.all()


def test_a_missing_file_makes_no_case(command: Command, place: Path, new_case: Path) -> None:
    ran = command("analyze", place / "missing.mp4", "--case", new_case)
    assert ran.code == 2
    assert "missing.mp4" in ran.error
    assert not new_case.exists()


def test_of_several_videos_bad_ones_are_named_and_the_others_go_on(
    command: Command, place: Path, new_case: Path
) -> None:
    first, last = short(place / "first.mp4"), short(place / "last.mp4", 14)
    bad, gone = place / "bad.mp4", place / "gone.mp4"
    bad.write_bytes(b"nothing")
    videos = (first, bad, gone, last)
    ran = command("analyze", *videos, "--case", new_case, "--json")
    assert ran.code == 2
    assert [run["path"] for run in ran.json["runs"]] == [str(first), str(last)]
    assert [one["path"] for one in ran.json["failed"]] == [str(bad), str(gone)]
    assert "2 videos" in ran.error
    assert "bad.mp4" in ran.error
    again = command("analyze", *videos, "--case", new_case, "--resume")
    assert again.code == 2
    assert [line.split(":")[0] for line in again.out.splitlines() if "warning" not in line] == [
        "first.mp4", str(bad), str(gone), "last.mp4",
    ]  # fmt: skip


def test_evidence_that_changed_is_refused_and_the_others_go_on(
    command: Command, place: Path, new_case: Path
) -> None:
    changed, other = short(place / "changed.mp4"), short(place / "other.mp4", 14)
    assert command("analyze", changed, "--case", new_case).code == 0
    changed.write_bytes(changed.read_bytes() + b"\0")
    ran = command("analyze", changed, other, "--case", new_case, "--json")
    assert ran.code == 2
    assert "changed since it was added" in ran.error
    assert [run["path"] for run in ran.json["runs"]] == [str(other)]
    assert "evidence.mismatch" in actions(new_case)


def test_a_case_may_not_lie_beside_evidence_unless_insisted_on(
    command: Command, place: Path
) -> None:
    video = short(place / "one.mp4")
    for case in (place / "x.case", place / "deep" / "x.case"):
        ran = command("analyze", video, "--case", case)
        assert ran.code == 2
        assert str(place) in ran.error
        assert "--beside-evidence" in ran.error
        assert not case.exists()
    insisted = command("analyze", video, "--case", place / "x.case", "--beside-evidence")
    assert insisted.code == 0
    assert "case.beside_evidence" in actions(place / "x.case")


def test_a_case_that_is_a_file_or_holds_something_else(
    command: Command, clip: Path, tmp_path: Path
) -> None:
    file = tmp_path / "file.case"
    file.write_text("mine")
    full = tmp_path / "full.case"
    full.mkdir()
    (full / "letter.txt").write_text("mine")
    for case in (file, full):
        ran = command("analyze", clip, "--case", case)
        assert ran.code == 2
        assert case.name in ran.error
    assert file.read_text() == "mine"
    assert [one.name for one in full.iterdir()] == ["letter.txt"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_case_that_cannot_be_written(command: Command, clip: Path, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=stat.S_IRUSR | stat.S_IXUSR)
    ran = command("analyze", clip, "--case", locked / "x.case")
    assert ran.code == 4
    assert "x.case" in ran.error


def test_a_case_where_nothing_can_be_made(command: Command, clip: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    ran = command("analyze", clip, "--case", file / "x.case")
    assert ran.code in (2, 4)
    assert "x.case" in ran.error


def test_a_case_of_another_session_is_left_alone(command: Command, clip: Path, case: Path) -> None:
    with Case.open(case, write=True):
        ran = command("analyze", clip, "--case", case)
    assert ran.code == 4
    assert "session" in ran.error
    with Case.open(case) as opened:
        assert len(opened.runs.all()) == 1


def test_a_full_disk_is_said_with_code_four(
    command: Command, clip: Path, new_case: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    usage = shutil.disk_usage("/")._replace(free=1000)
    with monkeypatch.context() as patch:
        patch.setattr("shutil.disk_usage", lambda _: usage)
        ran = command("analyze", clip, "--case", new_case)
    assert ran.code == 4
    assert "MB free" in ran.error
    again = command("analyze", clip, "--case", new_case, "--json")
    assert again.code == 0
    assert again.json["runs"][0]["run_id"] == 1
