"""What an examiner adds: kept, never erased, found by `verify` when somebody else touches it."""

from __future__ import annotations

import gzip
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from engine.case import Case, HeatBlock, verify
from engine.case.store.database import DATABASE
from engine.case.tables.watched_spans import merge
from engine.core.errors import BadInputError
from tests.case.case_material import fill, review

OLDER = Path(__file__).parent / "older" / "tables-1.sqlite.gz"


def sound(case: Case) -> bool:
    verification = verify(case, hash_evidence=lambda row: row.sha256)
    return verification.ok


@pytest.fixture
def reviewed(tmp_path: Path) -> Path:
    with Case.create(tmp_path / "gate.case") as case:
        fill(case)
    return tmp_path / "gate.case"


def test_what_is_added_is_read_back_and_verifies(reviewed: Path) -> None:
    with Case.open(reviewed) as case:
        (bookmark,) = case.bookmarks.of(1)
        assert (bookmark.text, bookmark.start_pts, bookmark.author != "") == ("gate", 5120, True)
        (note,) = case.notes.all()
        assert (note.text, note.versions) == ("a brown coat", 2)
        assert [note_version.text for note_version in case.notes.history(note.first_id)] == [
            "a red coat",
            "a brown coat",
        ]
        assert case.tags.by_object() == {"event:1": ("report",)}
        (own,) = case.own_events.of(1)
        assert (own.event.channel, own.state, own.derivation_id) == ("examiner", "relevant", None)
        assert case.watched.of(1) == ((0, 40),)
        assert case.evidence.get(1).clock_offset_s == 3600.5
        assert [row.event.number for row in case.results.events(1)] == [1, 2, 3]
        assert sound(case)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE bookmark SET text = 'elsewhere'",
        "DELETE FROM bookmark",
        "UPDATE note SET text = 'a blue coat' WHERE id = 1",
        "DELETE FROM note WHERE id = 2",
        "UPDATE tag SET removed = 1",
        "UPDATE watched SET spans = '[[0,90]]'",
        "UPDATE event SET summary = 'nothing' WHERE derivation_id IS NULL",
        "DELETE FROM event WHERE derivation_id IS NULL",
        "INSERT INTO tag (object, name, author, utc) VALUES ('event:2', 'x', 'y', 'z')",
        "UPDATE evidence SET clock_offset_s = 0.5",
        "UPDATE heat SET last_frame = 99",
        "DELETE FROM heat",
        "UPDATE derivation SET settings = '{}'",
    ],
)
def test_an_edit_behind_the_programs_back_is_found(reviewed: Path, statement: str) -> None:
    with Case.open(reviewed, write=True) as case, case.change() as change:
        block = HeatBlock("scene", np.arange(4), np.full((4, 2, 3), 9, np.uint8))
        change.results.replace(
            1, scores={}, regions=[], trajectories=[], events=[], heat=[block], settings={"a": 1}
        )
    with Case.open(reviewed) as case:
        assert sound(case)
    with closing(sqlite3.connect(reviewed / DATABASE)) as raw:
        raw.execute(statement)
        raw.commit()
    with Case.open(reviewed) as case:
        assert not sound(case)


def test_removing_keeps_the_row_and_can_be_taken_back(reviewed: Path) -> None:
    with Case.open(reviewed, write=True) as case:
        with case.change() as change:
            change.bookmarks.set_removed(1, True)
            change.notes.set_removed(1, True)
            change.own_events.set_removed(4, True)
        assert (case.bookmarks.of(1), case.notes.all(), case.own_events.of(1)) == ((), (), ())
        assert len(case.bookmarks.all()) == 1
        with case.change() as change:
            change.bookmarks.set_removed(1, False)
            change.notes.set_removed(1, False)
            change.own_events.set_removed(4, False)
        assert case.notes.all()[0].text == "a brown coat"
        assert len(case.own_events.of(1)) == 1
        assert sound(case)


def test_a_found_event_is_dismissed_but_never_removed(reviewed: Path) -> None:
    with (
        Case.open(reviewed, write=True) as case,
        pytest.raises(BadInputError, match="examiner"),
        case.change() as change,
    ):
        change.own_events.set_removed(1, True)


def test_heat_is_found_by_frame(reviewed: Path) -> None:
    heat = np.arange(8, dtype=np.uint8)[:, None, None] * np.ones((1, 2, 3), np.uint8)
    blocks = [HeatBlock("scene", np.arange(4) * 5 + at * 20, heat[at * 4 :][:4]) for at in (0, 1)]
    with Case.open(reviewed, write=True) as case:
        with case.change() as change:
            change.results.replace(
                1, scores={}, regions=[], trajectories=[], events=[], heat=blocks
            )
        assert case.results.heat_channels(1) == ("scene",)
        for frame, value in ((0, 0), (4, 0), (5, 1), (19, 3), (20, 4), (39, 7)):
            block = case.results.heat(1, "scene", frame)
            assert block is not None
            assert int(block.at(frame)[0, 0]) == value


def test_a_case_of_the_first_tables_is_brought_to_these(tmp_path: Path) -> None:
    folder = tmp_path / "old.case"
    folder.mkdir()
    (folder / DATABASE).write_bytes(gzip.decompress(OLDER.read_bytes()))
    with Case.open(folder) as case:
        assert sound(case)
    with Case.open(folder, write=True) as case:
        events = case.results.events(1)
        assert [(row.id, row.state) for row in events] == [
            (1, "unseen"), (2, "dismissed"), (3, "unseen"),
        ]  # fmt: skip
        assert sound(case)
        assert review(case)["event"] == 4
        assert case.results.trajectory_summaries(1)[0].peak_score is None
        assert sound(case)


@pytest.mark.parametrize(
    ("spans", "merged"),
    [([], ()), ([(5, 9), (0, 4)], ((0, 9),)), ([(0, 4), (6, 9), (2, 3)], ((0, 4), (6, 9)))],
)
def test_watched_spans_are_merged(
    spans: list[tuple[int, int]], merged: tuple[tuple[int, int], ...]
) -> None:
    assert merge(spans) == merged


def test_the_settings_of_a_derivation_are_kept(reviewed: Path) -> None:
    with Case.open(reviewed, write=True) as case:
        with case.change() as change:
            change.results.replace(
                1, scores={}, regions=[], trajectories=[], events=[], settings={"ignore": [[1]]}
            )
        current = case.results.current(1)
        assert current is not None
        assert json.loads(current.settings or "") == {"ignore": [[1]]}
