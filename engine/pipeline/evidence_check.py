"""Compares evidence as it is now with what was added, and records what changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.case import Case, EvidenceRow, Verification, is_head, verify
from engine.core.errors import BadInputError, CancelledError, SightlineError
from engine.core.progress import CancelToken, ProgressCallback, silent
from engine.media import ALGORITHMS, hash_evidence


@dataclass(frozen=True)
class EvidenceState:
    """A piece of evidence as it is now.

    Attributes:
        row: as recorded.
        sha256_now: None when it is missing or cannot be read.
        error: why it cannot be read; empty when it can.
    """

    row: EvidenceRow
    sha256_now: str | None
    error: str = ""

    @property
    def is_unchanged(self) -> bool:
        """Whether it is what was added."""
        return self.sha256_now == self.row.sha256


def sha256_now(
    case: Case,
    row: EvidenceRow,
    cancel: CancelToken | None = None,
    progress: ProgressCallback = silent,
) -> str:
    """Hashes evidence as it lies there now: its copy in the case when there is one.

    Raises:
        MediaError: it is missing or cannot be read.
        CancelledError: the user stopped.
    """
    return hashes_now(case, row, (), cancel, progress)["sha256"]


def hashes_now(
    case: Case,
    row: EvidenceRow,
    also: Sequence[str],
    cancel: CancelToken | None = None,
    progress: ProgressCallback = silent,
) -> dict[str, str]:
    """Hashes evidence as `sha256_now` does, in one reading with other algorithms as well.

    Args:
        case: it belongs to.
        row: the evidence.
        also: of `engine.media.ALGORITHMS`, beside SHA-256.
        cancel: looked at between blocks.
        progress: is given how far it is.

    Raises:
        BadInputError: an algorithm is not known.
        MediaError: it is missing or cannot be read.
        CancelledError: the user stopped.
    """
    algorithms = tuple(dict.fromkeys(("sha256", *also)))
    return hash_evidence(case.evidence_path(row), algorithms, cancel, progress)


def verify_case(
    case: Case,
    also: Sequence[str] = (),
    head: str | None = None,
    cancel: CancelToken | None = None,
    progress: ProgressCallback = silent,
) -> tuple[Verification, dict[int, dict[str, str]]]:
    """Verifies evidence, records and chain, and hashes evidence in other ways as well.

    Args:
        case: to verify; it is only read.
        also: of `engine.media.ALGORITHMS`, beside SHA-256, in the same reading.
        head: of the audit chain, as somebody noted it elsewhere.
        cancel: looked at between blocks.
        progress: is given how far it is.

    Returns:
        The verification, and the other hashes by evidence id and algorithm.

    Raises:
        BadInputError: an algorithm is not known, or the head is no hash.
        CancelledError: the user stopped.
    """
    if head is not None and not is_head(head):
        raise BadInputError("not a hash", head[:80], "give the 64 digits of the head as noted")
    unknown = [name for name in also if name not in ALGORITHMS]
    if unknown:
        raise BadInputError("not a known hash", unknown[0][:80], f"use {', '.join(ALGORITHMS)}")
    hashes: dict[int, dict[str, str]] = {}

    def hash_row(row: EvidenceRow) -> str:
        row_hashes = hashes_now(case, row, also, cancel, progress)
        hashes[row.id] = {name: row_hashes[name] for name in also if name != "sha256"}
        return row_hashes["sha256"]

    verification = verify(case, hash_evidence=hash_row, head=head)
    if cancel is not None:
        cancel.check()
    return verification, hashes


def verification_json(
    verification: Verification, hashes: Mapping[int, Mapping[str, str]]
) -> dict[str, Any]:
    """Returns what `verify_case` returned, as JSON values."""
    values: dict[str, Any] = verification.as_json()
    for evidence in values["evidence"]:
        others = hashes.get(evidence["evidence_id"])
        if others:
            evidence["also"] = dict(others)
    return values


def check_evidence(
    case: Case, cancel: CancelToken | None = None, progress: ProgressCallback = silent
) -> list[EvidenceState]:
    """Hashes all evidence of a case; what is missing or changed does not stop it.

    Raises:
        CancelledError: the user stopped.
    """
    return [_state(case, row, cancel, progress) for row in case.evidence.all()]


def _state(
    case: Case, row: EvidenceRow, cancel: CancelToken | None, progress: ProgressCallback
) -> EvidenceState:
    try:
        return EvidenceState(row, sha256_now(case, row, cancel, progress))
    except CancelledError:
        raise
    except SightlineError as error:
        return EvidenceState(row, None, error.line())


def record_mismatches(case: Case, changed: Mapping[int, str | None]) -> None:
    """Records which evidence was found changed.

    Args:
        case: open for writing.
        changed: hash that each has now, by id; None when it is missing or unreadable.

    Raises:
        ResourceError: the case cannot be written.
    """
    if not changed:
        return
    with case.change() as change:
        for evidence_id, sha256 in changed.items():
            change.evidence.record_mismatch(evidence_id, sha256)


def changed_evidence(verification: Verification) -> dict[int, str | None]:
    """Returns by id the hash that changed evidence has now; missing evidence is left out."""
    return {
        evidence.evidence_id: evidence.sha256_now
        for evidence in verification.evidence
        if not evidence.ok and evidence.sha256_now is not None
    }


def record_changed_evidence(path: Path, verification: Verification) -> str:
    """Records evidence that a verification found changed.

    Nothing is added to a history that is itself in doubt, and nothing about evidence that is only
    missing: it may lie on a disk that is not connected now.

    Args:
        path: the case folder.
        verification: of that case.

    Returns:
        Why it was not put on record; empty when it was or need not be.
    """
    changed = changed_evidence(verification)
    if not changed:
        return ""
    if verification.bad or verification.first_bad is not None:
        return "changed evidence was not put on record: the case itself was changed"
    try:
        with Case.open(path, write=True) as case:
            record_mismatches(case, changed)
    except SightlineError as error:
        return f"changed evidence could not be put on record: {error.line()}"
    return ""
