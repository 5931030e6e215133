"""Videos, timelines of their targets and verdicts on them, as the stages write them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.core.json_input import REFUSE_UNKNOWN
from engine.lab.dialogue_corpus.files.frame_records import FrameRecord
from engine.lab.dialogue_corpus.files.json_lines import plain_values, read_all

VIDEOS, FRAMES, TIMELINES, CHECKS = "videos", "frames", "timelines", "checks"
KEPT, ASIDE, DROPPED = "kept", "aside", "dropped"


@dataclass(frozen=True)
class VideoRecord:
    """What later stages need to know about a video.

    Attributes:
        name: unique within the data set.
        camera: the camera it was taken with.
        split: the split that it belongs to.
        path: below the data set's folder, with `/` between folders.
        frames: how many frames it has.
        fps: frames a second.
        size: width and height in pixels.
        step: distance of the sampled frames.
        surroundings: what it shows, in a few words; empty where it is not known. Files call this
            `place`.
        grey: whether it is without colour.
    """

    name: str
    camera: str
    split: str
    path: str
    frames: int
    fps: float
    size: tuple[int, int]
    step: int
    surroundings: str = field(metadata={"alias": "place"})
    grey: bool

    def as_json(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return dict(plain_values(self))


@dataclass(frozen=True)
class TimelineStatement:
    """Something that is stated about a target, with the frames that show it.

    Attributes:
        value: a cell, a direction, a colour, an action. Files call this `said`.
        first: first frame that shows it.
        last: last frame that shows it, inclusive.
    """

    __pydantic_config__ = REFUSE_UNKNOWN

    value: str = field(metadata={"alias": "said"})
    first: int
    last: int


@dataclass(frozen=True)
class TargetTimeline:
    """What a target did while it was in view.

    Attributes:
        video: name of the video.
        camera: the camera it was taken with.
        target: number within the video.
        frames: the sampled frames that show it.
        enters: the cell of its first frame.
        leaves: the cell of its last frame.
        direction: direction from the first position to the last; empty when it stays where it is.
        speed: median of its speeds, in its own sizes a second.
        path: its cells, one after another.
        turns: the new directions it takes.
        stops: cells in which it stays for a second or longer.
        upper: colours of its upper part, one after another.
        lower: colours of its lower part.
        actions: what it does, as a language model answered; empty where none was asked.
        appearances: what it looks like, likewise.
        kinds: what it is, likewise.
    """

    video: str
    camera: str
    target: int
    frames: tuple[int, ...]
    enters: str
    leaves: str
    direction: str
    speed: float
    path: tuple[TimelineStatement, ...]
    turns: tuple[TimelineStatement, ...]
    stops: tuple[TimelineStatement, ...]
    upper: tuple[TimelineStatement, ...]
    lower: tuple[TimelineStatement, ...]
    actions: tuple[TimelineStatement, ...]
    appearances: tuple[TimelineStatement, ...]
    kinds: tuple[TimelineStatement, ...]

    def as_json(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return dict(plain_values(self))


@dataclass(frozen=True)
class CheckReason:
    """What contradicts itself about a target, or is doubtful.

    Attributes:
        code: `speed`, `direction`, `colour`, `colour_changes`, `jump`, `size`, `short`.
        text: one sentence.
        frames: first and last frame that show it.
    """

    code: str
    text: str
    frames: tuple[int, int]


@dataclass(frozen=True)
class TargetCheck:
    """The verdict on a target.

    Attributes:
        video: name of the video.
        target: number within the video.
        verdict: `kept`, `dropped` for a contradiction, `aside` for what a person should look at.
        reasons: why; empty for what is kept.
    """

    video: str
    target: int
    verdict: str
    reasons: tuple[CheckReason, ...]

    def as_json(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return dict(plain_values(self))


def read_videos(folder: Path) -> list[VideoRecord]:
    """Reads what the first stage wrote about the videos.

    Raises:
        BadInputError: it is missing or damaged.
    """
    return read_all(folder / f"{VIDEOS}.jsonl", VideoRecord)


def read_frames(folder: Path) -> list[FrameRecord]:
    """Reads the records that the first stage wrote.

    Raises:
        BadInputError: it is missing or damaged.
    """
    return read_all(folder / f"{FRAMES}.jsonl", FrameRecord)


def read_timelines(folder: Path) -> list[TargetTimeline]:
    """Reads what the second stage wrote.

    Raises:
        BadInputError: it is missing or damaged.
    """
    return read_all(folder / f"{TIMELINES}.jsonl", TargetTimeline)


def read_checks(folder: Path) -> list[TargetCheck]:
    """Reads what the third stage wrote.

    Raises:
        BadInputError: it is missing or damaged.
    """
    return read_all(folder / f"{CHECKS}.jsonl", TargetCheck)


def records_by_target(
    records: Sequence[FrameRecord],
) -> Iterator[tuple[tuple[str, int], list[FrameRecord]]]:
    """Yields video and target with their records, in order of frame."""
    ordered = sorted(records, key=lambda record: (record.video, record.target, record.frame))
    for key, group in itertools.groupby(ordered, key=lambda record: (record.video, record.target)):
        yield key, list(group)
