"""What export refuses: bad words, unknown cases, odd names, a case in use, a full disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.export.output_files import Output
from tests.case.case_holder import case_held_elsewhere
from tests.cli.cli_material import Command


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--to", "x.pdf"], ".mp4, .png, .npz, .txt, .json"),
        (["--to", "x"], "no ending"),
        (["--to", "x.npz", "--start", "2", "--end", "1"], "ends before it starts"),
        (["--to", "x.npz", "--start", "99"], "no frame at 00:01:39.000"),
        (["--to", "x.png", "--start", "99"], "no frame at"),
        (["--to", "x.npz", "--start", "soon"], "not a time"),
        (["--to", "x.npz", "--end=-3"], "not a time"),
        (["--to", "x.png", "--start", "1", "--end", "2"], "a still has no end"),
        (["--to", "x.npz", "--run", "7"], "no such run"),
        (["--to", "x.npz", "--frobnicate"], "frobnicate"),
    ],
)
def test_bad_words_end_with_2_and_leave_nothing(
    command: Command,
    case: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = command("export", "--case", case, "--evidence", 1, *words)
    assert ran.code == 2
    assert said in ran.error
    assert ran.out == ""
    assert [path.name for path in tmp_path.iterdir()] == [case.name]


def test_unknown_cases_and_evidence_are_named(command: Command, case: Path, tmp_path: Path) -> None:
    to = ("--to", tmp_path / "a.npz")
    ran = command("export", "--case", tmp_path / "no.case", "--evidence", 1, *to)
    assert (ran.code, "no such case" in ran.error) == (2, True)
    assert not (tmp_path / "no.case").exists()
    ran = command("export", "--case", case, "--evidence", 9, *to)
    assert (ran.code, "no such evidence" in ran.error) == (2, True)


def test_names_of_any_alphabet_and_length_work_or_are_refused_in_one_line(
    command: Command, case: Path, tmp_path: Path
) -> None:
    deep = tmp_path / "Ordner mit Leerzeichen" / "文件夹"
    target = deep / ("ü" * 100 + ".png")
    assert command("export", "--case", case, "--evidence", 1, "--to", target).code == 0
    assert len(list(deep.iterdir())) == 2
    raw = Path(os.fsdecode(os.fsencode(tmp_path) + b"/latin1-\xfc.txt"))
    assert command("export", "--case", case, "--evidence", 1, "--to", raw).code == 0
    assert raw.exists()
    for ending in (".npz", ".png"):
        long = tmp_path / ("x" * 249 + ending)
        ran = command("export", "--case", case, "--evidence", 1, "--to", long)
        if ending == ".png":
            assert ran.code == 2
            assert "cannot be written" in ran.error
    inside = case / "case.sqlite" / "a.npz"
    assert command("export", "--case", case, "--evidence", 1, "--to", inside).code == 2
    assert not list(tmp_path.glob(".*.part"))


def test_a_case_of_another_session_ends_with_4(
    command: Command, case: Path, tmp_path: Path
) -> None:
    with case_held_elsewhere(case):
        ran = command("export", "--case", case, "--evidence", 1, "--to", tmp_path / "a.npz")
        assert ran.code == 4
        assert "in use" in ran.error
        assert command("verify", "--case", case).code == 0
    assert not (tmp_path / "a.npz").exists()


@pytest.mark.parametrize("ending", ["npz", "txt", "json"])
def test_a_full_disk_ends_with_4_names_the_file_and_leaves_nothing(
    command: Command, case: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ending: str
) -> None:
    target = tmp_path / f"a.{ending}"

    def part(self: Output, kind: str, name: str | None = None) -> Path:
        temporary = made(self, kind, name)
        temporary.symlink_to("/dev/full")
        return temporary

    made = Output.part
    monkeypatch.setattr(Output, "part", part)
    ran = command("export", "--case", case, "--evidence", 1, "--to", target)
    assert ran.code == 4
    assert f"{target}," in ran.error
    assert [path.name for path in tmp_path.iterdir()] == [case.name]
