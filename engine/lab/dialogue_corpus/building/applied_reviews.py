"""Reviews put into effect: targets kept or not, records and sentences corrected or left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.lab.dialogue_corpus.files.frame_records import FrameRecord
from engine.lab.dialogue_corpus.files.reviews import (
    ANSWER,
    RECORD_FIELDS,
    CorpusReview,
    CorpusReviews,
    ReviewSubject,
)
from engine.lab.dialogue_corpus.files.timeline_files import KEPT, TargetCheck

_MEASURED_FIELDS = ("upper", "lower")
_DESCRIBED_FIELDS = tuple(name for name in RECORD_FIELDS if name not in _MEASURED_FIELDS)


class AppliedReviews:
    """The reviews of a folder, as the last stage applies them.

    Args:
        folder: the folder of the stages.

    Raises:
        BadInputError: the file of reviews is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self._standing = CorpusReviews(folder).standing
        self._applied: set[ReviewSubject] = set()

    @property
    def applied_count(self) -> int:
        """How many reviews had something to be about."""
        return len(self._applied)

    @property
    def stale_count(self) -> int:
        """How many reviews are about what is not there any more."""
        return len(self._standing) - len(self._applied)

    def keeps(self, check: TargetCheck) -> bool:
        """Returns whether there are dialogues about a target; a review outweighs the checks."""
        review = self._review_of(ReviewSubject("target", check.video, check.target))
        return check.verdict == KEPT if review is None else review.verdict != "rejected"

    def correct_records(self, records: Sequence[FrameRecord]) -> list[FrameRecord]:
        """Returns a target's records, corrected, without those that were rejected."""
        corrected = []
        for record in records:
            of_target = self._review_of(ReviewSubject("target", record.video, record.target))
            of_frame = self._review_of(
                ReviewSubject("frame", record.video, record.target, record.frame, record.frame)
            )
            if of_frame is not None and of_frame.verdict == "rejected":
                continue
            for review in (of_target, of_frame):
                if review is not None:
                    record = _correct_record(record, review.changes)
            corrected.append(record)
        return corrected

    def corrected_answers(
        self, video: str, target: int | None, span: tuple[int, int], parts: Sequence[str]
    ) -> dict[str, tuple[str, ...]]:
        """Returns what replaces a dialogue's sentences, by part; no answer leaves the part out."""
        answers: dict[str, tuple[str, ...]] = {}
        for part in parts:
            review = self._review_of(ReviewSubject("sentence", video, target, *span, part))
            if review is not None and review.verdict == "rejected":
                answers[part] = ()
            elif review is not None and review.changes.get(ANSWER):
                answers[part] = (review.changes[ANSWER],)
        return answers

    def _review_of(self, subject: ReviewSubject) -> CorpusReview | None:
        review = self._standing.get(subject)
        if review is not None:
            self._applied.add(subject)
        return review


def _correct_record(record: FrameRecord, changes: Mapping[str, str]) -> FrameRecord:
    values: dict[str, Any] = {
        name: changes[name] or None for name in _MEASURED_FIELDS if name in changes
    }
    description = {name: changes[name] for name in _DESCRIBED_FIELDS if name in changes}
    if description:
        values["description"] = {**(record.description or {}), **description}
    return replace(record, **values) if values else record
