"""Finds the evidence of a case at another workplace, by hash and by nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.archive.archive_manifest import HeldEvidence
from engine.case import Case, EvidenceRow
from engine.core.errors import BadInputError, MediaError
from engine.core.progress import CancelToken, ProgressCallback
from engine.media import fingerprint, hash_evidence

State = Literal["held", "found", "missing"]


@dataclass(frozen=True)
class Linked:
    """Where a piece of evidence lies now.

    Attributes:
        row: as the case has it now.
        state: `held` inside the case, `found` elsewhere, or `missing`.
        path: where it is read; None when it is missing.
        sha256: compared with what was recorded; None when it is missing.
    """

    row: EvidenceRow
    state: State
    path: Path | None
    sha256: str | None


class EvidenceFinder:
    """Looks for evidence in files and folders; each file is hashed once at most."""

    def __init__(
        self, places: Sequence[Path], cancel: CancelToken, progress: ProgressCallback
    ) -> None:
        """Takes where to look; folders are searched with all that is below them."""
        self._places = places
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
        for place in self._places:
            yield place
            if place.is_dir():
                for path in sorted(place.rglob("*")):
                    if path.is_dir() == (row.kind == "images"):
                        yield path

    def _hash(self, path: Path) -> str | None:
        if path not in self._hashes:
            try:
                found = hash_evidence(path, cancel=self._cancel, progress=self._progress)
                self._hashes[path] = found["sha256"]
            except MediaError:
                self._hashes[path] = None
        return self._hashes[path]


def link_evidence(
    case: Case, held: Iterable[HeldEvidence], finder: EvidenceFinder, hashes: Mapping[str, str]
) -> tuple[Linked, ...]:
    """Tells a case where its evidence lies now, each change with its entry in the audit log.

    Args:
        case: open for writing, just unpacked.
        held: what the archive says about evidence.
        finder: looks for what is not inside the case.
        hashes: SHA-256 of the files in the case, by their path in it.

    Raises:
        BadInputError: what the archive holds as evidence has another hash.
    """
    places = {one.evidence_id: one.held for one in held}
    return tuple(
        _link(case, row, places.get(row.id), finder, hashes) for row in case.evidence.all()
    )


def _link(
    case: Case,
    row: EvidenceRow,
    held: str | None,
    finder: EvidenceFinder,
    hashes: Mapping[str, str],
) -> Linked:
    if row.copied_to != held:
        with case.change() as change:
            change.evidence.hold(row.id, held)
    if held is not None:
        path = case.path / held
        sha256 = hashes.get(held) or hash_evidence(path)["sha256"]
        if sha256 != row.sha256:
            raise BadInputError(
                f"an archive whose evidence {row.id} has another hash ({sha256[:12]}…)",
                held,
                "do not trust it; ask for the archive again",
            )
        return Linked(case.evidence.get(row.id), "held", path, sha256)
    found = finder.find(row)
    if found is None:
        return Linked(case.evidence.get(row.id), "missing", None, None)
    found = found.absolute()
    if str(found) != row.path:
        with case.change() as change:
            change.evidence.relink(row.id, str(found))
    return Linked(case.evidence.get(row.id), "found", found, row.sha256)
