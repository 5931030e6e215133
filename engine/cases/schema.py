"""The tables of a case and the migrations that make them.

A migration may add tables, indexes and nullable columns. It leaves audited rows as they are: the
content an audit entry covers leaves NULLs out, so a new nullable column changes no hash.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

import sqlite_utils
from sqlite_utils.migrations import Migrations

from engine.cases.database import APPLICATION_ID, Database, damaged, translated
from engine.core.errors import BadInputError

_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE evidence (
    id INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT NOT NULL, name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('video', 'images')), sha256 TEXT NOT NULL,
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, fps REAL, copied_to TEXT,
    added_utc TEXT NOT NULL, properties TEXT NOT NULL,
    current_run INTEGER REFERENCES run (id)) STRICT;
CREATE TABLE stream (
    id INTEGER PRIMARY KEY AUTOINCREMENT, evidence_id INTEGER NOT NULL REFERENCES evidence (id),
    number INTEGER NOT NULL, codec TEXT NOT NULL, width INTEGER NOT NULL,
    height INTEGER NOT NULL, time_base_num INTEGER NOT NULL, time_base_den INTEGER NOT NULL,
    first_pts INTEGER NOT NULL, frames INTEGER NOT NULL, duration_s REAL NOT NULL,
    flags TEXT NOT NULL, pts BLOB, UNIQUE (evidence_id, number)) STRICT;
CREATE TABLE run (
    id INTEGER PRIMARY KEY AUTOINCREMENT, evidence_id INTEGER NOT NULL REFERENCES evidence (id),
    stream INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'finished', 'cancelled', 'failed')),
    settings TEXT NOT NULL, settings_sha256 TEXT NOT NULL, evidence_sha256 TEXT NOT NULL,
    frames INTEGER NOT NULL, analysed_frames INTEGER NOT NULL, resumed_frames INTEGER NOT NULL,
    warnings TEXT NOT NULL, info TEXT NOT NULL, version TEXT NOT NULL,
    environment TEXT NOT NULL, started_utc TEXT NOT NULL, finished_utc TEXT,
    wall_s REAL NOT NULL) STRICT;
CREATE INDEX run_of_evidence ON run (evidence_id, state);
CREATE TABLE chunk (
    id INTEGER PRIMARY KEY AUTOINCREMENT, run_id INTEGER NOT NULL REFERENCES run (id),
    channel TEXT NOT NULL, seq INTEGER NOT NULL, first_frame INTEGER NOT NULL,
    last_frame INTEGER NOT NULL, first_pts INTEGER NOT NULL, last_pts INTEGER NOT NULL,
    info TEXT NOT NULL, scores BLOB NOT NULL, raw BLOB NOT NULL,
    UNIQUE (run_id, channel, seq)) STRICT;
CREATE INDEX chunk_span ON chunk (run_id, channel, first_frame, last_frame);
CREATE TABLE calibration (
    id INTEGER PRIMARY KEY AUTOINCREMENT, evidence_id INTEGER REFERENCES evidence (id),
    run_id INTEGER REFERENCES run (id), channel TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('normal', 'span', 'self')), version INTEGER NOT NULL,
    final INTEGER NOT NULL CHECK (final IN (0, 1)), sha256 TEXT NOT NULL,
    sources TEXT NOT NULL, body BLOB NOT NULL) STRICT;
CREATE INDEX calibration_of_run ON calibration (run_id, channel, version);
CREATE TABLE derivation (
    id INTEGER PRIMARY KEY AUTOINCREMENT, run_id INTEGER NOT NULL REFERENCES run (id),
    number INTEGER NOT NULL, calibrations TEXT NOT NULL, version TEXT NOT NULL,
    UNIQUE (run_id, number)) STRICT;
CREATE TABLE score (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    derivation_id INTEGER NOT NULL REFERENCES derivation (id), run_id INTEGER NOT NULL,
    channel TEXT NOT NULL, first_frame INTEGER NOT NULL, last_frame INTEGER NOT NULL,
    data BLOB NOT NULL, row_sha256 BLOB NOT NULL) STRICT;
CREATE INDEX score_span ON score (derivation_id, channel, first_frame);
CREATE TABLE region (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    derivation_id INTEGER NOT NULL REFERENCES derivation (id), run_id INTEGER NOT NULL,
    frame INTEGER NOT NULL, pts INTEGER NOT NULL, x INTEGER NOT NULL, y INTEGER NOT NULL,
    w INTEGER NOT NULL, h INTEGER NOT NULL, score REAL NOT NULL, trajectory INTEGER,
    mask_rows INTEGER NOT NULL, mask_columns INTEGER NOT NULL, mask BLOB NOT NULL,
    row_sha256 BLOB NOT NULL) STRICT;
CREATE INDEX region_frame ON region (derivation_id, frame);
CREATE TABLE trajectory (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    derivation_id INTEGER NOT NULL REFERENCES derivation (id), run_id INTEGER NOT NULL,
    number INTEGER NOT NULL, start_s REAL NOT NULL, end_s REAL NOT NULL,
    from_cell TEXT NOT NULL, to_cell TEXT NOT NULL, direction TEXT NOT NULL,
    relative_speed REAL, points BLOB NOT NULL, row_sha256 BLOB NOT NULL,
    UNIQUE (derivation_id, number)) STRICT;
CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    derivation_id INTEGER NOT NULL REFERENCES derivation (id), run_id INTEGER NOT NULL,
    number INTEGER NOT NULL, first_frame INTEGER NOT NULL, last_frame INTEGER NOT NULL,
    peak_frame INTEGER NOT NULL, start_pts INTEGER NOT NULL, end_pts INTEGER NOT NULL,
    peak_pts INTEGER NOT NULL, start_s REAL NOT NULL, end_s REAL NOT NULL,
    peak_s REAL NOT NULL, peak_score REAL NOT NULL, channel TEXT NOT NULL,
    reasons TEXT NOT NULL, trajectories TEXT NOT NULL, summary TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'unseen'
        CHECK (state IN ('unseen', 'seen', 'relevant', 'dismissed')),
    state_reason TEXT, row_sha256 BLOB NOT NULL, UNIQUE (derivation_id, number)) STRICT;
CREATE TABLE export (
    id INTEGER PRIMARY KEY AUTOINCREMENT, run_id INTEGER REFERENCES run (id),
    path TEXT NOT NULL, kind TEXT NOT NULL, sha256 TEXT NOT NULL, size INTEGER NOT NULL,
    utc TEXT NOT NULL) STRICT;
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY, utc TEXT NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
    object TEXT NOT NULL, params_json TEXT NOT NULL, content_sha256 TEXT NOT NULL,
    prev_hash TEXT NOT NULL, hash TEXT NOT NULL) STRICT;
CREATE TRIGGER audit_refuses_update BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'audit entries are never changed'); END;
CREATE TRIGGER audit_refuses_delete BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'audit entries are never deleted'); END;
"""


def migrations() -> Migrations:
    """Returns the migrations of a case in their order; a later issue appends its own here."""
    registered = Migrations("case")

    @registered(name="1_tables")
    def first_tables(db: sqlite_utils.Database) -> None:
        for statement in _statements(_TABLES):
            db.conn.execute(statement)
        db.conn.execute(f"PRAGMA application_id = {APPLICATION_ID}")

    return registered


def _statements(script: str) -> Iterable[str]:
    # sqlite3's executescript would commit the migration's transaction first.
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


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
    known = _names()
    newer = [name for name in _applied(database) if name not in known]
    if newer:
        wrote = database.row("SELECT value FROM meta WHERE key = 'version'")
        version = str(wrote["value"]) if wrote else "unknown"
        raise BadInputError(
            f"the case was written by a newer Sightline (version {version})",
            database.path.parent,
            "open it with that version or a later one",
        )


def pending(database: Database) -> list[str]:
    """Returns the names of the migrations that the database still needs."""
    applied = _applied(database)
    return [name for name in _names() if name not in applied]


def applied_count(database: Database) -> int:
    """Returns how many migrations the database has."""
    return len(_applied(database))


def migrate(database: Database) -> None:
    """Applies what is pending; to be called inside a writing transaction, all or nothing."""
    with translated(database.path):
        wrapped = sqlite_utils.Database(database.connection, execute_plugins=False)
        migrations().apply(wrapped)


def _names() -> list[str]:
    empty = sqlite_utils.Database(memory=True, execute_plugins=False)
    try:
        return [migration.name for migration in migrations().pending(empty)]
    finally:
        empty.close()


def _applied(database: Database) -> list[str]:
    names = database.rows(
        f"SELECT name FROM {Migrations.migrations_table} WHERE migration_set = 'case' ORDER BY id"
    )
    if not names:
        raise damaged(database.path, "it does not say which version it has")
    return [str(row["name"]) for row in names]


def case_folder(path: Path) -> Path:
    """Makes a case's path absolute without following links.

    Raises:
        BadInputError: it names the working directory, or is no path.
    """
    if str(path) == "." or "\0" in str(path):
        raise BadInputError("no case named", str(path), "give the folder of a case")
    return path.absolute()
