"""Dated copies of a case's database."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from engine.case.store.database import Database, translated_errors
from engine.core.files import atomic_path

RECOVERY = "recovery"
"""Folder of the copies inside a case folder."""

MAX_COPIES = 5
"""How many copies stay, a choice; the oldest are deleted first."""


def copy_database(database: Database, folder: Path) -> Path:
    """Copies the database as it is now, while others may go on using it.

    Args:
        database: with no open transaction.
        folder: the case's recovery folder; made when missing.

    Returns:
        The copy, named by its UTC time.

    Raises:
        ResourceError: the disk is full or the folder cannot be written; no half copy remains.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    copy = folder / f"case-{stamp}.sqlite"
    with translated_errors(folder):
        folder.mkdir(exist_ok=True)
        with atomic_path(copy) as part, closing(sqlite3.connect(part)) as target:
            database.connection.backup(target)
        for old in copies(folder)[:-MAX_COPIES]:
            old.unlink()
    return copy


def copies(folder: Path) -> list[Path]:
    """Returns the copies in a recovery folder, oldest first."""
    return sorted(folder.glob("case-*.sqlite"))
