"""Opens the database in a case folder: new, for writing, or for reading only."""

from __future__ import annotations

import errno
import os
import sqlite3
import uuid
from pathlib import Path

from engine.case.recovery_copies import RECOVERY, copy_database
from engine.case.store import case_lock, schema
from engine.case.store.audit import user, utc_now
from engine.case.store.case_lock import LockState, Owner
from engine.case.store.content_hashes import MIGRATIONS_KEY
from engine.case.store.database import (
    DATABASE,
    Database,
    connect,
    translate_os_error,
    translated_errors,
)
from engine.case.store.journal import Journal
from engine.core.errors import BadInputError, ResourceError
from engine.core.files import PRIVATE_FOLDER
from engine.core.version import VERSION

_SUBFOLDERS = ("derived", "cache", RECOVERY)

_PAGE_BYTES = 4096  # SQLite's default page size; a database without tables has one page at most.


def absolute_case_path(path: Path) -> Path:
    """Makes a case's path absolute without following links.

    Raises:
        BadInputError: it names the working directory, or is no path.
    """
    if str(path) == "." or "\0" in str(path):
        raise BadInputError("no case named", str(path), "give the folder of a case")
    return path.absolute()


def create_database(folder: Path, busy_timeout_s: float) -> tuple[Database, str]:
    """Makes a case in a new or empty folder and owns it.

    Returns:
        The database and the session's token.

    Raises:
        BadInputError: the folder is not empty, or is a file.
        ResourceError: it cannot be written, or another session was faster.
    """
    _make_folder(folder)
    path = folder / DATABASE
    with translated_errors(path):
        connection = connect(path, "rwc", busy_timeout_s)
    database = Database(connection, path, writable=True)
    session = case_lock.this_session(user(), utc_now())
    try:
        database.execute("PRAGMA journal_mode = WAL")
        with database.transaction():
            if not schema.is_empty(database):
                raise BadInputError("there is a case already", folder, "open it instead")
            before = case_lock.take_lock(folder, session)
            schema.migrate(database)
            journal = Journal(database)
            journal.set_meta("case_id", str(uuid.uuid4()))
            journal.set_meta("created_utc", utc_now())
            _set_version(journal)
            journal.record("case.create", "case", _lock_params(before))
            journal.check()
        _make_subfolders(folder)
    except BaseException:
        database.close()
        case_lock.release_lock(folder, session.token)
        raise
    return database, session.token


def open_for_writing(
    folder: Path, token: str | None, busy_timeout_s: float
) -> tuple[Database, str, bool]:
    """Opens a case for writing, as its owner or as a worker of its owner.

    Args:
        folder: the case folder.
        token: the owner's token for a worker; None for a session of its own.
        busy_timeout_s: how long to wait for another program's transaction.

    Returns:
        The database, the session's token, and whether this session owns the case.

    Raises:
        BadInputError: it is no case, a newer version wrote it, or it is damaged.
        ResourceError: another session has it, or it cannot be written.
    """
    path = _existing_database(folder)
    with translated_errors(path):
        connection = connect(path, "rw", busy_timeout_s)
    database = Database(connection, path, writable=True)
    try:
        schema.check_is_case(database)
        schema.check_objects(database)
        if token is not None:
            case_lock.check_token(folder, token)
            return database, token, False
        session = case_lock.this_session(user(), utc_now())
        try:
            _upgrade(database, folder, _take_ownership(database, folder, session))
            _make_subfolders(folder)
        except BaseException:
            case_lock.release_lock(folder, session.token)
            raise
    except BaseException:
        database.close()
        raise
    return database, session.token, True


def open_for_reading(folder: Path, busy_timeout_s: float) -> Database:
    """Opens a case without changing anything, also on a read-only medium.

    An older version is migrated in a private temporary copy.

    Raises:
        BadInputError: it is no case, a newer version wrote it, or it is damaged.
        ResourceError: it cannot be read.
    """
    path = _existing_database(folder)
    database = Database(_connect_for_reading(path, busy_timeout_s), path, writable=False)
    try:
        schema.check_is_case(database)
        if not schema.pending_migrations(database):
            return database
        return _migrated_copy(database)
    except BaseException:
        database.close()
        raise


def has_no_tables(path: Path) -> bool:
    """Whether a database file has no table yet; False also when that cannot be found out."""
    try:
        # One page at most: whatever else there is lies in the log, which SQLite reads as well.
        if path.stat().st_size > _PAGE_BYTES:
            return False
        connection = connect(path, "ro", 0.0)
        try:
            count = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        finally:
            connection.close()
    except (OSError, sqlite3.Error):
        return False
    return bool(count == (0,))


def _existing_database(folder: Path) -> Path:
    """Returns the database file of a case folder.

    Raises:
        BadInputError: there is no such folder, or it is no case.
        ResourceError: the folder may not be looked into.
    """
    path = folder / DATABASE
    try:
        if not folder.exists():
            raise BadInputError("no such case", folder, "check the path")
        if not folder.is_dir():
            raise BadInputError("not a case but a file", folder, "give the folder of a case")
        if not path.is_file():
            raise BadInputError(
                f"not a case, there is no {DATABASE} in it", folder, "give the folder of a case"
            )
        # Never opened and closed here: closing any handle of a database drops every lock that
        # other connections of this process hold on it, and another program may then remove the
        # log under them (https://sqlite.org/howtocorrupt.html, section 2.2).
        if not os.access(path, os.R_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    except OSError as error:
        raise translate_os_error(error, folder) from error
    return path


def _make_subfolders(folder: Path) -> None:
    """Makes those folders inside a case folder that are missing.

    Raises:
        ResourceError: they cannot be made.
    """
    with translated_errors(folder):
        for name in _SUBFOLDERS:
            (folder / name).mkdir(exist_ok=True)


def _make_folder(folder: Path) -> None:
    try:
        if folder.exists() and not folder.is_dir():
            raise BadInputError("not a folder", folder, "name a new folder for the case")
        folder.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
        suffixes = ("", "-wal", "-shm", "-journal")
        ours = {case_lock.LOCK, *(f"{DATABASE}{suffix}" for suffix in suffixes)}
        others = [entry.name for entry in folder.iterdir() if entry.name not in ours]
        if others and not (folder / DATABASE).exists():
            raise BadInputError(
                "the folder holds other things", folder, "name a new folder for the case"
            )
    except (FileExistsError, NotADirectoryError) as error:
        raise BadInputError(
            "a part of the path is a file", folder, "name a new folder for the case"
        ) from error
    except OSError as error:
        raise translate_os_error(error, folder) from error


def _take_ownership(database: Database, folder: Path, session: Owner) -> LockState:
    with database.transaction():
        before = case_lock.take_lock(folder, session)
        if (before.garbage or before.owner) and not schema.pending_migrations(database):
            journal = Journal(database)
            journal.record("case.take_over", "case", _lock_params(before))
            journal.check()
    return before


def _lock_params(before: LockState) -> dict[str, object]:
    """Returns what the audit entry says about the lock that was there before."""
    if before.garbage:
        return {"unreadable_lock": True}
    return {"stale_lock": str(before.owner)} if before.owner else {}


def _set_version(journal: Journal) -> None:
    journal.set_meta("version", VERSION)
    journal.set_meta(MIGRATIONS_KEY, str(schema.applied_count(journal.database)))


def _upgrade(database: Database, folder: Path, lock_before: LockState) -> None:
    missing = schema.pending_migrations(database)
    if not missing:
        return
    copy = copy_database(database, folder / RECOVERY)
    with database.transaction():
        before = database.row("SELECT value FROM meta WHERE key = 'version'")
        schema.migrate(database)
        journal = Journal(database)
        _set_version(journal)
        params = {"migrations": missing, "copy": copy.name, "before": before and before["value"]}
        journal.record("case.migrate", "case", {**params, **_lock_params(lock_before)})
        journal.check()


def _connect_for_reading(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    try:
        return connect(path, "ro", busy_timeout_s)
    except sqlite3.OperationalError as error:
        # In WAL mode SQLite wants to write beside the database even for reading.
        log = path.with_name(f"{DATABASE}-wal")
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            with translated_errors(path):
                raise
        if log.exists() and log.stat().st_size:
            raise ResourceError(
                "the case was not closed before it was made read-only", path.parent,
                "copy its folder to a disk that can be written and open it there",
            ) from error  # fmt: skip
        with translated_errors(path):
            return connect(path, "immutable", busy_timeout_s)
    except sqlite3.Error:
        with translated_errors(path):
            raise


def _migrated_copy(database: Database) -> Database:
    with translated_errors(database.path):
        # SQLite keeps a database without a name in a temporary file and removes it at closing.
        private = sqlite3.connect("", isolation_level=None)
        try:
            database.connection.backup(private)
            private.execute("PRAGMA journal_mode = DELETE")
            migrated = Database(private, database.path, writable=False)
            with migrated.transaction():
                schema.migrate(migrated)
        except BaseException:
            private.close()
            raise
    database.close()
    return migrated
