"""Reviews put into effect: targets kept or not, records corrected or left out, sentences said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.lab.dialogue_corpus.files.frame_records import FrameRecord
from engine.lab.dialogue_corpus.files.reviews import ANSWER, RECORD_FIELDS, Review, Reviews, Subject
from engine.lab.dialogue_corpus.files.timeline_files import KEPT, Check

_MEASURED = ("upper", "lower")
_ASKED = tuple(name for name in RECORD_FIELDS if name not in _MEASURED)


class Reviewed:
    """What people made of a folder, to be asked for by the stage dialogues.

    Args:
        folder: of the stages.

    Raises:
        BadInputError: the file of reviews is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self._standing = Reviews(folder).standing
        self._used: set[Subject] = set()

    @property
    def used(self) -> int:
        """How many reviews had something to be about."""
        return len(self._used)

    @property
    def unused(self) -> int:
        """How many are about what is not there any more."""
        return len(self._standing) - len(self._used)

    def keeps(self, check: Check) -> bool:
        """Whether a target is spoken of: as a person said, otherwise as the checks did."""
        review = self._of(Subject("target", check.video, check.target))
        return check.verdict == KEPT if review is None else review.verdict != "rejected"

    def records(self, records: Sequence[FrameRecord]) -> list[FrameRecord]:
        """Returns a target's records, corrected, without those that were rejected."""
        out = []
        for one in records:
            of_target = self._of(Subject("target", one.video, one.target))
            of_frame = self._of(Subject("frame", one.video, one.target, one.frame, one.frame))
            if of_frame is not None and of_frame.verdict == "rejected":
                continue
            for review in (of_target, of_frame):
                if review is not None:
                    one = _corrected(one, review.changes)
            out.append(one)
        return out

    def said(
        self, video: str, target: int | None, span: tuple[int, int], parts: Sequence[str]
    ) -> dict[str, tuple[str, ...]]:
        """Returns what stands in place of a dialogue's sentences: part -> answers, none to say."""
        out: dict[str, tuple[str, ...]] = {}
        for part in parts:
            review = self._of(Subject("sentence", video, target, *span, part))
            if review is not None and review.verdict == "rejected":
                out[part] = ()
            elif review is not None and review.changes.get(ANSWER):
                out[part] = (review.changes[ANSWER],)
        return out

    def _of(self, subject: Subject) -> Review | None:
        review = self._standing.get(subject)
        if review is not None:
            self._used.add(subject)
        return review


def _corrected(record: FrameRecord, changes: Mapping[str, str]) -> FrameRecord:
    there = [name for name in _MEASURED if name in changes]
    changed: dict[str, Any] = {name: changes[name] or None for name in there}
    asked = {name: changes[name] for name in _ASKED if name in changes}
    if asked:
        changed["asked"] = {**(record.asked or {}), **asked}
    return replace(record, **changed) if changed else record
