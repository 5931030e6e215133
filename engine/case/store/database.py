"""A connection to the SQLite database of a case that raises Sightline's own errors."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from engine.core.errors import BadInputError, ResourceError, SightlineError
from engine.core.files import is_disk_full

DATABASE = "case.sqlite"
"""Name of the database in a case folder."""

APPLICATION_ID = 0x53474C54
"""Marks a SQLite file as a Sightline case (`PRAGMA application_id`)."""

Value = None | int | float | str | bytes
Row = dict[str, Value]

_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT})
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
_DENIED = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN})


@contextmanager
def translated_errors(where: Path) -> Iterator[None]:
    """Turns errors of SQLite and of the disk into Sightline's.

    Raises:
        ResourceError: the disk is full or failing, the database is locked or not writable.
        BadInputError: the database is damaged, or refuses the values it is given.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise _translate_sqlite_error(error, where) from error
    except OSError as error:
        raise translate_os_error(error, where) from error


def translate_os_error(error: OSError, where: Path) -> SightlineError:
    """Returns what an error of the file system means for a case."""
    if is_disk_full(error):
        return _disk_full_error(where)
    return ResourceError(
        f"the case cannot be used ({error.strerror or error})", where, "check the disk and rights"
    )


def damage_error(where: Path, detail: object) -> BadInputError:
    """Returns the error for a database that does not contain what a case contains."""
    return BadInputError(
        f"the case database is damaged ({detail})",
        where,
        "run verify, or put back a copy from its recovery folder",
    )


def _disk_full_error(where: Path) -> ResourceError:
    return ResourceError("the disk is full", where, "free space and run again; the case is intact")


def _translate_sqlite_error(error: sqlite3.Error, where: Path) -> SightlineError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return _disk_full_error(where)
    if code in _BUSY:
        return ResourceError(
            "the case database is locked", where, "wait until the other program is done"
        )
    if code in _DENIED:
        return ResourceError(
            "the case cannot be opened or written", where, "check rights and that the disk is there"
        )
    if code == sqlite3.SQLITE_IOERR:
        return ResourceError("the disk reports an error", where, "check the disk")
    if code == sqlite3.SQLITE_CONSTRAINT:
        return BadInputError(f"the case refuses the change ({error})", where)
    return damage_error(where, error)


class Database:
    """A connection to a case's database.

    Between transactions a writable connection refuses every change, so that nothing can be
    written but through `transaction`.

    Args:
        connection: opened with `isolation_level=None`.
        path: the database file, for error messages.
        writable: whether transactions may be opened.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path, writable: bool) -> None:
        self.connection = connection
        self.path = path
        self.writable = writable
        connection.text_factory = decode_text
        with translated_errors(path):
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA cell_size_check = ON")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA query_only = ON")

    def rows(self, sql: str, values: Sequence[Value] = ()) -> list[Row]:
        """Returns all rows of a query."""
        return list(self.stream(sql, values))

    def row(self, sql: str, values: Sequence[Value] = ()) -> Row | None:
        """Returns the first row of a query, or None."""
        return next(iter(self.stream(sql, values)), None)

    def stream(self, sql: str, values: Sequence[Value] = ()) -> Iterator[Row]:
        """Yields the rows of a query one by one."""
        with translated_errors(self.path):
            cursor = self.connection.execute(sql, values)
            names = [column[0] for column in cursor.description]
            for row in cursor:
                yield dict(zip(names, row, strict=True))

    def tuples(self, sql: str, values: Sequence[Value] = ()) -> Iterator[tuple[Value, ...]]:
        """Yields the rows of a query as tuples of their values."""
        with translated_errors(self.path):
            yield from self.connection.execute(sql, values)

    def execute(self, sql: str, values: Sequence[Value] = ()) -> sqlite3.Cursor:
        """Runs one statement."""
        with translated_errors(self.path):
            return self.connection.execute(sql, values)

    def insert(self, table: str, row: Mapping[str, Value]) -> int:
        """Inserts one row and returns its id; text that is no UTF-8 keeps its bytes."""
        pairs = [_placeholder(value) for value in row.values()]
        placeholders = ", ".join(placeholder for placeholder, _ in pairs)
        sql = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({placeholders})"
        return self.execute(sql, [value for _, value in pairs]).lastrowid or 0

    def insert_many(
        self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Value]]
    ) -> None:
        """Inserts many rows with one prepared statement."""
        placeholders = ", ".join("?" * len(columns))
        sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({placeholders})"
        with translated_errors(self.path):
            self.connection.executemany(sql, rows)

    def update(self, table: str, row_id: int, row: Mapping[str, Value]) -> None:
        """Changes columns of one row."""
        pairs = [(name, *_placeholder(value)) for name, value in row.items()]
        changes = ", ".join(f"{name} = {placeholder}" for name, placeholder, _ in pairs)
        values = [value for _, _, value in pairs]
        self.execute(f"UPDATE {table} SET {changes} WHERE id = ?", [*values, row_id])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Opens a short `BEGIN IMMEDIATE` transaction, which is rolled back when the block raises.

        Raises:
            ResourceError: another program writes for longer than the busy timeout.
        """
        self.execute("PRAGMA query_only = OFF")
        try:
            self.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.execute("COMMIT")
            finally:
                # A full disk makes SQLite roll back by itself.
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
        finally:
            self.connection.execute("PRAGMA query_only = ON")

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Opens a reading transaction: everything read inside is of one moment."""
        self.execute("BEGIN")
        try:
            yield
        finally:
            self.connection.execute("ROLLBACK")

    def close(self) -> None:
        """Closes the connection."""
        self.connection.close()


def decode_text(data: bytes) -> str:
    """Reads stored text; bytes that are no UTF-8 come back as lone surrogates, as in paths."""
    return data.decode("utf-8", "surrogateescape")


def _placeholder(value: Value) -> tuple[str, Value]:
    """Returns the placeholder of a value in a statement, and what to bind to it."""
    if not isinstance(value, str):
        return "?", value
    try:
        value.encode()
    except UnicodeEncodeError:
        try:
            return "CAST(? AS TEXT)", value.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError as error:
            raise BadInputError(
                "text with characters that cannot be stored", repr(value)[:200], "retype it"
            ) from error
    return "?", value


def connect(path: Path, mode: str, busy_timeout_s: float) -> sqlite3.Connection:
    """Opens the database file; `mode` is SQLite's (`ro`, `rw`, `rwc`) or `immutable`.

    Raises:
        sqlite3.Error: it cannot be opened or is no database.
    """
    option = "mode=ro&immutable=1" if mode == "immutable" else f"mode={mode}"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{option}",
        uri=True,
        timeout=busy_timeout_s,
        isolation_level=None,
    )
    try:
        # Reading anything makes SQLite look at the file at last.
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return connection
