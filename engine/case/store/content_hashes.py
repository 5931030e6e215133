"""Hashes what an audit entry about an object covers: all columns of its rows in the database.

An object is named `table:id`. Its content is its row without NULLs. The rows that one derivation
makes by the thousand (scores, regions, trajectories, events) each carry their own hash; the
content of the derivation holds, for each of these tables, a digest over those hashes. What an
examiner may change in an event later (its state) is covered by entries about that event.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from engine.case.store.database import Database, Row, Value
from engine.core.canonical import canonical_bytes, content_sha256

ROOTS = (
    "evidence", "stream", "run", "chunk", "calibration", "derivation", "export", "bookmark", "note",
    "tag", "watched", "dialogue", "turn", "citation", "variant",
)  # fmt: skip
"""Tables of which every row is an object with an audit entry of its own."""

BULK = ("score", "region", "trajectory", "event", "heat")
"""Tables whose rows a derivation covers together; an examiner's own event belongs to none."""

OPTIONAL = ("heat",)
"""Bulk tables that a derivation's content leaves out when it has no rows in them."""

CASE = "case"
"""The object that covers `meta` (but for the chain's count and head) and the migrations."""

MUTABLE: Mapping[str, Mapping[str, Value]] = {"event": {"state": "unseen", "state_reason": None}}
"""Columns of bulk tables that may change later, with their values until then."""

CHAIN_KEYS = ("audit_count", "audit_head")
"""Keys of `meta` that belong to the audit chain itself."""

MIGRATIONS_KEY = "migrations"
"""Key of `meta` with the number of migrations that the case has on record."""

ROW_HASH = "row_sha256"


@dataclass(frozen=True)
class BulkDigest:
    """The rows of one bulk table in one derivation.

    Attributes:
        first: smallest id; 0 when there are none.
        count: number of rows.
        sha256: over the rows' ids and hashes, in order of id.
    """

    first: int
    count: int
    sha256: str


def row_content(row: Mapping[str, Value], without: Iterable[str] = ()) -> dict[str, Value]:
    """Returns the columns that are not NULL, except those in `without`."""
    content: dict[str, Value] = {name: value for name, value in row.items() if value is not None}
    for name in without:
        content.pop(name, None)
    return content


def bulk_row_hash(table: str, row: Mapping[str, Value]) -> bytes:
    """Returns the hash that a row of a bulk table carries."""
    content = row_content(row, (ROW_HASH, *MUTABLE.get(table, ())))
    return hashlib.sha256(canonical_bytes(content)).digest()


def bulk_digest(rows: Iterable[tuple[Value, Value]]) -> BulkDigest:
    """Digests ids and row hashes, given in order of id."""
    digest = hashlib.sha256()
    first = count = 0
    for row_id, row_hash in rows:
        first = first or int(row_id or 0)
        count += 1
        hash_bytes = row_hash if isinstance(row_hash, bytes) else b""
        digest.update(struct.pack(">qI", int(row_id or 0), len(hash_bytes)) + hash_bytes)
    return BulkDigest(first, count, digest.hexdigest())


def derivation_digests(database: Database, derivation_id: int) -> dict[str, BulkDigest]:
    """Digests the bulk tables of a derivation from the hashes its rows carry."""
    return {table: bulk_digest(_ids_and_hashes(database, table, derivation_id)) for table in BULK}


def _ids_and_hashes(
    database: Database, table: str, derivation_id: int
) -> Iterator[tuple[Value, Value]]:
    sql = f"SELECT id, {ROW_HASH} FROM {table} WHERE derivation_id = ? ORDER BY id"
    for row in database.tuples(sql, [derivation_id]):
        yield row[0], row[1]


def derivation_sha256(row: Row, digests: Mapping[str, BulkDigest]) -> str:
    """Returns the content hash of a derivation."""
    bulk = {
        table: [digest.first, digest.count, digest.sha256]
        for table, digest in digests.items()
        if digest.count or table not in OPTIONAL
    }
    return content_sha256({"row": row_content(row), "bulk": bulk})


def case_sha256(database: Database) -> str:
    """Returns the content hash of the object `case`."""
    rows = {row["key"]: row for row in database.stream("SELECT * FROM meta ORDER BY key")}
    meta = [row_content(row) for key, row in rows.items() if key not in CHAIN_KEYS]
    # A reader migrates a private copy of an older case; what it adds there is not on record.
    count = str(rows.get(MIGRATIONS_KEY, {}).get("value"))
    on_record = int(count) if count.isascii() and count.isdigit() and len(count) < 9 else 0
    stored = database.rows("SELECT * FROM _sqlite_migrations ORDER BY id LIMIT ?", [on_record])
    applied = [row_content(row) for row in stored]
    return content_sha256({"meta": meta, "migrations": applied})


def is_untouched(database: Database, name: str) -> bool:
    """Whether an object without an audit entry is as it was made.

    Only a row that a derivation covers may have no entry of its own, as long as nobody changed what
    may change in it; and the case itself while it is being made.
    """
    table, _, number = name.partition(":")
    if table not in MUTABLE:
        return name == CASE
    row = database.row(f"SELECT * FROM {table} WHERE id = ?", [int(number)])
    return (
        row is not None
        and row["derivation_id"] is not None
        and row[ROW_HASH] == bulk_row_hash(table, row)
        and all(row[column] == first for column, first in MUTABLE[table].items())
    )


def object_sha256_of(row: Row) -> str:
    """Returns the content hash of an object that is one row."""
    return content_sha256(row_content(row))


def object_sha256(database: Database, name: str) -> str:
    """Returns the hash of an object's present content.

    Raises:
        LookupError: there is no such object.
    """
    if name == CASE:
        return case_sha256(database)
    table, _, number = name.partition(":")
    if table not in (*ROOTS, *MUTABLE):
        raise LookupError(f"{name}: the table is neither in ROOTS nor in MUTABLE")
    row = database.row(f"SELECT * FROM {table} WHERE id = ?", [int(number)])
    if row is None:
        raise LookupError(f"no object {name}")
    if table == "derivation":
        return derivation_sha256(row, derivation_digests(database, int(number)))
    return object_sha256_of(row)
