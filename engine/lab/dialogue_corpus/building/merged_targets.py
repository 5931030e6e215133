"""Targets that run together in masks without identities, and part again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.lab.datasets.ground_truth_tracks import GroundTruthTracks
from engine.lab.datasets.track_linking import GAP


@dataclass(frozen=True)
class Merger:
    """Frames in which the component of a track holds another target as well.

    Attributes:
        track: that goes on.
        others: that were taken in, or that came out of it.
        first: first frame.
        last: last frame, inclusive.
    """

    track: int
    others: tuple[int, ...]
    first: int
    last: int


@dataclass(frozen=True, eq=False)
class _Track:
    """Frames and boxes of one track, in order of frame."""

    number: int
    frames: NDArray[np.int64]
    boxes: NDArray[np.float64]

    def holds(self, frames: range, box: NDArray[np.float64]) -> bool:
        """Whether its box in one of some frames holds the middle of another's."""
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        for one in frames:
            place = np.flatnonzero(self.frames == one)
            if len(place):
                x0, y0, x1, y1 = self.boxes[int(place[0])].tolist()
                return bool(x0 <= x <= x1 and y0 <= y <= y1)
        return False


def mergers(tracks: GroundTruthTracks) -> Iterator[Merger]:
    """Finds where tracks end inside another, and begin inside one.

    From the frame in which a track ends inside another until one begins inside that other, or
    until its end, nobody can say which of them a pixel belongs to; likewise before one begins
    there that never ended.
    """
    every = [
        _Track(number, tracks.frames[tracks.track_ids == number],
               tracks.boxes[tracks.track_ids == number])
        for number in np.unique(tracks.track_ids).tolist()
    ]  # fmt: skip
    for one in every:
        taken = [(int(other.frames[-1]), other.number) for other in every if _ends_in(other, one)]
        parted = [(int(other.frames[0]), other.number) for other in every if _begins_in(other, one)]
        begin, end = int(one.frames[0]), int(one.frames[-1])
        for frame, number in taken:
            out = min((at for at in parted if at[0] > frame), default=None)
            inside = (number,) if out is None else (number, out[1])
            yield Merger(one.number, inside, frame + 1, end if out is None else out[0] - 1)
        for frame, number in parted:
            if not any(at < frame for at, _ in taken):
                yield Merger(one.number, (number,), begin, frame - 1)


def _ends_in(other: _Track, one: _Track) -> bool:
    last = int(other.frames[-1])
    lives = other is not one and int(one.frames[0]) <= last < int(one.frames[-1])
    return lives and one.holds(range(last + 1, last + 2 + GAP), other.boxes[-1])


def _begins_in(other: _Track, one: _Track) -> bool:
    first = int(other.frames[0])
    lives = other is not one and int(one.frames[0]) < first <= int(one.frames[-1])
    return lives and one.holds(range(first - 1, first - 2 - GAP, -1), other.boxes[0])
