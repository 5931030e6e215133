"""The only way in which anything in a case changes: a write, and the audit entry about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from engine.case.store import audit
from engine.case.store.content_hashes import ROW_HASH, bulk_row_hash, object_sha256
from engine.case.store.database import Database, Value


class UnrecordedChangeError(RuntimeError):
    """A defect of the program: a transaction changed the case without an audit entry."""


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

    def insert(self, table: str, row: Mapping[str, Value]) -> int:
        """Inserts a row that is an object of its own and returns its id."""
        with self._count_changes():
            row_id = self.database.insert(table, row)
        self._unrecorded.add(f"{table}:{row_id}")
        return row_id

    def update(self, table: str, row_id: int, row: Mapping[str, Value]) -> None:
        """Changes columns of a row that is an object of its own."""
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
        """Writes a fact about the case as a whole."""
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
        """
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
        if self.database.connection.total_changes != self._start + self._own_changes:
            raise UnrecordedChangeError("the case was changed past its journal")

    @contextmanager
    def _count_changes(self) -> Iterator[None]:
        before = self.database.connection.total_changes
        yield
        self._own_changes += self.database.connection.total_changes - before
