"""Unpacks an archive into a case, verifies the case and finds its evidence by hash."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine.archive.archive_reader import Archive, open_archive
from engine.archive.evidence_links import EvidenceFinder, EvidenceLink, link_evidence
from engine.archive.member_names import distrust, is_stored
from engine.case import Case, EvidenceRow, Verification, refuse_beside_evidence, verify
from engine.core.errors import BadInputError, CancelledError, MediaError
from engine.core.files import PRIVATE_FOLDER, translated_write_errors
from engine.core.progress import CancelToken, ProgressCallback, silent
from engine.media import hash_file


@dataclass(frozen=True)
class UnpackResult:
    """An unpacked case.

    Attributes:
        case: the case folder.
        archive_sha256: SHA-256 of the archive.
        manifest_sha256: SHA-256 of its manifest.
        files: number of files, each of which was compared with its hash.
        head: head of the audit chain as it was archived.
        evidence: where each piece is read now; empty when the case does not verify.
        verification: the verification of the unpacked case.
    """

    case: Path
    archive_sha256: str
    manifest_sha256: str
    files: int
    head: str
    evidence: tuple[EvidenceLink, ...]
    verification: Verification

    @property
    def sound(self) -> bool:
        """Whether records and audit chain are as they were recorded."""
        return not self.verification.bad and self.verification.first_bad is None


def unpack(
    archive: Path,
    target: Path,
    *,
    search_paths: Sequence[Path] = (),
    beside_evidence: bool = False,
    cancel: CancelToken | None = None,
    progress: ProgressCallback = silent,
) -> UnpackResult:
    """Unpacks an archive into a new case folder.

    Every file is compared with the manifest and the whole case is verified before the folder gets
    its name. A case that does not verify is unpacked as it is, without any change.

    Args:
        archive: path of the archive.
        target: a new or empty folder.
        search_paths: files and folders in which to look for evidence that is not in the archive.
        beside_evidence: whether the examiner insists on a folder beside evidence.
        cancel: is checked between blocks.
        progress: is called with the progress of the work.

    Raises:
        BadInputError: the archive is refused, or the folder is not allowed.
        ResourceError: the disk is full.
        CancelledError: the user stopped; nothing is left.
    """
    token, folder = cancel or CancelToken(), target.absolute()
    _check_target(folder)
    with open_archive(archive) as opened, _part(folder) as part:
        opened.check_room(part.parent)
        sha256 = hash_file(archive, cancel=token, progress=progress)["sha256"]
        opened.extract(part, token, progress)
        finder = EvidenceFinder([path.absolute() for path in search_paths], token, progress)
        links, verification = _take_over(opened, sha256, part, folder, finder, beside_evidence)
        with translated_write_errors(folder):
            if folder.exists():
                folder.rmdir()
            part.rename(folder)
    moved_links = tuple(
        EvidenceLink(link.row, link.state, _path_after_move(link.path, part, folder), link.sha256)
        for link in links
    )
    manifest = opened.manifest
    return UnpackResult(
        folder, sha256, opened.manifest_sha256, len(manifest.files), manifest.head, moved_links,
        verification,
    )  # fmt: skip


def _check_target(folder: Path) -> None:
    with translated_write_errors(folder):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise BadInputError("something lies there already", folder, "choose a new folder")


@contextmanager
def _part(folder: Path) -> Iterator[Path]:
    """Gives a folder beside the final one, which is removed afterwards unless it was renamed."""
    part = folder.with_name(f".{folder.name}.{secrets.token_hex(6)}.part")
    try:
        with translated_write_errors(folder):
            part.mkdir(PRIVATE_FOLDER, parents=True)
        yield part
    except CancelledError as error:
        raise CancelledError("cancelled", folder, "nothing was unpacked; run again") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _take_over(
    opened: Archive,
    sha256: str,
    part: Path,
    folder: Path,
    finder: EvidenceFinder,
    beside_evidence: bool,
) -> tuple[tuple[EvidenceLink, ...], Verification]:
    """Verifies the case and, when it is sound, records in it where its evidence is now."""
    hashes = {file.path: file.sha256 for file in opened.manifest.files}
    with Case.open(part) as case:
        _check_evidence_paths(case, hashes)
        verification = verify(case, hash_evidence=lambda row: row.sha256)
        paths = [Path(row.path) for row in case.evidence.all()]
    insisted = refuse_beside_evidence(folder, paths, beside_evidence)
    if not verification.ok:
        return (), verification
    if (verification.entries, verification.head) != (opened.manifest.entries, opened.manifest.head):
        what = "an archive whose manifest names another head of the audit log"
        raise distrust(what, opened.path)
    with Case.open(part, write=True) as case:
        params = {
            "archive": str(opened.path.absolute()), "sha256": sha256, "to": str(folder),
            "manifest_sha256": opened.manifest_sha256, "head": verification.head,
        }  # fmt: skip
        if insisted is not None:
            params["beside_evidence"] = str(insisted)
        with case.change() as change:
            change.record("case.unpack", "case", params)
        links = link_evidence(case, opened.manifest.evidence, finder, hashes)
        known = {link.row.id: link.sha256 for link in links}
        return links, verify(case, hash_evidence=lambda row: _known_hash(known, row))


def _known_hash(hashes: Mapping[int, str | None], row: EvidenceRow) -> str:
    sha256 = hashes.get(row.id)
    if sha256 is None:
        raise MediaError("the evidence is missing", row.path, "unpack with --evidence PATH")
    return sha256


def _check_evidence_paths(case: Case, hashes: Mapping[str, str]) -> None:
    """Makes sure that the database names no files outside the case as copies of evidence."""
    for row in case.evidence.all():
        path = row.copied_to
        if path is None or path == f"evidence/{row.sha256[:16]}/{Path(row.path).name}":
            continue
        if not is_stored(path, hashes):
            what = f"an archive that looks for evidence {row.id} outside itself"
            raise distrust(what, path)


def _path_after_move(path: Path | None, part: Path, folder: Path) -> Path | None:
    if path is None or part not in path.parents:
        return path
    return folder / path.relative_to(part)
