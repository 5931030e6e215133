"""Verification: hashes evidence, records and audit chain again and compares them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from engine.case.case import Case
from engine.case.store import audit, content_hashes
from engine.case.store.audit import AuditEntry, ChainCheck
from engine.case.store.content_hashes import BulkDigest
from engine.case.store.database import Database, Row, Value
from engine.case.store.schema import altered_objects
from engine.case.tables.evidence import EvidenceRow
from engine.core.errors import SightlineError

HashEvidence = Callable[[EvidenceRow], str]
"""Computes the SHA-256 that evidence has now; raises SightlineError when it cannot be read."""

_HEAD = re.compile(r"[0-9a-fA-F]{64}")
_MAX_FAULTS = 20  # Faults of pages and indexes that are named; more of them say nothing new.
_TABLES = ("meta", *content_hashes.ROOTS, *content_hashes.BULK)


@dataclass(frozen=True)
class EvidenceCheck:
    """A piece of evidence as recorded and as it is now.

    Attributes:
        evidence_id: its id.
        path: as recorded.
        sha256_recorded: when it was added.
        sha256_now: None when it is missing or cannot be read.
        error: why it cannot be read; empty when it can.
    """

    evidence_id: int
    path: str
    sha256_recorded: str
    sha256_now: str | None
    error: str = ""

    @property
    def ok(self) -> bool:
        """Whether it is unchanged."""
        return self.sha256_now == self.sha256_recorded


@dataclass(frozen=True)
class BadRecord:
    """A row that differs from what its audit entry covers, is missing, or was put in."""

    table: str
    id: Value


@dataclass(frozen=True)
class Verification:
    """The result of `verify`.

    Attributes:
        evidence: one check for each piece of evidence.
        checked: number of records compared.
        bad: records that differ, in order of table and id.
        entries: number of audit entries.
        head: hash of the last audit entry, recomputed; empty when there is none.
        first_bad: `seq` of the first bad audit entry; None when the chain is sound.
        head_in_chain: whether the head that `verify` was given is in the sound part of the chain;
            None when it was given none.
    """

    evidence: tuple[EvidenceCheck, ...]
    checked: int
    bad: tuple[BadRecord, ...]
    entries: int
    head: str
    first_bad: int | None
    head_in_chain: bool | None

    @property
    def ok(self) -> bool:
        """Whether evidence, records and chain are as they were recorded."""
        return (
            all(check.ok for check in self.evidence)
            and not self.bad
            and self.first_bad is None
            and self.head_in_chain is not False
        )

    def as_json(self) -> dict[str, object]:
        """Returns the object that `verify --json` prints."""
        chain: dict[str, object] = {
            "entries": self.entries,
            "head": self.head,
            "ok": self.first_bad is None,
            "first_bad": self.first_bad,
        }
        if self.head_in_chain is not None:
            chain["head_in_chain"] = self.head_in_chain
        return {
            "ok": self.ok,
            "evidence": [
                {
                    "evidence_id": check.evidence_id,
                    "path": check.path,
                    "sha256_recorded": check.sha256_recorded,
                    "sha256_now": check.sha256_now,
                    "ok": check.ok,
                }
                for check in self.evidence
            ],
            "records": {
                "checked": self.checked,
                "bad": [{"table": record.table, "id": record.id} for record in self.bad],
            },
            "audit": chain,
        }


def is_head(text: str) -> bool:
    """Whether a text has the form of a head of the audit log, in either case of letters."""
    return _HEAD.fullmatch(text.strip()) is not None


def verify(case: Case, *, hash_evidence: HashEvidence, head: str | None = None) -> Verification:
    """Recomputes all hashes of a case and compares them with those on record.

    Args:
        case: open for reading or writing.
        hash_evidence: computes the SHA-256 of evidence as it is now.
        head: an audit head written down elsewhere, to be looked for in the chain.

    Raises:
        BadInputError: the database cannot be read at all.
    """
    with case.database.snapshot():
        chain = audit.walk(case.database)
        checked, bad = _check_records(case.database, chain)
        evidence = case.evidence.all()
    return Verification(
        evidence=tuple(_check_evidence(row, hash_evidence) for row in evidence),
        checked=checked,
        bad=tuple(bad),
        entries=chain.entries,
        head=chain.head,
        first_bad=chain.first_bad,
        head_in_chain=None if head is None else head.strip().lower() in chain.hashes,
    )


def _check_evidence(evidence: EvidenceRow, hash_evidence: HashEvidence) -> EvidenceCheck:
    now, why = None, ""
    try:
        now = hash_evidence(evidence)
    except SightlineError as error:
        why = error.line()
    return EvidenceCheck(evidence.id, evidence.path, evidence.sha256, now, why)


def _check_records(database: Database, chain: ChainCheck) -> tuple[int, list[BadRecord]]:
    expected = {name: entry.content_sha256 for name, entry in chain.newest.items()}
    bad: set[tuple[str, Value]] = set()
    checked = 1
    if expected.pop(content_hashes.CASE, None) != content_hashes.case_sha256(database):
        bad.add(("meta", content_hashes.CASE))
    for table in content_hashes.ROOTS:
        for row in database.stream(f"SELECT * FROM {table} ORDER BY id"):
            checked += 1
            name = _name(table, row)
            if table == "derivation":
                bad |= _check_derivation(database, row, chain.newest.get(name))
                expected.pop(name, None)
            elif expected.pop(name, None) != content_hashes.object_sha256_of(row):
                bad.add((table, row["id"]))
    bad |= _check_added_evidence(database) | _check_file(database)
    for table in content_hashes.BULK:
        count, bad_rows = _check_bulk(database, table, expected)
        checked += count
        bad |= bad_rows
    # What remains has an audit entry but no row.
    for name in expected:
        table, _, number = name.partition(":")
        bad.add((table, int(number) if number.isascii() and number.isdigit() else number))
    return checked, [BadRecord(table, row_id) for table, row_id in sorted(bad, key=_sort_key)]


def _check_added_evidence(database: Database) -> set[tuple[str, Value]]:
    """Compares the hash of evidence with that of the entry about its adding.

    An older version let the entry of a later change vouch for a hash that had been edited.
    """
    sql = "SELECT object, params_json FROM audit WHERE action = 'evidence.add'"
    added = {row["object"]: str(row["params_json"]) for row in database.rows(sql)}
    bad: set[tuple[str, Value]] = set()
    for row in database.stream("SELECT id, sha256 FROM evidence"):
        try:
            same = json.loads(added[_name("evidence", row)])["sha256"] == row["sha256"]
        except (ValueError, KeyError, TypeError, RecursionError):
            same = False
        if not same:
            bad.add(("evidence", row["id"]))
    return bad


def _check_file(database: Database) -> set[tuple[str, Value]]:
    """Finds what is wrong with the database beside its rows: objects, sequences, pages."""
    bad: set[tuple[str, Value]] = {("sqlite_master", name) for name in altered_objects(database)}
    for name, last in database.tuples("SELECT name, seq FROM sqlite_sequence"):
        if name in (*content_hashes.ROOTS, *content_hashes.BULK):
            (largest,) = next(database.tuples(f"SELECT max(id) FROM {name}"))
            if last != largest:
                bad.add(("sqlite_sequence", name))
    (version,) = next(database.tuples("PRAGMA user_version"))
    if version != 0:
        bad.add(("sqlite_master", "user_version"))
    bad |= {
        ("integrity_check", message)
        for (message,) in database.tuples(f"PRAGMA integrity_check({_MAX_FAULTS})")
        if message != "ok"
    }
    return bad


def _name(table: str, row: Row) -> str:
    return f"{table}:{row['id']!s}"


def _sort_key(record: tuple[str, Value]) -> tuple[int, int, str]:
    table, row_id = record
    rank = _TABLES.index(table) if table in _TABLES else len(_TABLES)
    return (rank, row_id, "") if isinstance(row_id, int) else (rank, 0, str(row_id))


def _check_bulk(
    database: Database, table: str, expected: dict[str, str]
) -> tuple[int, set[tuple[str, Value]]]:
    bad: set[tuple[str, Value]] = set()
    count = 0
    changeable = content_hashes.MUTABLE.get(table, {})
    derivations = {row["id"] for row in database.stream("SELECT id FROM derivation")}
    for row in database.stream(f"SELECT * FROM {table} ORDER BY id"):
        count += 1
        if row["derivation_id"] is None:
            if expected.pop(_name(table, row), None) != content_hashes.object_sha256_of(row):
                bad.add((table, row["id"]))
            continue
        sound = row[content_hashes.ROW_HASH] == content_hashes.bulk_row_hash(table, row)
        sound = sound and row["derivation_id"] in derivations
        if changeable:
            entry = expected.pop(_name(table, row), None)
            untouched = all(row[name] == first for name, first in changeable.items())
            if entry is None:
                sound = sound and untouched
            else:
                sound = sound and entry == content_hashes.object_sha256_of(row)
        if not sound:
            bad.add((table, row["id"]))
    return count, bad


def _check_derivation(
    database: Database, row: Row, entry: AuditEntry | None
) -> set[tuple[str, Value]]:
    """Compares a derivation with its entry and, when it differs, finds the rows that do."""
    digests = content_hashes.derivation_digests(database, int(row["id"] or 0))
    if entry is None:
        return {("derivation", row["id"])}
    if entry.content_sha256 == content_hashes.derivation_sha256(row, digests):
        return set()
    recorded = _recorded_digests(entry)
    if entry.content_sha256 != content_hashes.derivation_sha256(row, recorded):
        # The entry's own list is no help, or the derivation's row itself was changed.
        return {("derivation", row["id"])}
    bad: set[tuple[str, Value]] = set()
    for table in content_hashes.BULK:
        if digests[table] != recorded[table]:
            odd_rows = _odd_rows(database, table, row, recorded[table])
            bad.update((table, row_id) for row_id in odd_rows)
    return bad


def _recorded_digests(entry: AuditEntry) -> Mapping[str, BulkDigest]:
    try:
        nothing = content_hashes.bulk_digest(()).__dict__
        optional = dict.fromkeys(content_hashes.OPTIONAL, nothing)
        stored = {**optional, **json.loads(entry.params_json)["rows"]}
        return {
            table: BulkDigest(
                int(stored[table]["first"]),
                int(stored[table]["count"]),
                str(stored[table]["sha256"]),
            )
            for table in content_hashes.BULK
        }
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}


def _odd_rows(
    database: Database, table: str, derivation: Row, recorded: BulkDigest
) -> Iterator[int]:
    """Yields the ids of rows that were put in, are missing or differ; else that of the first."""
    sql = f"SELECT * FROM {table} WHERE derivation_id = ? ORDER BY id"
    present: set[int] = set()
    odd: set[int] = set()
    for row in database.stream(sql, [derivation["id"]]):
        row_id = int(row["id"] or 0)
        present.add(row_id)
        if row[content_hashes.ROW_HASH] != content_hashes.bulk_row_hash(table, row):
            odd.add(row_id)
    expected = set(range(recorded.first, recorded.first + recorded.count))
    yield from sorted((present ^ expected) | odd or {recorded.first})
