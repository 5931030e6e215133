"""Reviews of records and sentences by people, in a file that lines are only added to."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from engine.core.errors import ResourceError
from engine.lab.dialogue_corpus.files.json_lines import read_all

REVIEWS = "reviews.jsonl"
RECORD_FIELDS = ("upper", "lower", "kind", "appearance", "action")
"""The fields of a record that can be corrected."""

ANSWER = "answer"
"""The field of a sentence that can be corrected."""

Kind = Literal["target", "frame", "sentence"]
Verdict = Literal["accepted", "corrected", "rejected"]
_MAX_LENGTH = 400  # characters of a corrected field: a few sentences; a choice


@dataclass(frozen=True)
class ReviewSubject:
    """What a review is about.

    Attributes:
        kind: a `target` in all its frames, one `frame` of it, or a `sentence` of a dialogue.
        video: name of the video.
        target: number within the video; None for sentences about a span without any.
        first: first frame of the dialogue, or the frame; None for a target.
        last: last frame, inclusive; None for a target.
        part: the part that a sentence belongs to, as `motion`; empty otherwise.
    """

    kind: Kind
    video: str
    target: int | None
    first: int | None = None
    last: int | None = None
    part: str = ""


@dataclass(frozen=True)
class CorpusReview:
    """One review, as a line of the file holds it.

    Attributes:
        number: number of the review, from 1 in the order of the file.
        who: `user@host`.
        when: UTC, ISO.
        subject: what it is about.
        verdict: accepted, corrected or rejected; empty when it only takes another back.
        changes: the corrected fields with their new text.
        undoes: number of the review it takes back; None when it takes none back.
    """

    number: int
    who: str
    when: str
    subject: ReviewSubject
    verdict: Verdict | Literal[""]
    changes: Mapping[str, str] = field(default_factory=dict)
    undoes: int | None = None


class CorpusReviews:
    """The reviews of a folder.

    Args:
        folder: a folder that `dialogues build` wrote.

    Raises:
        BadInputError: the file is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / REVIEWS
        there = self._path.is_file()
        self._all = read_all(self._path, CorpusReview) if there else []

    @property
    def all(self) -> tuple[CorpusReview, ...]:
        """All reviews in order, including those that were taken back."""
        return tuple(self._all)

    @property
    def standing(self) -> dict[ReviewSubject, CorpusReview]:
        """The reviews in effect: the latest of each subject that was not taken back."""
        return {review.subject: review for review in self._standing()}

    def of(self, subject: ReviewSubject) -> CorpusReview | None:
        """Returns the review in effect of a subject; None when there is none."""
        return self.standing.get(subject)

    def add(
        self,
        subject: ReviewSubject,
        verdict: Verdict,
        who: str,
        changes: Mapping[str, str] | None = None,
    ) -> CorpusReview:
        """Writes a review.

        Args:
            subject: what it is about.
            verdict: whether it is accepted, corrected or rejected.
            who: `user@host`.
            changes: the corrected fields with their new text.

        Raises:
            ResourceError: it cannot be written; nothing is then added.
        """
        lines = {name: _one_line(text) for name, text in (changes or {}).items()}
        return self._append(subject, verdict, who, lines, None)

    def undo(self, who: str) -> CorpusReview | None:
        """Takes the latest standing review back and returns it; None when there is none.

        Raises:
            ResourceError: it cannot be written; nothing is then taken back.
        """
        standing = self._standing()
        if not standing:
            return None
        self._append(standing[-1].subject, "", who, {}, standing[-1].number)
        return standing[-1]

    def _standing(self) -> list[CorpusReview]:
        undone = {review.undoes for review in self._all}
        return [
            review for review in self._all if review.undoes is None and review.number not in undone
        ]

    def _append(
        self,
        subject: ReviewSubject,
        verdict: Verdict | Literal[""],
        who: str,
        changes: Mapping[str, str],
        undoes: int | None,
    ) -> CorpusReview:
        number = self._all[-1].number + 1 if self._all else 1
        when = datetime.now(UTC).isoformat(timespec="milliseconds")
        review = CorpusReview(number, who, when, subject, verdict, dict(changes), undoes)
        line = json.dumps(asdict(review), ensure_ascii=False, sort_keys=True) + "\n"
        try:
            _add(self._path, line.encode())
        except OSError as error:
            raise ResourceError(
                f"cannot be written ({error.strerror or error})", self._path,
                "make room; nothing was reviewed",
            ) from error  # fmt: skip
        self._all.append(review)
        return review


def _add(path: Path, data: bytes) -> None:
    """Adds a line for good, or nothing."""
    with path.open("ab", buffering=0) as file:
        before = file.tell()
        try:
            if file.write(data) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(file.fileno())
        except OSError:
            file.truncate(before)
            raise


def _one_line(text: str) -> str:
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(printable.split())[:_MAX_LENGTH]
