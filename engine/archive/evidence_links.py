"""Finds the evidence of a case at another workplace, by its hash alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.archive.archive_manifest import ArchivedEvidence
from engine.archive.member_names import distrust
from engine.case import Case, EvidenceRow
from engine.core.errors import MediaError
from engine.core.progress import CancelToken, ProgressCallback
from engine.media import fingerprint, hash_evidence

State = Literal["held", "found", "missing"]


@dataclass(frozen=True)
class EvidenceLink:
    """The path at which a piece of evidence is read now.

    Attributes:
        row: the evidence as the case has it now.
        state: `held` inside the case, `found` elsewhere, or `missing`.
        path: the path; None when it is missing.
        sha256: its SHA-256, which is the recorded one; None when it is missing.
    """

    row: EvidenceRow
    state: State
    path: Path | None
    sha256: str | None


class EvidenceFinder:
    """Looks for evidence in files and folders; each file is hashed once at most."""

    def __init__(
        self, search_paths: Sequence[Path], cancel: CancelToken, progress: ProgressCallback
    ) -> None:
        """Takes the paths to search; folders are searched with all their subfolders."""
        self._search_paths = search_paths
        self._cancel = cancel
        self._progress = progress
        self._hashes: dict[Path, str | None] = {}

    def find(self, row: EvidenceRow) -> Path | None:
        """Returns a file or folder with the hash of the evidence, the recorded path first."""
        for path in (Path(row.path), *self._candidates(row)):
            self._cancel.check()
            try:
                alike = path.exists() and fingerprint(path).size == row.size
            except (MediaError, OSError, ValueError):
                continue
            if alike and self._hash(path) == row.sha256:
                return path
        return None

    def _candidates(self, row: EvidenceRow) -> Iterator[Path]:
        for search_path in self._search_paths:
            yield search_path
            if search_path.is_dir():
                for path in sorted(search_path.rglob("*")):
                    if path.is_dir() == (row.kind == "images"):
                        yield path

    def _hash(self, path: Path) -> str | None:
        if path not in self._hashes:
            try:
                hashes = hash_evidence(path, cancel=self._cancel, progress=self._progress)
                self._hashes[path] = hashes["sha256"]
            except MediaError:
                self._hashes[path] = None
        return self._hashes[path]


def link_evidence(
    case: Case,
    evidence: Iterable[ArchivedEvidence],
    finder: EvidenceFinder,
    hashes: Mapping[str, str],
) -> tuple[EvidenceLink, ...]:
    """Records in a case where its evidence is now; each change gets an audit entry.

    Args:
        case: open for writing, just unpacked.
        evidence: the evidence in the manifest of the archive.
        finder: looks for evidence that is not inside the case.
        hashes: SHA-256 of the files in the case, by their path in it.

    Raises:
        BadInputError: evidence in the archive has another hash.
    """
    held_paths = {piece.evidence_id: piece.held for piece in evidence}
    return tuple(
        _link(case, row, held_paths.get(row.id), finder, hashes) for row in case.evidence.all()
    )


def _link(
    case: Case,
    row: EvidenceRow,
    held_path: str | None,
    finder: EvidenceFinder,
    hashes: Mapping[str, str],
) -> EvidenceLink:
    if row.copied_to != held_path:
        with case.change() as change:
            change.evidence.record_copy(row.id, held_path)
    if held_path is not None:
        path = case.path / held_path
        sha256 = hashes.get(held_path) or hash_evidence(path)["sha256"]
        if sha256 != row.sha256:
            what = f"an archive whose evidence {row.id} has another hash ({sha256[:12]}…)"
            raise distrust(what, held_path)
        return EvidenceLink(case.evidence.get(row.id), "held", path, sha256)
    new_path = finder.find(row)
    if new_path is None:
        return EvidenceLink(case.evidence.get(row.id), "missing", None, None)
    new_path = new_path.absolute()
    if str(new_path) != row.path:
        with case.change() as change:
            change.evidence.relink(row.id, str(new_path))
    return EvidenceLink(case.evidence.get(row.id), "found", new_path, row.sha256)
