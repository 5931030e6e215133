"""A copied case opens, verifies and knows that it is a copy."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from engine.case import Case, copy_case, verify
from engine.core.errors import BadInputError


def test_a_copy_holds_what_the_case_holds(tmp_path: Path) -> None:
    with Case.create(tmp_path / "one.case") as case:
        (case.path / "derived").mkdir(exist_ok=True)
        (case.path / "derived" / "still.png").write_bytes(b"picture")
        (case.path / "cache").mkdir(exist_ok=True)
        (case.path / "cache" / "features").write_bytes(b"big")
        copy = copy_case(case, tmp_path / "two.case")
        head = case.audit.head
    with Case.open(copy, write=True) as other:
        assert other.audit.head == head
        assert [entry.action for entry in other.audit.entries()][-1] == "case.copy"
        assert verify(other, hash_evidence=lambda _row: "").ok
    assert (copy / "derived" / "still.png").read_bytes() == b"picture"
    assert not (copy / "cache" / "features").exists()
    assert not list(tmp_path.glob("*.part"))


def test_nothing_is_written_over(tmp_path: Path) -> None:
    occupied = tmp_path / "taken"
    occupied.mkdir()
    (occupied / "letter.txt").write_text("mine")
    with Case.create(tmp_path / "one.case") as case:
        with pytest.raises(BadInputError, match="already"):
            copy_case(case, occupied)
        with pytest.raises(BadInputError, match="into itself"):
            copy_case(case, case.path / "derived" / "copy.case")
    assert (occupied / "letter.txt").read_text() == "mine"


@pytest.mark.skipif(os.name == "nt", reason="rights of folders are others on Windows")
def test_a_new_case_is_its_owners_alone_and_an_older_folder_keeps_its_rights(
    tmp_path: Path,
) -> None:
    shared = tmp_path / "shared.case"
    shared.mkdir()
    shared.chmod(0o750)
    with Case.create(tmp_path / "one.case") as case:
        copy = copy_case(case, tmp_path / "two.case")
    Case.create(shared).close()
    for folder, mode in ((tmp_path / "one.case", 0o700), (copy, 0o700), (shared, 0o750)):
        assert stat.S_IMODE(folder.stat().st_mode) == mode
