"""What people made of records and sentences: a file of its own that is only ever added to."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from engine.core.errors import ResourceError
from engine.lab.dialogue_corpus.files.json_lines import read_all

REVIEWS = "reviews.jsonl"
RECORD_FIELDS = ("upper", "lower", "kind", "appearance", "action")
"""What of a record can be corrected."""

ANSWER = "answer"
"""What of a sentence can be corrected."""

Kind = Literal["target", "frame", "sentence"]
Verdict = Literal["accepted", "corrected", "rejected"]
_LONGEST = 400


@dataclass(frozen=True)
class Subject:
    """What a review is about.

    Attributes:
        kind: a `target` in all its frames, one `frame` of it, or a `sentence` of a dialogue.
        video: name of the video.
        target: number within the video; None for sentences about a span without any.
        first: first frame of the dialogue, or the frame; None for a target.
        last: last frame, inclusive; None for a target.
        part: of the sentence, as `motion`; empty otherwise.
    """

    kind: Kind
    video: str
    target: int | None
    first: int | None = None
    last: int | None = None
    part: str = ""


@dataclass(frozen=True)
class Review:
    """What someone made of something.

    Attributes:
        number: from 1, in the order of the file.
        who: `user@host`.
        when: UTC, ISO.
        subject: what it is about.
        verdict: accepted, corrected or rejected; empty when it only takes another back.
        changes: field -> what it should say, of what is corrected.
        undoes: number of the review it takes back; None when it takes none back.
    """

    number: int
    who: str
    when: str
    subject: Subject
    verdict: Verdict | Literal[""]
    changes: Mapping[str, str] = field(default_factory=dict)
    undoes: int | None = None

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Review:
        """Restores a line.

        Raises:
            KeyError, TypeError, ValueError: it is no review.
        """
        about, verdict = value["subject"], str(value["verdict"])
        kind = str(about["kind"])
        if kind not in get_args(Kind) or verdict not in ("", *get_args(Verdict)):
            raise ValueError("no such review")
        subject = Subject(
            kind, str(about["video"]), _whole(about["target"]),  # type: ignore[arg-type]
            _whole(about["first"]), _whole(about["last"]), str(about["part"]),
        )  # fmt: skip
        changes = {str(name): str(said) for name, said in value["changes"].items()}
        return cls(
            int(value["number"]), str(value["who"]), str(value["when"]), subject,
            verdict, changes, _whole(value["undoes"]),  # type: ignore[arg-type]
        )  # fmt: skip


class Reviews:
    """The reviews of a folder.

    Args:
        folder: that `dialogues build` wrote.

    Raises:
        BadInputError: the file is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / REVIEWS
        there = self._path.is_file()
        self._all = read_all(self._path, Review.from_json) if there else []

    @property
    def all(self) -> tuple[Review, ...]:
        """Everything that was said, in order, what was taken back included."""
        return tuple(self._all)

    @property
    def standing(self) -> dict[Subject, Review]:
        """What stands: the latest review of each subject that was not taken back."""
        return {one.subject: one for one in self._standing()}

    def of(self, subject: Subject) -> Review | None:
        """Returns what stands of a subject; None when nobody reviewed it."""
        return self.standing.get(subject)

    def add(
        self,
        subject: Subject,
        verdict: Verdict,
        who: str,
        changes: Mapping[str, str] | None = None,
    ) -> Review:
        """Writes a review.

        Args:
            subject: what it is about.
            verdict: what is made of it.
            who: `user@host`.
            changes: field -> what it should say; of corrected ones only.

        Raises:
            ResourceError: it cannot be written; nothing is then added.
        """
        said = {name: _one_line(text) for name, text in (changes or {}).items()}
        return self._append(subject, verdict, who, said, None)

    def undo(self, who: str) -> Review | None:
        """Takes the latest standing review back and returns it; None when there is none.

        Raises:
            ResourceError: it cannot be written; nothing is then taken back.
        """
        standing = self._standing()
        if not standing:
            return None
        self._append(standing[-1].subject, "", who, {}, standing[-1].number)
        return standing[-1]

    def _standing(self) -> list[Review]:
        undone = {one.undoes for one in self._all}
        return [one for one in self._all if one.undoes is None and one.number not in undone]

    def _append(
        self,
        subject: Subject,
        verdict: Verdict | Literal[""],
        who: str,
        changes: Mapping[str, str],
        undoes: int | None,
    ) -> Review:
        number = self._all[-1].number + 1 if self._all else 1
        when = datetime.now(UTC).isoformat(timespec="milliseconds")
        review = Review(number, who, when, subject, verdict, dict(changes), undoes)
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
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(shown.split())[:_LONGEST]


def _whole(value: object) -> int | None:
    return None if value is None else int(str(value))
