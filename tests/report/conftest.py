"""Lets the tests of this folder use the small real cases of the command line's."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.case import Case, NewBookmark, NewNote, NewOwnEvent
from tests.cli.cli_material import Command
from tests.cli.conftest import analysed, case, clip, command, copied_case
from tests.report.report_material import ARABIC, CHINESE, SCRIPT, TYPST, MakeReport

__all__ = ["analysed", "case", "clip", "command", "copied_case"]


@pytest.fixture
def reviewed_case(case: Path) -> Path:
    """A case with one of everything that an examiner may write."""
    with Case.open(case, write=True) as opened, opened.change() as change:
        event = opened.results.events(1)[0].id
        change.results.set_state(event, "relevant", f"a bag {SCRIPT}")
        change.tags.set(f"event:{event}", "report", True)
        note = change.notes.add(NewNote(f"event:{event}", "first words", 1, 0, 0.4))
        change.notes.amend(note, f"second words {SCRIPT} {TYPST}")
        change.notes.add(NewNote("case", ARABIC))
        change.notes.add(NewNote("case", f"{CHINESE} \U0001f600 \u202eevil"))
        change.bookmarks.add(NewBookmark(1, 1, 10, 20, 100, 200, 0.4, 0.8, "a mark"))
        change.own_events.add(
            NewOwnEvent(1, None, 5, 20, 10, 2560, 10240, 5120, 0.2, 0.8, 0.4, 0.0, "by hand")
        )
    return case


@pytest.fixture
def make_report(command: Command, reviewed_case: Path, tmp_path: Path) -> MakeReport:
    def make(ending: str, *words: object) -> Path:
        target = tmp_path / f"report.{ending}"
        ran = command("report", "--case", reviewed_case, "--to", target, *words)
        assert ran.code == 0, ran.err
        return target

    return make


@pytest.fixture
def archive(command: Command, case: Path, tmp_path: Path) -> Path:
    target = tmp_path / "gate.zip"
    ran = command("archive", "--case", case, "--to", target, "--with-evidence", "--json")
    assert ran.code == 0, ran.err
    return target
