"""Tells which migrations a case has, and applies those that are missing."""

from __future__ import annotations

import sqlite3

from engine.case.store.database import (
    APPLICATION_ID,
    Database,
    Value,
    damage_error,
    translated_errors,
)
from engine.core.canonical import content_sha256
from engine.core.errors import BadInputError

MIGRATION_NAMES = ("1_tables", "2_review", "3_dialogue", "4_teaching")
"""The migrations of `engine.case.store.migrations`, in order."""


SCHEMA_SHA256 = (
    "bc57ee48cf4f6b1f8e5569d4c324526ea03169eb5aa7c294dc2593db8f93ca6c",
    "f9093af49737abb4de5302def91d4d55ba3872cec94381811e57c0c672e4d83d",
    "1427fe83f4358075f93018de62e35329babfa4923e944756e55f0dd72711612d",
    "acb83ffcc3e36acca004d478eca89433b68a7465189ef34fd2605883a4706ce0",
)
"""The hash of tables, indexes and triggers after each migration; a test computes them."""

_OBJECTS = """
SELECT type, name, tbl_name, sql FROM sqlite_master
WHERE name NOT LIKE 'sqlite~_stat%' ESCAPE '~' AND name NOT IN
    ('sqlite_sequence', '_sqlite_migrations', 'sqlite_autoindex__sqlite_migrations_1')
ORDER BY type, name
"""


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


def altered_objects(database: Database) -> list[str]:
    """Returns the names of tables, indexes, triggers and views that the migrations did not make so.

    Whoever owns the file can put in a trigger that changes what is written, an index that hides
    rows, or a view in the place of a table; no audit entry covers any of them.
    """
    present = _objects(database)
    count = applied_count(database)
    if objects_sha256(database) == SCHEMA_SHA256[count - 1]:
        return []
    sound = Database(sqlite3.connect(":memory:", isolation_level=None), database.path, True)
    try:
        with sound.transaction():
            migrate(sound, MIGRATION_NAMES[count] if count < len(MIGRATION_NAMES) else None)
        expected = {str(row[1]): row for row in _objects(sound)}
    finally:
        sound.close()
    actual = {str(row[1]): row for row in present}
    names = expected.keys() | actual.keys()
    return sorted(name for name in names if expected.get(name) != actual.get(name))


def objects_sha256(database: Database) -> str:
    """Returns the hash of the tables, indexes, triggers and views of a database."""
    return content_sha256(_objects(database))


def check_objects(database: Database) -> None:
    """Makes sure that nothing is at work in the database but what the migrations made.

    Raises:
        BadInputError: a table, index, trigger or view differs.
    """
    names = altered_objects(database)
    if names:
        raise BadInputError(
            f"the database of the case was altered ({', '.join(names)[:200]})",
            database.path.parent,
            "run verify, and put back a copy from the folder recovery",
        )


def _objects(database: Database) -> list[list[Value]]:
    return [list(row) for row in database.tuples(_OBJECTS)]


def migrate(database: Database, stop_before: str | None = None) -> None:
    """Applies what is pending; to be called inside a writing transaction, all or nothing.

    Args:
        database: with an open writing transaction.
        stop_before: name of the first migration that is left out; None applies all.
    """
    # Imported here because few cases need it and it takes longer than opening one.
    import sqlite_utils

    from engine.case.store.migrations import migrations

    with translated_errors(database.path):
        wrapped = sqlite_utils.Database(database.connection, execute_plugins=False)
        migrations().apply(wrapped, stop_before=stop_before)


def _applied_names(database: Database) -> list[str]:
    names = database.rows(
        "SELECT name FROM _sqlite_migrations WHERE migration_set = 'case' ORDER BY id"
    )
    if not names:
        raise damage_error(database.path, "it does not say which version it has")
    return [str(row["name"]) for row in names]
