"""The migrations of a case, in their order.

A migration may add tables, indexes and nullable columns, and may make a column nullable. It leaves
audited rows as they are: the content an audit entry covers leaves NULLs out, so a new nullable
column changes no hash.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

import sqlite_utils
from sqlite_utils.migrations import Migrations

from engine.case.store.database import APPLICATION_ID

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


_REVIEW = """
CREATE TABLE bookmark (
    id INTEGER PRIMARY KEY AUTOINCREMENT, evidence_id INTEGER NOT NULL REFERENCES evidence (id),
    run_id INTEGER REFERENCES run (id), start_frame INTEGER NOT NULL, end_frame INTEGER NOT NULL,
    start_pts INTEGER NOT NULL, end_pts INTEGER NOT NULL, start_s REAL NOT NULL,
    end_s REAL NOT NULL, text TEXT NOT NULL, author TEXT NOT NULL, utc TEXT NOT NULL,
    removed INTEGER NOT NULL DEFAULT 0 CHECK (removed IN (0, 1))) STRICT;
CREATE TABLE note (
    id INTEGER PRIMARY KEY AUTOINCREMENT, first_id INTEGER REFERENCES note (id),
    object TEXT NOT NULL, evidence_id INTEGER REFERENCES evidence (id), pts INTEGER, seconds REAL,
    author TEXT NOT NULL, utc TEXT NOT NULL, text TEXT NOT NULL,
    removed INTEGER NOT NULL DEFAULT 0 CHECK (removed IN (0, 1))) STRICT;
CREATE TABLE tag (
    id INTEGER PRIMARY KEY AUTOINCREMENT, object TEXT NOT NULL, name TEXT NOT NULL,
    author TEXT NOT NULL, utc TEXT NOT NULL,
    removed INTEGER NOT NULL DEFAULT 0 CHECK (removed IN (0, 1)), UNIQUE (object, name)) STRICT;
CREATE TABLE watched (
    id INTEGER PRIMARY KEY REFERENCES evidence (id), spans TEXT NOT NULL) STRICT;
CREATE TABLE heat (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    derivation_id INTEGER NOT NULL REFERENCES derivation (id), run_id INTEGER NOT NULL,
    channel TEXT NOT NULL, first_frame INTEGER NOT NULL, last_frame INTEGER NOT NULL,
    data BLOB NOT NULL, row_sha256 BLOB NOT NULL) STRICT;
CREATE INDEX heat_span ON heat (derivation_id, channel, first_frame);
ALTER TABLE evidence ADD COLUMN clock_offset_s REAL;
ALTER TABLE evidence ADD COLUMN position INTEGER;
ALTER TABLE derivation ADD COLUMN settings TEXT;
ALTER TABLE trajectory ADD COLUMN peak_score REAL;
CREATE TABLE event_of_anyone (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    derivation_id INTEGER REFERENCES derivation (id), run_id INTEGER,
    number INTEGER, first_frame INTEGER NOT NULL, last_frame INTEGER NOT NULL,
    peak_frame INTEGER NOT NULL, start_pts INTEGER NOT NULL, end_pts INTEGER NOT NULL,
    peak_pts INTEGER NOT NULL, start_s REAL NOT NULL, end_s REAL NOT NULL,
    peak_s REAL NOT NULL, peak_score REAL NOT NULL, channel TEXT NOT NULL,
    reasons TEXT NOT NULL, trajectories TEXT NOT NULL, summary TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'unseen'
        CHECK (state IN ('unseen', 'seen', 'relevant', 'dismissed')),
    state_reason TEXT, row_sha256 BLOB, evidence_id INTEGER REFERENCES evidence (id),
    author TEXT, utc TEXT, removed INTEGER CHECK (removed IN (0, 1)),
    UNIQUE (derivation_id, number)) STRICT;
INSERT INTO event_of_anyone (
    id, derivation_id, run_id, number, first_frame, last_frame, peak_frame, start_pts, end_pts,
    peak_pts, start_s, end_s, peak_s, peak_score, channel, reasons, trajectories, summary, state,
    state_reason, row_sha256)
SELECT
    id, derivation_id, run_id, number, first_frame, last_frame, peak_frame, start_pts, end_pts,
    peak_pts, start_s, end_s, peak_s, peak_score, channel, reasons, trajectories, summary, state,
    state_reason, row_sha256
FROM event ORDER BY id;
DELETE FROM sqlite_sequence WHERE name = 'event_of_anyone';
UPDATE sqlite_sequence SET name = 'event_of_anyone' WHERE name = 'event';
DROP TABLE event;
ALTER TABLE event_of_anyone RENAME TO event;
CREATE INDEX own_event ON event (evidence_id) WHERE derivation_id IS NULL;
"""
# What an examiner adds: bookmarks, notes, tags, own events (which belong to no derivation) and
# watched spans; and heatmaps, so that they can be displayed without computing them.

_DIALOGUE = """
CREATE TABLE dialogue (
    id INTEGER PRIMARY KEY AUTOINCREMENT, evidence_id INTEGER NOT NULL REFERENCES evidence (id),
    run_id INTEGER NOT NULL REFERENCES run (id), derivation_id INTEGER,
    event_id INTEGER REFERENCES event (id),
    first_frame INTEGER NOT NULL, last_frame INTEGER NOT NULL, start_pts INTEGER NOT NULL,
    end_pts INTEGER NOT NULL, start_s REAL NOT NULL, end_s REAL NOT NULL,
    author TEXT NOT NULL, utc TEXT NOT NULL) STRICT;
CREATE INDEX dialogue_of_span ON dialogue (run_id, first_frame, last_frame);
CREATE TABLE turn (
    id INTEGER PRIMARY KEY AUTOINCREMENT, dialogue_id INTEGER NOT NULL REFERENCES dialogue (id),
    number INTEGER NOT NULL, question TEXT NOT NULL, answer TEXT,
    state TEXT NOT NULL
        CHECK (state IN ('answering', 'complete', 'cancelled', 'interrupted', 'failed', 'facts')),
    facts TEXT NOT NULL, missing TEXT, pack TEXT, pack_sha256 TEXT, runtime TEXT,
    settings TEXT NOT NULL, tokens INTEGER NOT NULL, first_token_s REAL, tokens_per_s REAL,
    agrees INTEGER CHECK (agrees IN (0, 1)), dropped_turns INTEGER NOT NULL,
    machine_written INTEGER NOT NULL CHECK (machine_written = 1),
    author TEXT NOT NULL, utc TEXT NOT NULL, UNIQUE (dialogue_id, number)) STRICT;
CREATE TABLE citation (
    id INTEGER PRIMARY KEY AUTOINCREMENT, turn_id INTEGER NOT NULL REFERENCES turn (id),
    evidence_id INTEGER NOT NULL REFERENCES evidence (id), start_s REAL NOT NULL,
    end_s REAL NOT NULL, start_pts INTEGER NOT NULL, end_pts INTEGER NOT NULL,
    trajectory_id INTEGER REFERENCES trajectory (id)) STRICT;
CREATE INDEX citation_of_turn ON citation (turn_id);
"""
# Dialogues about spans: questions, answers of a language model, and their citations.

_TEACHING = """
CREATE TABLE variant (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, pack TEXT NOT NULL,
    pack_sha256 TEXT NOT NULL, marks TEXT NOT NULL, recipe TEXT NOT NULL, body BLOB NOT NULL,
    sha256 TEXT NOT NULL, author TEXT NOT NULL, utc TEXT NOT NULL,
    removed INTEGER NOT NULL DEFAULT 0 CHECK (removed IN (0, 1))) STRICT;
CREATE INDEX variant_taught ON variant (sha256);
"""
# Variants: weights that packs learned from marks, with the marks.


def migrations() -> Migrations:
    """Returns the migrations of a case in their order; new ones are appended here.

    Each is named in `schema.MIGRATION_NAMES` as well, and a new table in `content_hashes`: in
    `ROOTS` or `MUTABLE` where its rows have audit entries of their own, in `BULK` otherwise.
    """
    registered = Migrations("case")

    @registered(name="1_tables")
    def first_tables(db: sqlite_utils.Database) -> None:
        for statement in _statements(_TABLES):
            db.conn.execute(statement)
        db.conn.execute(f"PRAGMA application_id = {APPLICATION_ID}")

    @registered(name="2_review")
    def review_tables(db: sqlite_utils.Database) -> None:
        for statement in _statements(_REVIEW):
            db.conn.execute(statement)

    @registered(name="3_dialogue")
    def dialogue_tables(db: sqlite_utils.Database) -> None:
        for statement in _statements(_DIALOGUE):
            db.conn.execute(statement)

    @registered(name="4_teaching")
    def teaching_tables(db: sqlite_utils.Database) -> None:
        for statement in _statements(_TEACHING):
            db.conn.execute(statement)

    return registered


def _statements(script: str) -> Iterable[str]:
    # sqlite3's executescript would commit the migration's transaction first.
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
