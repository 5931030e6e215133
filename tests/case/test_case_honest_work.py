"""Honest work after an edit past the log must not vouch for the edit."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.case import Case, Change, verify
from engine.case.store import audit, schema
from engine.case.store.content_hashes import object_sha256
from engine.case.store.database import DATABASE, Database
from engine.core.errors import BadInputError
from tests.case.case_material import SHA

FORGED = "cd" * 32


def edit(folder: Path, sql: str) -> None:
    """Edits a closed case as someone does who has the database file alone."""
    raw = sqlite3.connect(folder / DATABASE, isolation_level=None)
    raw.execute(sql)
    raw.close()


def set_clock(change: Change) -> None:
    change.evidence.set_clock_offset(1, 60.0)


def relink(change: Change) -> None:
    change.evidence.relink(1, "/elsewhere/gate.mp4")


def note_a_mismatch(change: Change) -> None:
    change.evidence.record_mismatch(1, FORGED)


def amend_bookmark(change: Change) -> None:
    change.bookmarks.amend(1, "the gate again")


def name_the_examiner(change: Change) -> None:
    change.info.set(examiner="Ada Example")


def judge_an_edited_event(change: Change) -> None:
    change.results.set_state(2, "relevant", "no cat")


def judge_an_event_without_entry(change: Change) -> None:
    change.results.set_state(1, "relevant", "")


def hide_a_note(change: Change) -> None:
    change.notes.set_removed(1, True)


HONEST_WORK = (
    set_clock, relink, note_a_mismatch, amend_bookmark, name_the_examiner, judge_an_edited_event,
    judge_an_event_without_entry, hide_a_note,
)  # fmt: skip


@pytest.mark.parametrize(
    ("sql", "honest"),
    [
        (f"UPDATE evidence SET sha256 = '{FORGED}'", set_clock),
        (f"UPDATE evidence SET sha256 = '{FORGED}'", relink),
        (f"UPDATE evidence SET sha256 = '{FORGED}'", note_a_mismatch),
        ("UPDATE bookmark SET start_frame = 9", amend_bookmark),
        ("UPDATE meta SET value = 'another case' WHERE key = 'case_id'", name_the_examiner),
        ("UPDATE event SET state_reason = 'guilty' WHERE id = 2", judge_an_edited_event),
        ("UPDATE event SET state = 'seen' WHERE id = 1", judge_an_event_without_entry),
        ("UPDATE note SET text = 'a blue coat' ", hide_a_note),
    ],
)
def test_an_edited_record_is_refused_before_an_entry_vouches_for_it(
    case_folder: Path, sql: str, honest: Callable[[Change], None]
) -> None:
    edit(case_folder, sql)
    with Case.open(case_folder, write=True) as case:
        before = verify(case, hash_evidence=lambda _: SHA)
        assert before.bad
        head = case.audit.head
        with (
            pytest.raises(BadInputError, match="not what the audit log says"),
            case.change() as change,
        ):
            honest(change)
        assert case.audit.head == head
        assert verify(case, hash_evidence=lambda _: SHA).bad == before.bad


def test_the_same_work_on_a_sound_case_is_done(case_folder: Path) -> None:
    with Case.open(case_folder, write=True) as case:
        for honest in HONEST_WORK:
            with case.change() as change:
                honest(change)
        assert verify(case, hash_evidence=lambda _: SHA).ok


def test_a_hash_that_an_older_version_vouched_for_is_found(case_folder: Path) -> None:
    edit(case_folder, f"UPDATE evidence SET sha256 = '{FORGED}'")
    with Case.open(case_folder, write=True) as case:
        with case.database.transaction():
            content = object_sha256(case.database, "evidence:1")
            audit.append(case.database, "evidence.set_clock_offset", "evidence:1", {}, content)
        found = verify(case, hash_evidence=lambda _: FORGED)
        assert [(record.table, record.id) for record in found.bad] == [("evidence", 1)]


PLANTED = (
    "CREATE TRIGGER soften AFTER INSERT ON note BEGIN"
    " UPDATE note SET text = replace(text, 'guilty', 'innocent'); END",
    "CREATE INDEX extra ON note (text)",
    "CREATE VIEW notes AS SELECT * FROM note",
    "DROP TRIGGER audit_refuses_update",
    "DROP INDEX run_of_evidence",
)


@pytest.mark.parametrize("sql", PLANTED)
def test_what_was_planted_in_the_schema_is_named_and_nothing_is_written(
    case_folder: Path, sql: str
) -> None:
    edit(case_folder, sql)
    with Case.open(case_folder) as case:
        found = verify(case, hash_evidence=lambda _: SHA)
    assert [record.table for record in found.bad] == ["sqlite_master"]
    assert not found.ok
    with pytest.raises(BadInputError, match="was altered"):
        Case.open(case_folder, write=True)


@pytest.mark.parametrize(
    ("sql", "table"),
    [
        ("UPDATE sqlite_sequence SET seq = 900 WHERE name = 'note'", "sqlite_sequence"),
        ("PRAGMA user_version = 7", "sqlite_master"),
    ],
)
def test_what_is_beside_the_rows_is_verified(case_folder: Path, sql: str, table: str) -> None:
    edit(case_folder, sql)
    with Case.open(case_folder) as case:
        found = verify(case, hash_evidence=lambda _: SHA)
    assert [record.table for record in found.bad] == [table]


def test_an_index_that_hides_rows_is_found(case_folder: Path) -> None:
    raw = sqlite3.connect(case_folder / DATABASE, isolation_level=None)
    raw.execute("PRAGMA writable_schema = ON")
    raw.execute("UPDATE sqlite_master SET sql = sql || ' WHERE id < 0' WHERE name = 'chunk_span'")
    raw.close()
    with Case.open(case_folder) as case:
        found = verify(case, hash_evidence=lambda _: SHA)
    assert ("sqlite_master", "chunk_span") in {(bad.table, bad.id) for bad in found.bad}


def test_the_hashes_of_the_schema_are_those_of_the_migrations(tmp_path: Path) -> None:
    for count, expected in enumerate(schema.SCHEMA_SHA256, 1):
        raw = sqlite3.connect(":memory:", isolation_level=None)
        database = Database(raw, tmp_path / DATABASE, writable=True)
        names = schema.MIGRATION_NAMES
        with database.transaction():
            schema.migrate(database, names[count] if count < len(names) else None)
        assert database.row("SELECT 1 FROM sqlite_master WHERE type = 'trigger'")
        assert schema.altered_objects(database) == []
        assert schema.objects_sha256(database) == expected
        database.close()
