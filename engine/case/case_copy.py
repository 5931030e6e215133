"""Copies a whole case into another folder."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from engine.case.case import Case
from engine.case.evidence_guard import refuse_beside_evidence
from engine.case.store.database import DATABASE, translated_errors
from engine.core.errors import BadInputError
from engine.core.files import PRIVATE_FOLDER

_FOLDERS = ("evidence", "derived")


def copy_case(case: Case, to: Path) -> Path:
    """Copies a case: database, copied evidence and derived files, without its cache.

    The copying is recorded in the audit chain of both when the case is open for writing.

    Args:
        case: open; others may go on using it.
        to: a folder that is new or empty.

    Returns:
        The folder of the copy.

    Raises:
        BadInputError: the folder holds something already, or would be beside evidence.
        ResourceError: the disk is full or the folder cannot be written; no half copy remains.
    """
    target = Path(to).absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise BadInputError("something lies there already", target, "choose a new folder")
    if target.is_relative_to(case.path.absolute()):
        raise BadInputError("a case cannot be copied into itself", target, "choose another folder")
    outside = [path for row in case.evidence.all() if (path := Path(row.path)).is_absolute()]
    refuse_beside_evidence(target, outside, False)
    if case.writable:
        with case.change() as change:
            change.record("case.copy", "case", {"to": str(target)})
    part = target.with_name(f"{target.name}.part")
    with translated_errors(target):
        shutil.rmtree(part, ignore_errors=True)
        try:
            part.mkdir(PRIVATE_FOLDER, parents=True)
            for name in _FOLDERS:
                if (case.path / name).is_dir():
                    shutil.copytree(case.path / name, part / name)
            with closing(sqlite3.connect(part / DATABASE)) as copy:
                case.database.connection.backup(copy)
            if target.exists():
                target.rmdir()
            part.rename(target)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return target
