"""A case as one file for another workplace, with a manifest over everything in it.

Files are stored as they are, not compressed: pictures, videos and the blobs of a case are dense
already, and an archive in which nothing may grow when it is unpacked cannot be a bomb.
"""

from __future__ import annotations

import hashlib
import sqlite3
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from engine.archive.archive_manifest import MANIFEST, HeldEvidence, HeldFile, Manifest
from engine.archive.member_names import check_distinct, fault_of, usable_name
from engine.case import Case
from engine.case.store.database import DATABASE
from engine.case.store.database import translated as database_translated
from engine.core.errors import BadInputError, MediaError
from engine.core.progress import CancelToken, Progress, ProgressCallback, silent
from engine.core.version import VERSION
from engine.export.output_files import Output, WrittenFile, check_ending, translated
from engine.media.image_folder import image_files
from engine.pipeline.evidence_check import EvidenceState, check_evidence, note_mismatches

_BLOCK = 1 << 20
_NOT_ASKED = "not asked for"


@dataclass(frozen=True)
class Archived:
    """What was archived.

    Attributes:
        file: the archive.
        manifest: what it says about itself.
        manifest_sha256: of the manifest's bytes in it.
    """

    file: WrittenFile
    manifest: Manifest
    manifest_sha256: str


@dataclass(frozen=True)
class _Member:
    name: str
    path: Path


def write_archive(
    case: Case,
    target: Path,
    *,
    with_evidence: bool = False,
    beside_evidence: bool = False,
    cancel: CancelToken | None = None,
    progress: ProgressCallback = silent,
) -> Archived:
    """Writes a case into one file: database, what was derived, and evidence if asked for.

    Evidence that is missing or has changed is left out, which the manifest says and the case keeps
    on record. The cache and the recovery folder stay behind.

    Args:
        case: open for writing.
        target: the file, ending in `.zip`.
        with_evidence: whether evidence goes along.
        beside_evidence: whether the examiner insists on a place beside evidence.
        cancel: looked at between blocks.
        progress: told how far the work is.

    Raises:
        BadInputError: the file's name or place is not allowed, or it cannot be written.
        ResourceError: the disk is full or the case is not ours any more.
        CancelledError: the user stopped; nothing was written.
    """
    check_ending(target, ("zip",))
    token = cancel or CancelToken()
    with Output(case, target, beside_evidence) as output:
        part = output.part("zip")
        held, members = _evidence(case, with_evidence, token, progress)
        derived = [one for one in _derived(case) if one.path not in (part, output.target)]
        check_distinct([one.name for one in (*derived, *members)], case.path)
        _record(case, output.target, with_evidence, held)
        with tempfile.TemporaryDirectory(".part", ".", part.parent) as folder:
            database = _Member(DATABASE, Path(folder) / DATABASE)
            entries, head = _snapshot(case, database.path, output.target)
            about = Manifest(
                VERSION, datetime.now(UTC).isoformat(timespec="seconds"),
                usable_name(case.path.name), entries, head, held, (),
            )  # fmt: skip
            manifest = _write(
                part,
                [database, *derived, *members],
                lambda files: replace(about, files=files),
                token,
                progress,
            )
            _check_held(manifest)
        (written,) = output.commit(cancel=token, progress=progress)
    return Archived(written, manifest, hashlib.sha256(manifest.encode()).hexdigest())


def _check_held(manifest: Manifest) -> None:
    """Makes sure that no evidence changed between hashing and writing."""
    stored = {one.path: one.sha256 for one in manifest.files}
    for one in manifest.evidence:
        if one.held is not None and stored.get(one.held, one.sha256) != one.sha256:
            raise BadInputError("evidence changes while it is read", one.name, "close its writer")


def _record(case: Case, target: Path, with_evidence: bool, held: tuple[HeldEvidence, ...]) -> None:
    # Before the database is copied, so that the archive itself says that it is one.
    left_out = {str(one.evidence_id): one.left_out for one in held if one.held is None}
    with case.change() as change:
        said = {"to": str(target), "with_evidence": with_evidence, "left_out": left_out}
        change.record("case.archive", "case", said)


def _snapshot(case: Case, path: Path, target: Path) -> tuple[int, str]:
    """Copies the database as it is now; returns count and head of its audit log.

    Args:
        case: to copy.
        path: of the copy.
        target: of the archive, which errors name.
    """
    with database_translated(target), closing(sqlite3.connect(path)) as copy:
        case.database.connection.backup(copy)
        sql = "SELECT value FROM meta WHERE key IN ('audit_count', 'audit_head') ORDER BY key"
        (count,), (head,) = copy.execute(sql).fetchall()
    return int(count), str(head)


def _derived(case: Case) -> list[_Member]:
    found = []
    for path in sorted(case.derived.rglob("*")):
        plain = path.is_file() and not path.is_symlink()
        name = path.relative_to(case.path).as_posix()
        if plain and not path.name.endswith(".part") and not fault_of(name):
            found.append(_Member(name, path))
    return found


def _evidence(
    case: Case, wanted: bool, cancel: CancelToken, progress: ProgressCallback
) -> tuple[tuple[HeldEvidence, ...], list[_Member]]:
    """Decides which evidence goes along, under which names."""
    states = check_evidence(case, cancel, progress) if wanted else []
    note_mismatches(case, {one.row.id: one.sha256_now for one in states if not one.unchanged})
    by_id = {one.row.id: one for one in states}
    held, members = [], dict[str, _Member]()
    for row in case.evidence.all():
        folder = f"evidence/{row.sha256[:16]}/{usable_name(row.name)}"
        state = by_id.get(row.id)
        inside, why = _members_of(case, state, folder) if state else ([], _NOT_ASKED)
        members.update({one.name: one for one in inside})
        place = None if why else folder
        held.append(HeldEvidence(row.id, usable_name(row.name), row.sha256, place, why))
    return tuple(held), list(members.values())


def _members_of(case: Case, state: EvidenceState, folder: str) -> tuple[list[_Member], str]:
    """Returns the files of a piece of evidence, or why it is left out."""
    if state.sha256_now is None:
        return [], state.error
    if not state.unchanged:
        return [], f"changed since it was added, now {state.sha256_now}"
    path = case.evidence_path(state.row)
    if not path.is_dir():
        return [_Member(folder, path)], ""
    try:
        files = image_files(path)
    except MediaError as error:
        return [], error.line()
    # The hash of a folder covers the names of its images, so they cannot be changed.
    odd = next((one.name for one in files if fault_of(one.name)), None)
    if odd is not None:
        return [], f"{fault_of(odd)}: {usable_name(odd)}"
    return [_Member(f"{folder}/{one.name}", one) for one in files], ""


def _write(
    path: Path,
    members: list[_Member],
    manifest_of: Callable[[tuple[HeldFile, ...]], Manifest],
    cancel: CancelToken,
    progress: ProgressCallback,
) -> Manifest:
    """Writes all files and, as the last one, the manifest over them."""
    with translated(path), zipfile.ZipFile(path, "x", strict_timestamps=False) as archive:
        total = sum(one.path.stat().st_size for one in members)
        stored, done = list[HeldFile](), 0
        for member in members:
            digest, size = hashlib.sha256(), 0
            with archive.open(_info(member.name), "w", force_zip64=True) as file:
                for block in _blocks(member.path):
                    cancel.check()
                    file.write(block)
                    digest.update(block)
                    size += len(block)
                    progress(
                        Progress("archiving", done + size, max(total, done + size), unit="bytes")
                    )
            stored.append(HeldFile(member.name, size, digest.hexdigest()))
            done += size
        manifest = manifest_of(tuple(stored))
        archive.writestr(_info(MANIFEST), manifest.encode())
    return manifest


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


def _info(name: str) -> zipfile.ZipInfo:
    # A fixed date: nothing about the disk of the writer belongs into an archive.
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.external_attr = 0o100644 << 16
    info.create_system = 3
    return info
