"""What all tables of a case share: reaching the database, fetching one row, and hiding one."""

from __future__ import annotations

from collections.abc import Mapping

from engine.case.store.database import Database, Row
from engine.case.store.journal import Journal
from engine.core.errors import BadInputError


class Repository:
    """Reads tables of a case."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def _require_row(self, table: str, row_id: int, remedy: str = "") -> Row:
        """Returns the row with an id.

        Raises:
            BadInputError: the table has none.
        """
        row = self._database.row(f"SELECT * FROM {table} WHERE id = ?", [row_id])
        if row is None:
            raise BadInputError(f"no such {table}", row_id, remedy)
        return row


class Changes(Repository):
    """Changes tables of a case; every method makes a change and its audit entry."""

    def __init__(self, journal: Journal) -> None:
        super().__init__(journal.database)
        self._journal = journal

    def _mark_removed(
        self, table: str, row_id: int, removed: bool, params: Mapping[str, object]
    ) -> None:
        """Hides a row or brings it back; nothing is erased."""
        self._journal.update(table, row_id, {"removed": int(removed)})
        action = f"{table}.remove" if removed else f"{table}.restore"
        self._journal.record(action, f"{table}:{row_id}", params)
