"""Any edit behind the application's back is found, and the first bad row is named."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from engine.case import Case, EvidenceRow, Verification, verify
from engine.core.canonical import content_sha256
from engine.core.errors import BadInputError, MediaError
from tests.case.case_material import SHA, make_case, new_evidence

COLUMNS = "utc, actor, action, object, params_json, content_sha256, prev_hash, hash"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_case(tmp_path_factory.mktemp("cases") / "gate.case")


@pytest.fixture
def copy(original: Path, tmp_path: Path) -> Path:
    return restored(original, tmp_path / "copy.case")


def restored(original: Path, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    for old in folder.glob("case.sqlite-*"):
        old.unlink()
    shutil.copy(original / "case.sqlite", folder / "case.sqlite")
    return folder


@contextmanager
def tampering(folder: Path) -> Iterator[sqlite3.Connection]:
    """A raw connection with every guard taken away; afterwards they are put back as they were."""
    with closing(sqlite3.connect(folder / "case.sqlite", isolation_level=None)) as raw:
        guards = take_guards(raw)
        raw.execute("PRAGMA synchronous = OFF")
        raw.execute("PRAGMA foreign_keys = OFF")
        raw.execute("PRAGMA ignore_check_constraints = ON")
        yield raw
        put_back(raw, guards)


def take_guards(raw: sqlite3.Connection) -> list[str]:
    """Takes the triggers away and returns the statements that make them."""
    sql = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
    guards = raw.execute(sql).fetchall()
    for name, _ in guards:
        raw.execute(f"DROP TRIGGER {name}")
    return [str(statement) for _, statement in guards]


def put_back(raw: sqlite3.Connection, guards: list[str]) -> None:
    if not raw.execute("SELECT 1 FROM sqlite_master WHERE type = 'trigger'").fetchone():
        for statement in guards:
            raw.execute(statement)


def check(folder: Path, head: str | None = None) -> Verification:
    with Case.open(folder) as case:
        return verify(case, hash_evidence=lambda _: SHA, head=head)


def tables(raw: sqlite3.Connection) -> Iterator[str]:
    sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    yield from (name for (name,) in raw.execute(sql).fetchall())


def columns(raw: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in raw.execute(f"PRAGMA table_info({table})")]


def contents(raw: sqlite3.Connection) -> list[object]:
    return [raw.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall() for name in tables(raw)]


def other(value: object, rng: random.Random) -> object:
    """A different value of the same kind."""
    if isinstance(value, int):
        return value + rng.choice([-3, -1, 1, 2, 100])
    if isinstance(value, float):
        return value + rng.choice([-1e-9, 1e-6, 1.0])
    if isinstance(value, bytes):
        position = rng.randrange(len(value)) if value else 0
        return (
            value[:position]
            + bytes([(value[position] if value else 0) ^ 1])
            + value[position + 1 :]
        )
    if isinstance(value, str):
        position = rng.randrange(len(value) + 1)
        return value[:position] + rng.choice(["x", " ", "0"]) + value[position:]
    return rng.choice([1, 2])


def tamper(raw: sqlite3.Connection, rng: random.Random) -> str:
    """Makes one random edit, deletion, insertion or exchange and says which."""
    table = rng.choice(sorted(tables(raw)))
    names = columns(raw, table)
    ids = [row[0] for row in raw.execute(f"SELECT {names[0]} FROM {table}").fetchall()]
    row_id = rng.choice(ids)
    kind = rng.choice(["edit", "edit", "delete", "delete last", "insert", "exchange"])
    if kind == "edit":
        column = rng.choice(names)
        sql = f"SELECT {column} FROM {table} WHERE {names[0]} = ?"
        (value,) = raw.execute(sql, [row_id]).fetchone()
        new = other(value, rng)
        raw.execute(f"UPDATE {table} SET {column} = ? WHERE {names[0]} = ?", [new, row_id])
        return f"edit {table}.{column} of {row_id}: {value!r:.60} -> {new!r:.60}"
    if kind == "delete":
        raw.execute(f"DELETE FROM {table} WHERE {names[0]} = ?", [row_id])
    elif kind == "delete last":
        raw.execute(f"DELETE FROM {table} WHERE {names[0]} >= ?", [row_id])
    elif kind == "insert":
        new = "added" if isinstance(row_id, str) else max(ids) + rng.choice([1, 7])
        rest = ", ".join(names[1:])
        sql = f"INSERT INTO {table} SELECT ?, {rest} FROM {table} WHERE {names[0]} = ?"
        raw.execute(sql, [new, row_id])
    else:
        partner = rng.choice(ids)
        parking = "parked" if isinstance(row_id, str) else -1
        sql = f"UPDATE {table} SET {names[0]} = ? WHERE {names[0]} = ?"
        for old, new in ((row_id, parking), (partner, row_id), (parking, partner)):
            raw.execute(sql, [new, old])
    return f"{kind} {table} {row_id}"


def test_a_clean_case_verifies(original: Path) -> None:
    verification = check(original)
    assert verification.ok
    assert verification.first_bad is None
    assert verification.bad == ()
    assert verification.checked > 20
    assert verification.as_json()["ok"] is True


def test_every_random_edit_is_found(original: Path, tmp_path: Path) -> None:
    rng = random.Random(20240607)
    edits = 0
    while edits < 400:
        folder = restored(original, tmp_path / "copy.case")
        with tampering(folder) as raw:
            before = contents(raw)
            try:
                what = tamper(raw, rng)
            except sqlite3.IntegrityError:
                continue
            if contents(raw) == before:
                continue
        edits += 1
        try:
            verification = check(folder)
        except BadInputError:
            # Without knowing its version the case is refused when it is opened.
            assert "_sqlite_migrations" in what
            continue
        assert verification.bad or verification.first_bad is not None, what
        assert not verification.ok


def test_every_column_of_every_table_is_covered(original: Path, tmp_path: Path) -> None:
    rng = random.Random(1)
    with tampering(restored(original, tmp_path / "list.case")) as raw:
        places = [(table, column) for table in tables(raw) for column in columns(raw, table)]
    for table, column in places:
        folder = restored(original, tmp_path / "copy.case")
        with tampering(folder) as raw:
            key = columns(raw, table)[0]
            sql = f"SELECT {key}, {column} FROM {table} ORDER BY {key}"
            row_id, value = raw.execute(sql).fetchone()
            new = value + 1000 if isinstance(value, int) else other(value, rng)
            raw.execute(f"UPDATE {table} SET {column} = ? WHERE {key} = ?", [new, row_id])
        if table == "_sqlite_migrations" and column in {"migration_set", "name"}:
            continue  # such a case is refused when it is opened
        verification = check(folder)
        assert not verification.ok, (table, column)
        if table == "audit":
            assert verification.first_bad is not None, column
        elif table not in {"meta", "_sqlite_migrations"} and column != key:
            assert (verification.bad[0].table, verification.bad[0].id) == (table, row_id), column


@pytest.mark.parametrize(("first", "last"), [(1, 1), (4, 6), (21, 21), (20, 21), (1, 21)])
def test_deleted_audit_rows_are_named(copy: Path, first: int, last: int) -> None:
    with tampering(copy) as raw:
        raw.execute("DELETE FROM audit WHERE seq BETWEEN ? AND ?", [first, last])
    assert check(copy).first_bad == first


def test_an_audit_row_put_in_or_moved_is_named(original: Path, tmp_path: Path) -> None:
    folder = restored(original, tmp_path / "put in.case")
    with tampering(folder) as raw:
        (last,) = raw.execute("SELECT max(seq) FROM audit").fetchone()
        raw.execute(f"INSERT INTO audit SELECT {last + 1}, {COLUMNS} FROM audit WHERE seq = {last}")
    assert check(folder).first_bad == last + 1
    folder = restored(original, tmp_path / "moved.case")
    with tampering(folder) as raw:
        for old, new in ((5, 99), (8, 5), (99, 8)):
            raw.execute("UPDATE audit SET seq = ? WHERE seq = ?", [new, old])
    assert check(folder).first_bad == 5


def test_an_edited_region_whose_own_hash_was_recomputed_is_found(copy: Path) -> None:
    from engine.case.store.content_hashes import bulk_row_hash
    from engine.case.store.database import DATABASE, Database

    with tampering(copy) as raw:
        raw.execute("UPDATE region SET score = 0.1 WHERE id = 5")
        row = Database(raw, copy / DATABASE, writable=False).rows(
            "SELECT * FROM region WHERE id = 5"
        )[0]
        raw.execute("PRAGMA query_only = OFF")
        forged = bulk_row_hash("region", row)
        raw.execute("UPDATE region SET row_sha256 = ? WHERE id = 5", [forged])
    assert check(copy).bad[0].table == "region"


def test_regions_taken_out_or_put_in_are_named(original: Path, tmp_path: Path) -> None:
    folder = restored(original, tmp_path / "out.case")
    with tampering(folder) as raw:
        raw.execute("DELETE FROM region WHERE id IN (4, 8)")
    assert [(record.table, record.id) for record in check(folder).bad] == [
        ("region", 4),
        ("region", 8),
        ("sqlite_sequence", "region"),
    ]
    folder = restored(original, tmp_path / "in.case")
    with tampering(folder) as raw:
        rest = ", ".join(columns(raw, "region")[1:])
        raw.execute(f"INSERT INTO region SELECT 40, {rest} FROM region WHERE id = 3")
    assert [(record.table, record.id) for record in check(folder).bad] == [("region", 40)]


def test_triage_moved_back_to_unseen_is_found(copy: Path) -> None:
    with tampering(copy) as raw:
        raw.execute("UPDATE event SET state = 'unseen', state_reason = NULL WHERE id = 2")
    assert [(record.table, record.id) for record in check(copy).bad] == [("event", 2)]


def test_a_wholly_recomputed_chain_is_found_by_a_head_written_down(
    original: Path, copy: Path
) -> None:
    with Case.open(original) as case:
        printed = case.audit.head
    with tampering(copy) as raw:
        raw.execute("UPDATE audit SET actor = 'nobody@nowhere' WHERE seq = 3")
        recompute(raw)
    assert check(copy).ok
    verification = check(copy, head=printed)
    assert verification.head_in_chain is False
    assert not verification.ok
    assert check(original, head=f" {printed.upper()}\n").ok
    early = check(original).head
    with Case.open(copy) as case:
        assert early not in {entry.hash for entry in case.audit.entries()}


def recompute(raw: sqlite3.Connection) -> None:
    head = "0" * 64
    sql = f"SELECT seq, {COLUMNS} FROM audit ORDER BY seq"
    for row in raw.execute(sql).fetchall():
        fields = [*row[:7], head]
        sha = content_sha256(fields)
        values = [head, sha, row[0]]
        raw.execute("UPDATE audit SET prev_hash = ?, hash = ? WHERE seq = ?", values)
        head = sha
    raw.execute("UPDATE meta SET value = ? WHERE key = 'audit_head'", [head])


def test_a_head_of_an_earlier_day_is_in_the_chain(case_folder: Path) -> None:
    with Case.open(case_folder, write=True) as case:
        printed = case.audit.head
        with case.change() as change:
            change.evidence.add(new_evidence("/footage/yard.mp4"))
        assert case.audit.head != printed
        assert verify(case, hash_evidence=lambda _: SHA, head=printed).ok


def test_changed_and_missing_evidence_is_told(original: Path) -> None:
    def missing(_: EvidenceRow) -> str:
        raise MediaError("no such file", "/footage/gate.mp4", "relink it")

    with Case.open(original) as case:
        changed = verify(case, hash_evidence=lambda _: "cd" * 32)
        gone = verify(case, hash_evidence=missing)
    assert not changed.ok
    assert changed.evidence[0].sha256_now == "cd" * 32
    assert not gone.ok
    assert gone.evidence[0].sha256_now is None
    assert "no such file" in gone.evidence[0].error


def test_text_that_is_no_utf8_put_in_from_outside_is_found(copy: Path) -> None:
    with tampering(copy) as raw:
        raw.execute("UPDATE run SET info = CAST(x'7bff7d' AS TEXT)")
        raw.execute("UPDATE meta SET value = CAST(x'ff' AS TEXT) WHERE key = 'audit_count'")
    verification = check(copy)
    assert [(record.table, record.id) for record in verification.bad] == [("run", 1)]
    assert verification.first_bad is not None
