"""The only way in which anything in a case changes: a write, and the audit entry about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from engine.case.store import audit
from engine.case.store.content_hashes import (
    CASE,
    ROW_HASH,
    bulk_row_hash,
    is_untouched,
    object_sha256,
)
from engine.case.store.database import Database, Value
from engine.core.errors import BadInputError


class UnrecordedChangeError(RuntimeError):
    """A defect of the program: a transaction changed the case without an audit entry."""


def broken_record(database: Database, name: str) -> BadInputError:
    """The error for a record that was changed past the audit log."""
    return BadInputError(
        f"the record {name} is not what the audit log says of it",
        database.path.parent,
        "nothing was changed; run verify, and put back a copy from the folder recovery",
    )


class Journal:
    """The writes of one transaction, each followed by its audit entry.

    Args:
        database: with an open writing transaction.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self._start = database.connection.total_changes
        self._own_changes = 0
        self._unrecorded: set[str] = set()
        self._compared: set[str] = set()

    def insert(self, table: str, row: Mapping[str, Value]) -> int:
        """Inserts a row that is an object of its own and returns its id."""
        with self._count_changes():
            row_id = self.database.insert(table, row)
        self._compared.add(f"{table}:{row_id}")
        self._unrecorded.add(f"{table}:{row_id}")
        return row_id

    def update(self, table: str, row_id: int, row: Mapping[str, Value]) -> None:
        """Changes columns of a row that is an object of its own.

        Raises:
            BadInputError: the row is not what the newest audit entry about it says.
        """
        self._compare(f"{table}:{row_id}")
        with self._count_changes():
            self.database.update(table, row_id, row)
        self._unrecorded.add(f"{table}:{row_id}")

    def insert_bulk(
        self, table: str, derivation_id: int, columns: Sequence[str], rows: Iterable[list[Value]]
    ) -> None:
        """Inserts rows of a derivation in order, each with its own hash.

        Args:
            table: one of `content_hashes.BULK`.
            derivation_id: the derivation, whose entry covers these rows.
            columns: of each row but for its id, derivation and hash.
            rows: values of exactly the types the columns have.
        """
        sql = "SELECT max(seq) AS last FROM sqlite_sequence WHERE name = ?"
        last = self.database.row(sql, [table])
        first = int(last["last"] or 0) + 1 if last else 1
        names = ["id", "derivation_id", *columns]
        full_rows = ([row_id, derivation_id, *row] for row_id, row in enumerate(rows, first))
        hashed = (
            [*full, bulk_row_hash(table, dict(zip(names, full, strict=True)))] for full in full_rows
        )
        with self._count_changes():
            self.database.insert_many(table, [*names, ROW_HASH], hashed)
        self._unrecorded.add(f"derivation:{derivation_id}")

    def set_meta(self, key: str, value: str) -> None:
        """Writes a fact about the case as a whole.

        Raises:
            BadInputError: what is known of the case is not what its newest audit entry says.
        """
        self._compare(CASE)
        with self._count_changes():
            sql = "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)"
            self.database.execute(sql, [key, value])
        self._unrecorded.add("case")

    def record(self, action: str, name: str, params: Mapping[str, object]) -> None:
        """Adds the audit entry about an object as it is now; every change ends here.

        Args:
            action: what was done, as `kind.verb`.
            name: the object, as `table:id` or `case`.
            params: what else matters, of JSON's types.

        Raises:
            BadInputError: the object is not what the newest audit entry about it says, so that
                this entry would vouch for an edit past the log.
        """
        self._compare(name)
        content = object_sha256(self.database, name)
        with self._count_changes():
            audit.append(self.database, action, name, params, content)
        self._unrecorded.discard(name)

    def check(self) -> None:
        """Makes sure that everything written was recorded.

        Raises:
            UnrecordedChangeError: an object was changed without an entry about it, or something
                wrote past this journal.
        """
        if self._unrecorded:
            raise UnrecordedChangeError(f"changed without audit entry: {sorted(self._unrecorded)}")
        self._check_own_changes()

    def _check_own_changes(self) -> None:
        if self.database.connection.total_changes != self._start + self._own_changes:
            raise UnrecordedChangeError("the case was changed past its journal")

    def _compare(self, name: str) -> None:
        """Compares an object with its newest entry, before this transaction first touches it."""
        if name in self._compared:
            return
        self._compared.add(name)
        sql = "SELECT content_sha256 FROM audit WHERE object = ? ORDER BY seq DESC LIMIT 1"
        entry = self.database.row(sql, [name])
        if entry is None:
            sound = is_untouched(self.database, name)
        else:
            sound = entry["content_sha256"] == object_sha256(self.database, name)
        if not sound:
            self._check_own_changes()
            raise broken_record(self.database, name)

    @contextmanager
    def _count_changes(self) -> Iterator[None]:
        before = self.database.connection.total_changes
        yield
        self._own_changes += self.database.connection.total_changes - before
