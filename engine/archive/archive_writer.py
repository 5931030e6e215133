"""Writes a case into one file for another workplace, with a manifest of all files in it.

Files are stored without compression: images, videos and the blobs of a case are compressed
already, and an archive in which nothing grows when it is unpacked cannot be a zip bomb.
"""

from __future__ import annotations

import hashlib
import sqlite3
import tempfile
import zipfile
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from engine.archive.archive_manifest import MANIFEST, ArchivedEvidence, ArchiveManifest, MemberFile
from engine.archive.member_names import check_distinct, fault_of, usable_name
from engine.case import Case
from engine.case.store.database import DATABASE, translated_errors
from engine.core.errors import BadInputError, MediaError
from engine.core.files import translated_write_errors
from engine.core.progress import CancelToken, Progress, ProgressCallback, silent
from engine.core.version import VERSION
from engine.export.output_files import Output, WrittenFile, check_ending, read_blocks
from engine.media.image_folder import image_files
from engine.pipeline.evidence_check import EvidenceState, check_evidence, record_mismatches

_NOT_REQUESTED = "not asked for"


@dataclass(frozen=True)
class ArchiveResult:
    """A written archive.

    Attributes:
        file: the archive.
        manifest: its manifest.
        manifest_sha256: SHA-256 of the bytes of the manifest.
    """

    file: WrittenFile
    manifest: ArchiveManifest
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
) -> ArchiveResult:
    """Writes a case into one file: its database, derived files and, on request, its evidence.

    Evidence that is missing or has changed is left out; manifest and audit log name it. The cache
    and the recovery folder are not archived.

    Args:
        case: open for writing.
        target: the file, ending in `.zip`.
        with_evidence: whether evidence is archived as well.
        beside_evidence: whether the examiner insists on a folder that holds evidence.
        cancel: is checked between blocks.
        progress: is called with the progress of the work.

    Raises:
        BadInputError: the path is not allowed, or cannot be written.
        ResourceError: the disk is full, or another process took over the case.
        CancelledError: the user stopped; nothing was written.
    """
    check_ending(target, ("zip",))
    token = cancel or CancelToken()
    with Output(case, target, beside_evidence) as output:
        part = output.part("zip")
        evidence, members = _evidence(case, with_evidence, token, progress)
        own = (part, output.target)
        derived = [member for member in _derived_members(case) if member.path not in own]
        check_distinct([member.name for member in (*derived, *members)], case.path)
        _record(case, output.target, with_evidence, evidence)
        with tempfile.TemporaryDirectory(".part", ".", part.parent) as folder:
            database = _Member(DATABASE, Path(folder) / DATABASE)
            entries, head = _snapshot(case, database.path, output.target)
            manifest = ArchiveManifest(
                VERSION, datetime.now(UTC).isoformat(timespec="seconds"),
                usable_name(case.path.name), entries, head, evidence, (),
            )  # fmt: skip
            manifest = _write(part, [database, *derived, *members], manifest, token, progress)
            _check_stored_evidence(manifest)
        (written,) = output.commit(cancel=token, progress=progress)
    return ArchiveResult(written, manifest, hashlib.sha256(manifest.encode()).hexdigest())


def _check_stored_evidence(manifest: ArchiveManifest) -> None:
    """Makes sure that no evidence changed between hashing and writing."""
    stored = {file.path: file.sha256 for file in manifest.files}
    for row in manifest.evidence:
        if row.held is not None and stored.get(row.held, row.sha256) != row.sha256:
            raise BadInputError("evidence changes while it is read", row.name, "close its writer")


def _record(
    case: Case, target: Path, with_evidence: bool, evidence: tuple[ArchivedEvidence, ...]
) -> None:
    # Before the database is copied, so that the archived case holds the entry as well.
    left_out = {str(piece.evidence_id): piece.left_out for piece in evidence if piece.held is None}
    with case.change() as change:
        params = {"to": str(target), "with_evidence": with_evidence, "left_out": left_out}
        change.record("case.archive", "case", params)


def _snapshot(case: Case, path: Path, target: Path) -> tuple[int, str]:
    """Copies the database as it is now; returns count and head of its audit log.

    Args:
        case: the case.
        path: path of the copy.
        target: path of the archive, which errors name.
    """
    with translated_errors(target), closing(sqlite3.connect(path)) as copy:
        case.database.connection.backup(copy)
        sql = "SELECT value FROM meta WHERE key IN ('audit_count', 'audit_head') ORDER BY key"
        (count,), (head,) = copy.execute(sql).fetchall()
    return int(count), str(head)


def _derived_members(case: Case) -> list[_Member]:
    members = []
    for path in sorted(case.derived_folder.rglob("*")):
        plain = path.is_file() and not path.is_symlink()
        name = path.relative_to(case.path).as_posix()
        if plain and not path.name.endswith(".part") and not fault_of(name):
            members.append(_Member(name, path))
    return members


def _evidence(
    case: Case, with_evidence: bool, cancel: CancelToken, progress: ProgressCallback
) -> tuple[tuple[ArchivedEvidence, ...], list[_Member]]:
    """Decides which evidence is archived, and under which names."""
    states = check_evidence(case, cancel, progress) if with_evidence else []
    record_mismatches(
        case, {state.row.id: state.sha256_now for state in states if not state.is_unchanged}
    )
    by_id = {state.row.id: state for state in states}
    evidence, members = [], dict[str, _Member]()
    for row in case.evidence.all():
        folder = f"evidence/{row.sha256[:16]}/{usable_name(row.name)}"
        state = by_id.get(row.id)
        inside, why = _members_of(case, state, folder) if state else ([], _NOT_REQUESTED)
        members.update({member.name: member for member in inside})
        path = None if why else folder
        evidence.append(ArchivedEvidence(row.id, usable_name(row.name), row.sha256, path, why))
    return tuple(evidence), list(members.values())


def _members_of(case: Case, state: EvidenceState, folder: str) -> tuple[list[_Member], str]:
    """Returns the files of a piece of evidence, or why it is left out."""
    if state.sha256_now is None:
        return [], state.error
    if not state.is_unchanged:
        return [], f"changed since it was added, now {state.sha256_now}"
    path = case.evidence_path(state.row)
    if not path.is_dir():
        return [_Member(folder, path)], ""
    try:
        files = image_files(path)
    except MediaError as error:
        return [], error.line()
    # The hash of a folder covers the names of its images, so they cannot be changed.
    odd = next((image.name for image in files if fault_of(image.name)), None)
    if odd is not None:
        return [], f"{fault_of(odd)}: {usable_name(odd)}"
    return [_Member(f"{folder}/{image.name}", image) for image in files], ""


def _write(
    path: Path,
    members: list[_Member],
    manifest: ArchiveManifest,
    cancel: CancelToken,
    progress: ProgressCallback,
) -> ArchiveManifest:
    """Writes all files and, as the last one, the manifest, which is returned with its files."""
    with (
        translated_write_errors(path),
        zipfile.ZipFile(path, "x", strict_timestamps=False) as archive,
    ):
        total = sum(member.path.stat().st_size for member in members)
        stored, done = list[MemberFile](), 0
        for member in members:
            digest, size = hashlib.sha256(), 0
            info = _info(member.name)
            with (
                archive.open(info, "w", force_zip64=True) as file,
                member.path.open("rb") as source,
            ):
                for block in read_blocks(source):
                    cancel.check()
                    file.write(block)
                    digest.update(block)
                    size += len(block)
                    done += len(block)
                    progress(Progress("archiving", done, max(total, done), unit="bytes"))
            stored.append(MemberFile(member.name, size, digest.hexdigest()))
        manifest = replace(manifest, files=tuple(stored))
        archive.writestr(_info(MANIFEST), manifest.encode())
    return manifest


def _info(name: str) -> zipfile.ZipInfo:
    # A fixed date: nothing about the disk of the writer belongs into an archive.
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.external_attr = 0o100644 << 16
    info.create_system = 3
    return info
