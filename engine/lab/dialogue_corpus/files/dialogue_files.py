"""Dialogues as the last stage writes them: a file a split, a dialogue a line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.lab.dialogue_corpus.files.json_lines import plain_values, read_all

DIALOGUES = "dialogues"
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class CorpusTurn:
    """A question with every form of its true answer.

    Attributes:
        part: `anomaly`, `target`, `motion`, `trajectory`, `environment`, `absent`, `narrative`, ….
        question: the words of the question.
        references: all forms of the true facts; training draws one of them.
    """

    part: str
    question: str
    references: tuple[str, ...]


@dataclass(frozen=True)
class CorpusDialogue:
    """A span with what is true of it and the turns that say so.

    Attributes:
        video: name of the video.
        camera: the camera it was taken with.
        first: first frame.
        last: last frame, inclusive.
        target: number of the target; None for a span without any.
        truth: what is true of the span, as `SpanTruth.as_json` gives it.
        turns: questions with every form of the answer.
    """

    video: str
    camera: str
    first: int
    last: int
    target: int | None
    truth: Mapping[str, Any]
    turns: tuple[CorpusTurn, ...]

    def as_json(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return dict(plain_values(self))


def read_dialogues(folder: Path, split: str) -> list[CorpusDialogue]:
    """Reads the dialogues of a split, in the order of their videos.

    Raises:
        BadInputError: the file is missing or damaged.
    """
    path = folder / DIALOGUES / f"{split}.jsonl"
    return sorted(read_all(path, CorpusDialogue), key=lambda dialogue: dialogue.video)
