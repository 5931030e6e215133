"""The audit log: append-only, every entry bound to the one before it by a hash."""

from __future__ import annotations

import getpass
import json
import os
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from engine.case.store.database import Database, Value, damage_error
from engine.core.canonical import content_sha256
from engine.core.version import VERSION

GENESIS = "0" * 64
"""The previous hash of the first entry."""

_COLUMNS = "seq, utc, actor, action, object, params_json, content_sha256, prev_hash, hash"


@dataclass(frozen=True)
class AuditEntry:
    """One entry of the audit log, as stored.

    Attributes:
        seq: from 1, without gaps.
        utc: UTC time of the entry, ISO.
        actor: `user@host`.
        action: what was done, as `kind.verb`.
        object: what it was done to, as `table:id` or `case`.
        params_json: JSON of what else matters, with version and local offset from UTC.
        content_sha256: hash of the object's canonical content after the action.
        prev_hash: hash of the entry before.
        hash: hash of all other fields.
    """

    seq: int
    utc: str
    actor: str
    action: str
    object: str
    params_json: str
    content_sha256: str
    prev_hash: str
    hash: str

    def expected_hash(self) -> str:
        """Computes the hash from all other fields."""
        return entry_hash(
            (
                self.seq, self.utc, self.actor, self.action, self.object, self.params_json,
                self.content_sha256, self.prev_hash,
            )
        )  # fmt: skip


@dataclass(frozen=True)
class ChainCheck:
    """The result of checking the audit chain.

    Attributes:
        entries: number of entries there are.
        head: hash of the last entry, recomputed; empty when there is none.
        first_bad: `seq` of the first entry that is missing, added or changed; None when sound.
        hashes: recomputed hashes of the sound entries before that.
        newest: for each object the newest entry about it.
    """

    entries: int
    head: str
    first_bad: int | None
    hashes: frozenset[str]
    newest: Mapping[str, AuditEntry]

    @property
    def ok(self) -> bool:
        """Whether the chain is sound."""
        return self.first_bad is None


def entry_hash(fields: tuple[Value, ...]) -> str:
    """Hashes the fields of an entry in their order, without `hash` itself."""
    return content_sha256(list(fields))


def actor() -> str:
    """Returns `user@host` of this process."""
    return f"{user()}@{socket.gethostname()}"


def user() -> str:
    """Returns the name of the user who runs this process, or the number if it has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "user"


def utc_now() -> str:
    """Returns the present UTC time, ISO with microseconds and offset."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def append(
    database: Database, action: str, name: str, params: Mapping[str, object], content: str
) -> None:
    """Adds an entry; to be called inside a writing transaction and only by the journal."""
    now = datetime.now(UTC)
    count, head = stored_end(database)
    everything = {
        **params,
        "local_offset": now.astimezone().strftime("%z"),
        "version": VERSION,
    }
    fields: tuple[Value, ...] = (
        count + 1,
        now.isoformat(timespec="microseconds"),
        actor(),
        action,
        name,
        json.dumps(everything, sort_keys=True, separators=(",", ":")),
        content,
        head,
    )
    row = dict(zip(_COLUMNS.split(", "), (*fields, entry_hash(fields)), strict=True))
    database.insert("audit", row)
    sql = "INSERT OR REPLACE INTO meta (key, value) VALUES ('audit_count', ?), ('audit_head', ?)"
    database.execute(sql, [str(count + 1), row["hash"]])


def stored_end(database: Database) -> tuple[int, str]:
    """Returns count and head as they are stored in `meta`.

    Raises:
        BadInputError: they are missing although there are entries, or are no such values.
    """
    keys = "SELECT key, value FROM meta WHERE key IN ('audit_count', 'audit_head')"
    stored = {row["key"]: row["value"] for row in database.stream(keys)}
    if not stored and database.row("SELECT 1 FROM audit") is None:
        return 0, GENESIS
    try:
        return int(str(stored["audit_count"])), str(stored["audit_head"])
    except (KeyError, ValueError) as error:
        raise damage_error(database.path, "the end of the audit log is not recorded") from error


class AuditLog:
    """Reading access to the audit log of a case."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def head(self) -> str:
        """Hash of the last entry as recorded in `meta`."""
        return stored_end(self._database)[1]

    @property
    def count(self) -> int:
        """Number of entries as recorded in `meta`."""
        return stored_end(self._database)[0]

    def entries(self) -> Iterator[AuditEntry]:
        """Yields all entries in order."""
        for row in self._database.tuples(f"SELECT {_COLUMNS} FROM audit ORDER BY seq"):
            yield AuditEntry(*cast("tuple[int, str, str, str, str, str, str, str, str]", row))


def walk(database: Database) -> ChainCheck:
    """Recomputes the whole chain and compares it with count and head in `meta`."""
    newest: dict[str, AuditEntry] = {}
    hashes: set[str] = set()
    entries, head, first_bad = 0, GENESIS, None
    for entry in AuditLog(database).entries():
        entries += 1
        expected = entry.expected_hash()
        sound = entry.seq == entries and entry.prev_hash == head and entry.hash == expected
        if first_bad is None and not sound:
            # A missing entry is named by the number it had, an added or changed one by its own.
            first_bad = min(entry.seq, entries) if isinstance(entry.seq, int) else entries
        head = expected
        if first_bad is None:
            hashes.add(expected)
        newest[entry.object] = entry
    if first_bad is None:
        first_bad = _bad_end(database, entries, head)
    return ChainCheck(entries, head if entries else "", first_bad, frozenset(hashes), newest)


def _bad_end(database: Database, entries: int, head: str) -> int | None:
    keys = "SELECT key, value FROM meta WHERE key IN ('audit_count', 'audit_head')"
    stored = {row["key"]: row["value"] for row in database.stream(keys)}
    count, stored_head = stored.get("audit_count"), stored.get("audit_head")
    if count == str(entries) and stored_head == head:
        return None
    if isinstance(count, str) and count.isdecimal() and len(count) < 19 and int(count) < entries:
        return int(count) + 1
    if count == str(entries):
        return max(entries, 1)
    return entries + 1
