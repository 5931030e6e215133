"""Frames of a target linked into its story: where from, which way, where it stopped, where to."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.places import direction_name
from engine.datasets.dialogues.building.measuring import STILL, way
from engine.datasets.dialogues.building.records import FrameRecord

_STOP_S = 1.0
_TURN_DEGREES = 60.0
_LEG_S = 0.6
_LEAST_LEG = 0.25


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


def timeline(records: Sequence[FrameRecord], fps: float, size: tuple[int, int]) -> Timeline:
    """Links a target's records.

    Args:
        records: of one target, in order of frame; one at least.
        fps: frames a second of the video.
        size: its width and height in pixels.
    """
    first, last = records[0], records[-1]
    speeds = [one.speed for one in records if one.speed is not None]
    asked = [one for one in records if one.asked is not None]
    return Timeline(
        video=first.video,
        camera=first.camera,
        target=first.target,
        frames=tuple(one.frame for one in records),
        enters=first.cell,
        leaves=last.cell,
        direction=way(records, size),
        speed=round(float(np.median(speeds)), 3) if speeds else 0.0,
        path=_runs((one.cell, one.frame) for one in records),
        turns=_turns(records, fps),
        stops=_stops(records, fps),
        upper=_runs((one.upper, one.frame) for one in records if one.upper is not None),
        lower=_runs((one.lower, one.frame) for one in records if one.lower is not None),
        actions=_runs((_said(one, "action"), one.frame) for one in asked),
        appearances=_runs((_said(one, "appearance"), one.frame) for one in asked),
        kinds=_runs((_said(one, "kind"), one.frame) for one in asked),
    )


def commonest(statements: Sequence[Statement], frames: Sequence[int]) -> tuple[str, float]:
    """Returns what most frames say, with the share of those that say it; empty without any."""
    shares = shares_of(statements, frames)
    said = max(shares, key=lambda one: shares[one], default="")
    return said, shares.get(said, 0.0)


def shares_of(statements: Sequence[Statement], frames: Sequence[int]) -> dict[str, float]:
    """Returns everything that is said with the share of the frames that say it; the sum is one."""
    votes: Counter[str] = Counter()
    for one in statements:
        votes[one.said] += sum(one.first <= frame <= one.last for frame in frames)
    total = sum(votes.values())
    return {said: count / total for said, count in votes.items() if count}


def _said(record: FrameRecord, field: str) -> str:
    assert record.asked is not None
    return record.asked[field]


def _runs(said: Iterator[tuple[str, int]]) -> tuple[Statement, ...]:
    out = []
    for word, group in itertools.groupby(said, key=lambda one: one[0]):
        frames = [frame for _, frame in group]
        out.append(Statement(word, frames[0], frames[-1]))
    return tuple(out)


def _stops(records: Sequence[FrameRecord], fps: float) -> tuple[Statement, ...]:
    """Finds stretches of a second or longer in which a target keeps its place.

    A target that never moved has not stopped.
    """
    still = [one.speed is not None and one.speed < STILL for one in records]
    moves = any(one.speed is not None and one.speed >= STILL for one in records)
    out = []
    for value, group in itertools.groupby(range(len(records)), key=lambda n: still[n]):
        places = list(group)
        start = records[max(0, places[0] - 1)]
        end = records[places[-1]]
        if value and moves and (end.frame - start.frame) / fps >= _STOP_S:
            out.append(Statement(end.cell, start.frame, end.frame))
    return tuple(out)


def _turns(records: Sequence[FrameRecord], fps: float) -> tuple[Statement, ...]:
    """Finds where the way of one leg and that of the next differ by sixty degrees or more."""
    centres = np.array([one.box.centre for one in records], np.float64)
    frames = np.array([one.frame for one in records])
    sizes = np.array([max(one.box.w, one.box.h) for one in records], np.float64)
    out: list[tuple[float, Statement]] = []
    for place in range(1, len(records) - 1):
        before = int(np.searchsorted(frames, frames[place] - _LEG_S * fps))
        after = min(len(frames) - 1, int(np.searchsorted(frames, frames[place] + _LEG_S * fps)))
        came, went = centres[place] - centres[before], centres[after] - centres[place]
        short = _LEAST_LEG * sizes[place]
        if min(np.hypot(*came), np.hypot(*went)) < short:
            continue
        angle = _angle(came, went)
        if angle < _TURN_DEGREES:
            continue
        turn = Statement(direction_name(*went.tolist()), int(frames[place]), int(frames[after]))
        # Neighbouring frames see the same turn; the sharpest of them tells where it is.
        if out and turn.first <= out[-1][1].last:
            out[-1] = max(out[-1], (angle, turn), key=lambda one: one[0])
        else:
            out.append((angle, turn))
    return tuple(turn for _, turn in out)


def _angle(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    cosine = float(one @ other / (np.hypot(*one) * np.hypot(*other)))
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
