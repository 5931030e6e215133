"""Targets that merge in masks without identities, and part again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.lab.datasets.ground_truth_tracks import GroundTruthTracks
from engine.lab.datasets.track_linking import MAX_GAP


@dataclass(frozen=True)
class Merger:
    """Frames in which the component of a track holds another target as well.

    Attributes:
        track: number of the track that goes on.
        others: numbers of the tracks that end in it or begin in it.
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
        """Returns whether its box in the first frame that shows it holds the middle of a box."""
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        for frame in frames:
            indices = np.flatnonzero(self.frames == frame)
            if len(indices):
                x0, y0, x1, y1 = self.boxes[int(indices[0])].tolist()
                return bool(x0 <= x <= x1 and y0 <= y <= y1)
        return False


def mergers(tracks: GroundTruthTracks) -> Iterator[Merger]:
    """Finds where tracks end inside another, and begin inside one.

    From the frame in which a track ends inside another until one begins inside that other, or
    until its end, nobody can say which of them a pixel belongs to; the same holds before a track
    begins there, when none ended there before.
    """
    all_tracks = [
        _Track(number, tracks.frames[tracks.track_ids == number],
               tracks.boxes[tracks.track_ids == number])
        for number in np.unique(tracks.track_ids).tolist()
    ]  # fmt: skip
    for track in all_tracks:
        ends = [
            (int(other.frames[-1]), other.number) for other in all_tracks if _ends_in(other, track)
        ]
        begins = [
            (int(other.frames[0]), other.number) for other in all_tracks if _begins_in(other, track)
        ]
        first_frame, last_frame = int(track.frames[0]), int(track.frames[-1])
        for frame, number in ends:
            parting = min((begin for begin in begins if begin[0] > frame), default=None)
            others = (number,) if parting is None else (number, parting[1])
            yield Merger(
                track.number, others, frame + 1, last_frame if parting is None else parting[0] - 1
            )
        for frame, number in begins:
            if not any(end < frame for end, _ in ends):
                yield Merger(track.number, (number,), first_frame, frame - 1)


def _ends_in(other: _Track, track: _Track) -> bool:
    last = int(other.frames[-1])
    lives = other is not track and int(track.frames[0]) <= last < int(track.frames[-1])
    return lives and track.holds(range(last + 1, last + 2 + MAX_GAP), other.boxes[-1])


def _begins_in(other: _Track, track: _Track) -> bool:
    first = int(other.frames[0])
    lives = other is not track and int(track.frames[0]) < first <= int(track.frames[-1])
    return lives and track.holds(range(first - 1, first - 2 - MAX_GAP, -1), other.boxes[0])
