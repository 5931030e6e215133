"""Thousands of random edits with raw SQL, guards taken away: every one is found and named."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.case import Case, Verification, verify
from engine.case.store.database import DATABASE, Database
from engine.core.errors import BadInputError
from tests.case.case_material import SHA, make_case
from tests.case.test_case_verification import (
    columns,
    contents,
    put_back,
    recompute,
    tables,
    take_guards,
    tamper,
)

EDITS = 3000
AUDIT_EDITS = 600
COLUMNS = "utc, actor, action, object, params_json, content_sha256, prev_hash, hash"


class Copies:
    """Copies of one case's database in memory, with its guards taken away."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with sqlite3.connect(folder / DATABASE) as raw:
            # A database in WAL mode cannot be opened from memory.
            raw.execute("PRAGMA journal_mode = DELETE")
        raw.close()
        self._bytes = (folder / DATABASE).read_bytes()
        raw = self.raw()
        self._guards = take_guards(raw)
        self._bytes = raw.serialize()
        raw.close()

    def raw(self) -> sqlite3.Connection:
        raw = sqlite3.connect(":memory:", isolation_level=None)
        raw.deserialize(self._bytes)
        raw.execute("PRAGMA foreign_keys = OFF")
        raw.execute("PRAGMA ignore_check_constraints = ON")
        return raw

    def check(self, raw: sqlite3.Connection, head: str | None = None) -> Verification:
        put_back(raw, self._guards)
        database = Database(raw, self._folder / DATABASE, writable=False)
        case = Case(self._folder, database, None, owner=False)
        return verify(case, hash_evidence=lambda _: SHA, head=head)


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Copies:
    return Copies(make_case(tmp_path_factory.mktemp("cases") / "gate.case"))


def edits(copies: Copies, seed: int, count: int) -> Iterator[tuple[str, sqlite3.Connection]]:
    """Yields databases that differ from the original by one random edit each."""
    rng, edited = random.Random(seed), 0
    while edited < count:
        raw = copies.raw()
        before = contents(raw)
        try:
            what = tamper(raw, rng)
        except sqlite3.IntegrityError:
            raw.close()
            continue
        if contents(raw) != before:
            edited += 1
            yield what, raw
        raw.close()


def test_the_untouched_copy_verifies(copies: Copies) -> None:
    raw = copies.raw()
    assert copies.check(raw).ok
    raw.close()


def test_every_one_of_thousands_of_random_edits_is_found(copies: Copies) -> None:
    for what, raw in edits(copies, 61, EDITS):
        try:
            verification = copies.check(raw)
        except BadInputError:
            assert "_sqlite_migrations" in what
            continue
        assert not verification.ok, what
        assert verification.bad or verification.first_bad is not None, what


def audit_edit(raw: sqlite3.Connection, rng: random.Random) -> tuple[int, str]:
    """Changes, deletes, inserts or moves audit rows; returns the first one that is wrong."""
    (count,) = raw.execute("SELECT count(*) FROM audit").fetchone()
    seq = rng.randint(1, count)
    kind = rng.choice(["edit", "delete", "delete last", "insert", "append", "exchange"])
    if kind == "edit":
        column = rng.choice(COLUMNS.split(", "))
        raw.execute(f"UPDATE audit SET {column} = {column} || 'x' WHERE seq = ?", [seq])
        return seq, f"edit {column} of {seq}"
    if kind == "delete":
        raw.execute("DELETE FROM audit WHERE seq = ?", [seq])
        return seq, f"delete {seq}"
    if kind == "delete last":
        raw.execute("DELETE FROM audit WHERE seq >= ?", [seq])
        return seq, f"delete from {seq}"
    if kind == "append":
        sql = f"INSERT INTO audit SELECT ?, {COLUMNS} FROM audit WHERE seq = ?"
        raw.execute(sql, [count + 1, seq])
        return count + 1, f"append {seq} again"
    if kind == "insert":
        raw.execute("UPDATE audit SET seq = -seq WHERE seq >= ?", [seq])
        raw.execute("UPDATE audit SET seq = 1 - seq WHERE seq < 0")
        sql = f"INSERT INTO audit SELECT ?, {COLUMNS} FROM audit WHERE seq = ?"
        # A copy of the very row that stood there would be right where it is.
        others = [number for number in range(1, count + 2) if number not in (seq, seq + 1)]
        raw.execute(sql, [seq, rng.choice(others)])
        return seq, f"insert before {seq}"
    other = rng.choice([number for number in range(1, count + 1) if number != seq])
    for old, new in ((seq, -1), (other, seq), (-1, other)):
        raw.execute("UPDATE audit SET seq = ? WHERE seq = ?", [new, old])
    return min(seq, other), f"exchange {seq} and {other}"


def test_the_first_bad_audit_entry_is_named(copies: Copies) -> None:
    rng = random.Random(7)
    for _ in range(AUDIT_EDITS):
        raw = copies.raw()
        first, what = audit_edit(raw, rng)
        assert copies.check(raw).first_bad == first, what
        raw.close()


def test_after_an_edit_the_chain_recomputed_is_still_no_way_out(copies: Copies) -> None:
    """Whoever recomputes every hash of the log changes its head, which a report has in print."""
    raw = copies.raw()
    (printed,) = raw.execute("SELECT value FROM meta WHERE key = 'audit_head'").fetchone()
    raw.close()
    rng = random.Random(3)
    for _ in range(50):
        raw = copies.raw()
        (count,) = raw.execute("SELECT count(*) FROM audit").fetchone()
        seq = rng.randint(1, count)
        raw.execute("UPDATE audit SET actor = 'nobody@nowhere' WHERE seq = ?", [seq])
        recompute(raw)
        assert copies.check(raw).ok
        verification = copies.check(raw, printed)
        assert verification.head_in_chain is False
        assert not verification.ok
        raw.close()


@pytest.mark.parametrize(
    "table",
    ["run", "chunk", "event", "trajectory", "note", "bookmark", "region", "score", "tag", "export"],
)
def test_rows_of_every_kind_are_named_by_table_and_id(copies: Copies, table: str) -> None:
    raw = copies.raw()
    assert table in set(tables(raw))
    names = [name for name in columns(raw, table) if name != "id"]
    ids = [row[0] for row in raw.execute(f"SELECT id FROM {table} ORDER BY id")]
    raw.close()
    for name in names:
        for row_id in (ids[0], ids[-1]):
            raw = copies.raw()
            sql = f"SELECT {name} FROM {table} WHERE id = ?"
            (value,) = raw.execute(sql, [row_id]).fetchone()
            new = {int: 5_000_003, float: 0.123, str: "forged", bytes: b"forged"}.get(
                type(value), 7
            )
            try:
                raw.execute(f"UPDATE {table} SET {name} = ? WHERE id = ?", [new, row_id])
            except sqlite3.IntegrityError:
                raw.close()
                continue
            verification = copies.check(raw)
            assert not verification.ok, name
            assert (table, row_id) in {(record.table, record.id) for record in verification.bad}, (
                name
            )
            raw.close()
