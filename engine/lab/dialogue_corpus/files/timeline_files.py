"""Videos, timelines of their targets and verdicts on them, as the stages write them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine.lab.dialogue_corpus.files.frame_records import FrameRecord
from engine.lab.dialogue_corpus.files.json_lines import Line, read_all

VIDEOS, FRAMES, TIMELINES, CHECKS = "videos", "frames", "timelines", "checks"
KEPT, ASIDE, DROPPED = "kept", "aside", "dropped"


@dataclass(frozen=True)
class VideoAbout:
    """What later stages need to know of a video.

    Attributes:
        name: unique within the data set.
        camera: the camera it was taken with.
        split: it belongs to.
        path: below the data set's folder, with `/` between folders.
        frames: how many there are.
        fps: frames a second.
        size: width and height in pixels.
        step: distance of the sampled frames.
        place: what it shows, in a few words; empty where nobody said.
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
    place: str
    grey: bool

    def as_json(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return {**asdict(self), "size": list(self.size)}

    @classmethod
    def from_json(cls, value: Line) -> VideoAbout:
        """Restores what `as_json` gave.

        Raises:
            KeyError, TypeError, ValueError: it is no such line.
        """
        width, height = (int(side) for side in value["size"])
        return cls(
            str(value["name"]), str(value["camera"]), str(value["split"]), str(value["path"]),
            int(value["frames"]), float(value["fps"]), (width, height), int(value["step"]),
            str(value["place"]), bool(value["grey"]),
        )  # fmt: skip


@dataclass(frozen=True)
class Statement:
    """Something that is said of a target with the frames that show it.

    Attributes:
        said: a cell, a direction, a colour, an action.
        first: first frame that shows it.
        last: last frame that shows it, inclusive.
    """

    said: str
    first: int
    last: int


@dataclass(frozen=True)
class Timeline:
    """What a target did while it was in view.

    Attributes:
        video: name of the video.
        camera: the camera it was taken with.
        target: number within the video.
        frames: the sampled frames that show it.
        enters: the cell of its first frame.
        leaves: the cell of its last frame.
        direction: from the first place to the last; empty when it keeps its place.
        speed: median of its speeds, in its own sizes a second.
        path: cells, one after another.
        turns: new directions.
        stops: cells in which it kept its place for a second or longer.
        upper: colours of its upper part, one after another.
        lower: colours of its lower part.
        actions: what a language model said it does; empty where none was asked.
        appearances: what it said it looks like.
        kinds: what it said it is.
    """

    video: str
    camera: str
    target: int
    frames: tuple[int, ...]
    enters: str
    leaves: str
    direction: str
    speed: float
    path: tuple[Statement, ...]
    turns: tuple[Statement, ...]
    stops: tuple[Statement, ...]
    upper: tuple[Statement, ...]
    lower: tuple[Statement, ...]
    actions: tuple[Statement, ...]
    appearances: tuple[Statement, ...]
    kinds: tuple[Statement, ...]

    def as_json(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Timeline:
        """Restores what `as_json` gave.

        Raises:
            KeyError, TypeError, ValueError: it is no such timeline.
        """
        lists = [tuple(Statement(**one) for one in value[name]) for name in _LISTS]
        return cls(
            str(value["video"]), str(value["camera"]), int(value["target"]),
            tuple(int(frame) for frame in value["frames"]), str(value["enters"]),
            str(value["leaves"]), str(value["direction"]), float(value["speed"]), *lists,
        )  # fmt: skip


_LISTS = ("path", "turns", "stops", "upper", "lower", "actions", "appearances", "kinds")


@dataclass(frozen=True)
class Reason:
    """What does not agree.

    Attributes:
        code: `speed`, `direction`, `colour`, `colour_changes`, `jump`, `size`, `short`.
        text: one sentence.
        frames: first and last frame that show it.
    """

    code: str
    text: str
    frames: tuple[int, int]


@dataclass(frozen=True)
class Check:
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
    reasons: tuple[Reason, ...]

    def as_json(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Check:
        """Restores what `as_json` gave.

        Raises:
            KeyError, TypeError, ValueError: it is no such check.
        """
        reasons = tuple(
            Reason(str(one["code"]), str(one["text"]), _span(one["frames"]))
            for one in value["reasons"]
        )
        return cls(str(value["video"]), int(value["target"]), str(value["verdict"]), reasons)


def read_videos(folder: Path) -> list[VideoAbout]:
    """Reads what the first stage wrote about the videos.

    Raises:
        BadInputError: it is missing or damaged.
    """
    return read_all(folder / f"{VIDEOS}.jsonl", VideoAbout.from_json)


def read_frames(folder: Path) -> list[FrameRecord]:
    """Reads what the first stage wrote.

    Raises:
        BadInputError: it is missing or damaged.
    """
    return read_all(folder / f"{FRAMES}.jsonl", FrameRecord.from_json)


def read_timelines(folder: Path) -> list[Timeline]:
    """Reads what the second stage wrote.

    Raises:
        BadInputError: it is missing or damaged.
    """
    return read_all(folder / f"{TIMELINES}.jsonl", Timeline.from_json)


def read_checks(folder: Path) -> list[Check]:
    """Reads what the third stage wrote.

    Raises:
        BadInputError: it is missing or damaged.
    """
    return read_all(folder / f"{CHECKS}.jsonl", Check.from_json)


def grouped(
    records: Sequence[FrameRecord],
) -> Iterator[tuple[tuple[str, int], list[FrameRecord]]]:
    """Yields video and target with their records, in order of frame."""
    ordered = sorted(records, key=lambda one: (one.video, one.target, one.frame))
    for key, group in itertools.groupby(ordered, key=lambda one: (one.video, one.target)):
        yield key, list(group)


def _span(value: Sequence[object]) -> tuple[int, int]:
    first, last = (int(str(frame)) for frame in value)
    return first, last
