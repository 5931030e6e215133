"""The one way in which anything in a case changes: a write, and the audit entry about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from engine.case.store import audit
from engine.case.store.content_hashes import ROW_HASH, bulk_row_hash, object_sha256
from engine.case.store.database import Database, Value


class UnrecordedChangeError(RuntimeError):
    """A defect of the program: a transaction changed the case without saying so."""


class Journal:
    """The writes of one transaction, each followed by its audit entry.

    Args:
        database: with an open writing transaction.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self._start = database.connection.total_changes
        self._own = 0
        self._touched: set[str] = set()

    def insert(self, table: str, row: Mapping[str, Value]) -> int:
        """Inserts a row that is an object of its own and returns its id."""
        with self._counted():
            row_id = self.database.insert(table, row)
        self._touched.add(f"{table}:{row_id}")
        return row_id

    def update(self, table: str, row_id: int, row: Mapping[str, Value]) -> None:
        """Changes columns of a row that is an object of its own."""
        with self._counted():
            self.database.update(table, row_id, row)
        self._touched.add(f"{table}:{row_id}")

    def insert_bulk(
        self, table: str, derivation_id: int, columns: Sequence[str], rows: Iterable[list[Value]]
    ) -> None:
        """Inserts rows of a derivation in order, each with its own hash.

        Args:
            table: one of `content.BULK`.
            derivation_id: the derivation, whose entry covers these rows.
            columns: of each row but for its id, derivation and hash.
            rows: values of exactly the types the columns have.
        """
        sql = "SELECT max(seq) AS last FROM sqlite_sequence WHERE name = ?"
        last = self.database.row(sql, [table])
        first = int(last["last"] or 0) + 1 if last else 1
        names = ["id", "derivation_id", *columns]
        hashed = (
            [*full, bulk_row_hash(table, dict(zip(names, full, strict=True)))]
            for full in ([first + place, derivation_id, *row] for place, row in enumerate(rows))
        )
        with self._counted():
            self.database.insert_many(table, [*names, ROW_HASH], hashed)
        self._touched.add(f"derivation:{derivation_id}")

    def set_meta(self, key: str, value: str) -> None:
        """Writes a fact about the case as a whole."""
        with self._counted():
            sql = "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)"
            self.database.execute(sql, [key, value])
        self._touched.add("case")

    def record(self, action: str, name: str, params: Mapping[str, object]) -> None:
        """Adds the audit entry about an object as it is now; every change ends here.

        Args:
            action: what was done, as `kind.verb`.
            name: the object, as `table:id` or `case`.
            params: what else matters, of JSON's types.
        """
        content = object_sha256(self.database, name)
        with self._counted():
            audit.append(self.database, action, name, params, content)
        self._touched.discard(name)

    def check(self) -> None:
        """Makes sure that everything written was recorded.

        Raises:
            UnrecordedChangeError: an object was changed without an entry about it, or something
                wrote past this journal.
        """
        if self._touched:
            raise UnrecordedChangeError(f"changed without audit entry: {sorted(self._touched)}")
        if self.database.connection.total_changes != self._start + self._own:
            raise UnrecordedChangeError("the case was changed past its journal")

    @contextmanager
    def _counted(self) -> Iterator[None]:
        before = self.database.connection.total_changes
        yield
        self._own += self.database.connection.total_changes - before
