"""A case: a folder with a database whose history cannot be changed silently."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from engine.case.case_folder import (
    absolute_case_path,
    create_database,
    has_no_tables,
    open_for_reading,
    open_for_writing,
)
from engine.case.recovery_copies import RECOVERY, copy_database
from engine.case.store import case_lock
from engine.case.store.audit import AuditLog
from engine.case.store.database import DATABASE, Database
from engine.case.store.journal import Journal
from engine.case.tables.bookmarks import BookmarkChanges, BookmarkRepository
from engine.case.tables.calibrations import CalibrationChanges, CalibrationRepository
from engine.case.tables.case_info import CaseInfoChanges, CaseInfoRepository
from engine.case.tables.chunks import ChunkChanges, ChunkRepository
from engine.case.tables.dialogues import DialogueChanges, DialogueRepository
from engine.case.tables.evidence import EvidenceChanges, EvidenceRepository, EvidenceRow
from engine.case.tables.exports import ExportChanges, ExportRepository
from engine.case.tables.notes import NoteChanges, NoteRepository
from engine.case.tables.own_events import OwnEventChanges, OwnEventRepository
from engine.case.tables.results.derivations import ResultChanges, ResultRepository
from engine.case.tables.runs import RunChanges, RunRepository
from engine.case.tables.tags import TagChanges, TagRepository
from engine.case.tables.variants import VariantChanges, VariantRepository
from engine.case.tables.watched_spans import WatchedChanges, WatchedRepository
from engine.core.errors import ResourceError
from engine.core.files import Closing

BUSY_TIMEOUT_S = 10.0
"""How long a writer waits for another one's transaction: a choice, most take milliseconds."""


class Change:
    """One writing transaction: every method of its repositories makes a change and its audit entry.

    Attributes:
        evidence: evidence and streams.
        runs: runs.
        chunks: raw maps and scores.
        calibrations: calibrations.
        results: scores, regions, trajectories, events and their states.
        exports: files written from the case.
        bookmarks: bookmarks.
        notes: notes and their amendments.
        tags: tags.
        own_events: events that the examiner makes by hand.
        watched: spans of evidence that were watched.
        info: case information.
        dialogues: questions, answers and what they rest on.
        variants: weights that packs learned from marks.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.evidence = EvidenceChanges(journal)
        self.runs = RunChanges(journal)
        self.chunks = ChunkChanges(journal)
        self.calibrations = CalibrationChanges(journal)
        self.results = ResultChanges(journal)
        self.exports = ExportChanges(journal)
        self.bookmarks = BookmarkChanges(journal)
        self.notes = NoteChanges(journal)
        self.tags = TagChanges(journal)
        self.own_events = OwnEventChanges(journal)
        self.watched = WatchedChanges(journal)
        self.info = CaseInfoChanges(journal)
        self.dialogues = DialogueChanges(journal)
        self.variants = VariantChanges(journal)

    def record(self, action: str, name: str, params: Mapping[str, object]) -> None:
        """Adds an audit entry about an action that changes no row (`report.preview`, …).

        Args:
            action: what was done, as `kind.verb`.
            name: what it was done to, as `table:id` or `case`.
            params: what else matters, of JSON's types.

        Raises:
            LookupError: there is no such object.
        """
        self._journal.record(action, name, params)


class Case(Closing):
    """An open case. It belongs to the thread that opened it; another thread opens its own.

    Made by `Case.create` and `Case.open`; use as a context manager or call `close`.

    Attributes:
        path: the case folder, absolute.
        token: what workers join with; None when opened for reading.
        evidence: reads evidence and streams.
        runs: reads runs.
        chunks: reads raw maps and scores.
        calibrations: reads calibrations.
        results: reads scores, regions, trajectories and events.
        exports: reads the list of files written from the case.
        bookmarks: reads bookmarks.
        notes: reads notes.
        tags: reads tags.
        own_events: reads the events that examiners made.
        watched: reads which spans of evidence were watched.
        info: reads the case information.
        dialogues: reads questions, answers and what they rest on.
        variants: reads the weights that packs learned from marks.
        audit: reads the audit log.
    """

    def __init__(self, path: Path, database: Database, token: str | None, owner: bool) -> None:
        self.path = path
        self.token = token
        self.database = database
        self._owner = owner
        self._changing = False
        self.evidence = EvidenceRepository(database)
        self.runs = RunRepository(database)
        self.chunks = ChunkRepository(database)
        self.calibrations = CalibrationRepository(database)
        self.results = ResultRepository(database)
        self.exports = ExportRepository(database)
        self.bookmarks = BookmarkRepository(database)
        self.notes = NoteRepository(database)
        self.tags = TagRepository(database)
        self.own_events = OwnEventRepository(database)
        self.watched = WatchedRepository(database)
        self.info = CaseInfoRepository(database)
        self.dialogues = DialogueRepository(database)
        self.variants = VariantRepository(database)
        self.audit = AuditLog(database)

    @classmethod
    def create(cls, path: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> Case:
        """Makes a new case in a folder that is new or empty, and owns it.

        Raises:
            BadInputError: the folder is not empty, or is a file.
            ResourceError: it cannot be written.
        """
        folder = absolute_case_path(Path(path))
        database, token = create_database(folder, busy_timeout_s)
        return cls(folder, database, token, owner=True)

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        write: bool = False,
        token: str | None = None,
        busy_timeout_s: float = BUSY_TIMEOUT_S,
    ) -> Case:
        """Opens a case.

        Args:
            path: the case folder; its name need not end in `.case`.
            write: whether to own it and change it; otherwise nothing in it is touched.
            token: makes this a worker of the session with that token; by default the environment
                variable `SIGHTLINE_CASE_TOKEN`.
            busy_timeout_s: how long to wait for another program's transaction.

        Raises:
            BadInputError: it is no case, a newer version wrote it, or it is damaged.
            ResourceError: another session has it, or it cannot be opened or written.
        """
        folder = absolute_case_path(Path(path))
        if not write:
            return cls(folder, open_for_reading(folder, busy_timeout_s), None, owner=False)
        token = token or os.environ.get(case_lock.TOKEN_VARIABLE) or None
        return cls(folder, *open_for_writing(folder, token, busy_timeout_s))

    @contextmanager
    def change(self) -> Iterator[Change]:
        """Opens the one kind of transaction that may write; commits when the block ends well.

        Raises:
            ResourceError: opened for reading, owned by another session by now, locked, or the
                disk is full; nothing was changed.
            UnrecordedChangeError: something was written without an audit entry.
        """
        if self.token is None:
            raise ResourceError("the case is open for reading only", self.path, "open it to write")
        if self._changing:
            raise RuntimeError("a change inside a change")
        self._changing = True
        try:
            with self.database.transaction():
                case_lock.check_token(self.path, self.token)
                journal = Journal(self.database)
                yield Change(journal)
                journal.check()
        finally:
            self._changing = False

    @property
    def writable(self) -> bool:
        """Whether `change` may be used."""
        return self.token is not None

    @property
    def derived_folder(self) -> Path:
        """Folder for thumbnails, exports and reports."""
        return self.path / "derived"

    @property
    def cache_folder(self) -> Path:
        """Folder for features; may be deleted at any time."""
        return self.path / "cache"

    def evidence_path(self, evidence: EvidenceRow) -> Path:
        """Returns where to read evidence: its copy in the case, or the original."""
        return Path(evidence.path) if evidence.copied_to is None else self.path / evidence.copied_to

    def recovery_copy(self) -> Path:
        """Makes a dated copy of the database in the recovery folder; the oldest make room.

        Returns:
            The copy.

        Raises:
            ResourceError: the disk is full or the folder cannot be written.
        """
        return copy_database(self.database, self.path / RECOVERY)

    def close(self) -> None:
        """Closes the case and gives up its ownership."""
        if self._owner and self.token is not None:
            # Without a log beside it, the database can be read from a medium made read-only. A
            # reader or a full disk may prevent that; the log then stays and nothing is lost.
            with contextlib.suppress(sqlite3.OperationalError):
                self.database.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.database.close()
        if self._owner and self.token is not None:
            case_lock.release_lock(self.path, self.token)
            self._owner = False


def is_case(path: Path) -> bool:
    """Whether a folder contains the database of a case.

    A process killed while it made a case leaves a database without tables, which is no case yet.
    """
    database = Path(path) / DATABASE
    return database.is_file() and not has_no_tables(database)


def owner_of(path: Path) -> case_lock.Owner | None:
    """Returns the living session that owns a case, or None."""
    owner = case_lock.read_lock(absolute_case_path(Path(path))).owner
    return None if owner is None or case_lock.is_stale(owner) else owner
