"""Dialogues as the last stage writes them: a file a split, a dialogue a line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine.lab.dialogue_corpus.files.json_lines import read_all

DIALOGUES = "dialogues"
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Turn:
    """A question with every form of its true answer.

    Attributes:
        part: `anomaly`, `target`, `motion`, `trajectory`, `environment`, `absent`, `narrative`, ….
        question: the words.
        references: all forms of the true facts; training draws one of them.
    """

    part: str
    question: str
    references: tuple[str, ...]


@dataclass(frozen=True)
class Dialogue:
    """A span with what is true of it and the turns that say so.

    Attributes:
        video: name of the video.
        camera: the camera it was taken with.
        first: first frame.
        last: last frame, inclusive.
        target: number of the target; None for a span without any.
        truth: what is true of the span, by the names of `wording.Truth`.
        turns: questions with every form of the answer.
    """

    video: str
    camera: str
    first: int
    last: int
    target: int | None
    truth: Mapping[str, Any]
    turns: tuple[Turn, ...]

    def as_json(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Dialogue:
        """Restores what `as_json` gave.

        Raises:
            KeyError, TypeError, ValueError: it is no such dialogue.
        """
        turns = tuple(
            Turn(str(one["part"]), str(one["question"]), tuple(map(str, one["references"])))
            for one in value["turns"]
        )
        target = value["target"]
        return cls(
            str(value["video"]), str(value["camera"]), int(value["first"]), int(value["last"]),
            None if target is None else int(target), dict(value["truth"]), turns,
        )  # fmt: skip


def read_dialogues(folder: Path, split: str) -> list[Dialogue]:
    """Reads the dialogues of a split, in the order of their videos.

    Raises:
        BadInputError: the file is missing or damaged.
    """
    path = folder / DIALOGUES / f"{split}.jsonl"
    return sorted(read_all(path, Dialogue.from_json), key=lambda one: one.video)
