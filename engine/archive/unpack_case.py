"""An archive becomes a case again, verified, with its evidence found by hash."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine.archive.archive_reader import Archive, open_archive
from engine.archive.evidence_links import EvidenceFinder, Linked, link_evidence
from engine.case import Case, EvidenceRow, Verification, refuse_beside_evidence, verify
from engine.core.errors import BadInputError, CancelledError, MediaError
from engine.core.progress import CancelToken, ProgressCallback, silent
from engine.export.output_files import translated
from engine.media import hash_file


@dataclass(frozen=True)
class Unpacked:
    """A case that was unpacked.

    Attributes:
        case: its folder.
        archive_sha256: of the archive.
        manifest_sha256: of the manifest in it.
        files: number of files, each compared with its hash.
        head: of the audit log as it was archived.
        evidence: where each piece lies now; empty when the case does not verify.
        verification: of the case as it lies there now.
    """

    case: Path
    archive_sha256: str
    manifest_sha256: str
    files: int
    head: str
    evidence: tuple[Linked, ...]
    verification: Verification

    @property
    def sound(self) -> bool:
        """Whether records and audit log are as they were recorded."""
        return not self.verification.bad and self.verification.first_bad is None


def unpack(
    archive: Path,
    target: Path,
    *,
    places: Sequence[Path] = (),
    beside_evidence: bool = False,
    cancel: CancelToken | None = None,
    progress: ProgressCallback = silent,
) -> Unpacked:
    """Unpacks an archive into a new case folder.

    Every file is compared with the manifest and the whole case is verified before the folder gets
    its name. A case that does not verify is put there as it came, with nothing added to it.

    Args:
        archive: the file.
        target: a folder that is new or empty.
        places: files and folders in which to look for evidence that is not in the archive.
        beside_evidence: whether the examiner insists on a folder beside evidence.
        cancel: looked at between blocks.
        progress: told how far the work is.

    Raises:
        BadInputError: the archive is refused, or the folder is not allowed.
        ResourceError: the disk is full.
        CancelledError: the user stopped; nothing was left.
    """
    token, folder = cancel or CancelToken(), target.absolute()
    _check_target(folder)
    with open_archive(archive) as opened, _part(folder) as part:
        opened.check_room(part.parent)
        sha256 = hash_file(archive, cancel=token, progress=progress)["sha256"]
        opened.extract(part, token, progress)
        finder = EvidenceFinder([place.absolute() for place in places], token, progress)
        linked, verification = _take_over(opened, sha256, part, folder, finder, beside_evidence)
        with translated(folder):
            if folder.exists():
                folder.rmdir()
            part.rename(folder)
    moved = tuple(
        Linked(one.row, one.state, _moved(one.path, part, folder), one.sha256) for one in linked
    )
    manifest = opened.manifest
    return Unpacked(
        folder, sha256, opened.manifest_sha256, len(manifest.files), manifest.head, moved,
        verification,
    )  # fmt: skip


def _check_target(folder: Path) -> None:
    with translated(folder):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise BadInputError("something lies there already", folder, "choose a new folder")


@contextmanager
def _part(folder: Path) -> Iterator[Path]:
    """A folder beside the final one, gone afterwards unless it was renamed."""
    part = folder.with_name(f".{folder.name}.{secrets.token_hex(6)}.part")
    try:
        with translated(folder):
            part.mkdir(parents=True)
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
) -> tuple[tuple[Linked, ...], Verification]:
    """Verifies the case and, when it is sound, tells it where it is and where its evidence is."""
    hashes = {one.path: one.sha256 for one in opened.manifest.files}
    with Case.open(part) as case:
        _check_places(case, hashes)
        found = verify(case, hash_evidence=lambda row: row.sha256)
        paths = [Path(row.path) for row in case.evidence.all()]
    insisted = refuse_beside_evidence(folder, paths, beside_evidence)
    if not found.ok:
        return (), found
    if (found.entries, found.head) != (opened.manifest.entries, opened.manifest.head):
        raise BadInputError(
            "an archive whose manifest names another head of the audit log", opened.path,
            "do not trust it; ask for the archive again",
        )  # fmt: skip
    with Case.open(part, write=True) as case:
        said = {
            "archive": str(opened.path.absolute()), "sha256": sha256, "to": str(folder),
            "manifest_sha256": opened.manifest_sha256, "head": found.head,
        }  # fmt: skip
        if insisted is not None:
            said["beside_evidence"] = str(insisted)
        with case.change() as change:
            change.record("case.unpack", "case", said)
        linked = link_evidence(case, opened.manifest.evidence, finder, hashes)
        known = {one.row.id: one.sha256 for one in linked}
        return linked, verify(case, hash_evidence=lambda row: _known(known, row))


def _known(hashes: Mapping[int, str | None], row: EvidenceRow) -> str:
    sha256 = hashes.get(row.id)
    if sha256 is None:
        raise MediaError("the evidence is missing", row.path, "unpack with --evidence PATH")
    return sha256


def _check_places(case: Case, hashes: Mapping[str, str]) -> None:
    """Makes sure that the database sends nobody to files outside the case."""
    for row in case.evidence.all():
        inside = row.copied_to is None or any(
            name == row.copied_to or name.startswith(f"{row.copied_to}/") for name in hashes
        )
        if not inside and row.copied_to != f"evidence/{row.sha256[:16]}/{Path(row.path).name}":
            raise BadInputError(
                f"an archive that looks for evidence {row.id} outside itself", row.copied_to,
                "do not trust it; ask for the archive again",
            )  # fmt: skip


def _moved(path: Path | None, part: Path, folder: Path) -> Path | None:
    if path is None or part not in path.parents:
        return path
    return folder / path.relative_to(part)
