"""Tells which migrations a case has, and applies those that are missing."""

from __future__ import annotations

from engine.case.store.database import APPLICATION_ID, Database, damage_error, translated_errors
from engine.core.errors import BadInputError

MIGRATION_NAMES = ("1_tables", "2_review", "3_dialogue", "4_teaching")
"""The migrations of `engine.case.store.migrations`, in order."""


def is_empty(database: Database) -> bool:
    """Whether the database holds no table yet."""
    return database.row("SELECT 1 FROM sqlite_master") is None


def check_is_case(database: Database) -> None:
    """Makes sure that the file is a case's database and of no newer version.

    Raises:
        BadInputError: it is something else, or a newer Sightline wrote it.
    """
    row = database.row("PRAGMA application_id")
    if row is None or row["application_id"] != APPLICATION_ID:
        raise BadInputError(
            "not a Sightline case", database.path.parent, "give the folder of a case"
        )
    newer = [name for name in _applied_names(database) if name not in MIGRATION_NAMES]
    if newer:
        wrote = database.row("SELECT value FROM meta WHERE key = 'version'")
        version = str(wrote["value"]) if wrote else "unknown"
        raise BadInputError(
            f"the case was written by a newer Sightline (version {version})",
            database.path.parent,
            "open it with that version or a later one",
        )


def pending_migrations(database: Database) -> list[str]:
    """Returns the names of the migrations that the database still needs."""
    applied = _applied_names(database)
    return [name for name in MIGRATION_NAMES if name not in applied]


def applied_count(database: Database) -> int:
    """Returns how many migrations the database has."""
    return len(_applied_names(database))


def migrate(database: Database) -> None:
    """Applies what is pending; to be called inside a writing transaction, all or nothing."""
    # Imported here because few cases need it and it takes longer than opening one.
    import sqlite_utils

    from engine.case.store.migrations import migrations

    with translated_errors(database.path):
        wrapped = sqlite_utils.Database(database.connection, execute_plugins=False)
        migrations().apply(wrapped)


def _applied_names(database: Database) -> list[str]:
    names = database.rows(
        "SELECT name FROM _sqlite_migrations WHERE migration_set = 'case' ORDER BY id"
    )
    if not names:
        raise damage_error(database.path, "it does not say which version it has")
    return [str(row["name"]) for row in names]
