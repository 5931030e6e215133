"""Frames of a target linked into its story: where from, which way, where it stopped, where to."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.core.directions import direction_name
from engine.lab.dialogue_corpus.building.sighting_facts import STILL, way
from engine.lab.dialogue_corpus.files.frame_records import FrameRecord, decode_mask
from engine.lab.dialogue_corpus.files.timeline_files import Statement, Timeline

_STOP_S = 1.0
_TURN_DEGREES = 60.0
_LEG_S = 0.6
_LEAST_LEG = 0.25


def timeline(records: Sequence[FrameRecord], fps: float, size: tuple[int, int]) -> Timeline:
    """Links a target's records.

    Args:
        records: of one target, in order of frame; one at least.
        fps: frames a second of the video.
        size: its width and height in pixels.
    """
    first, last = records[0], records[-1]
    speeds = [one.speed for one in records if one.speed is not None]
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
        actions=_runs(_said(records, "action")),
        appearances=_runs(_said(records, "appearance")),
        kinds=_runs(_said(records, "kind")),
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


def _said(records: Sequence[FrameRecord], field: str) -> Iterator[tuple[str, int]]:
    """Yields what was said of a target with the frame; a person may have said a part of it."""
    for one in records:
        said = (one.asked or {}).get(field)
        if said:
            yield said, one.frame


def _runs(said: Iterator[tuple[str, int]]) -> tuple[Statement, ...]:
    out = []
    for word, group in itertools.groupby(said, key=lambda one: one[0]):
        frames = [frame for _, frame in group]
        out.append(Statement(word, frames[0], frames[-1]))
    return tuple(out)


def _stops(records: Sequence[FrameRecord], fps: float) -> tuple[Statement, ...]:
    """Finds stretches of a second or longer in which a target keeps its place.

    Its place is the middle of its pixels a second later: limbs swing, and move its box from frame
    to frame. A target that never moved has not stopped.
    """
    frames = np.array([one.frame for one in records])
    middles = np.array([_middle(one) for one in records])
    sizes = np.array([max(one.box.w, one.box.h) for one in records], np.float64)
    ends = np.searchsorted(frames, frames + _STOP_S * fps)
    starts = np.flatnonzero(ends < len(frames))
    gone = np.hypot(*(middles[ends[starts]] - middles[starts]).T)
    seconds = (frames[ends[starts]] - frames[starts]) / fps
    still = gone / sizes[ends[starts]] / seconds < STILL
    if still.all():
        return ()
    out = []
    for value, group in itertools.groupby(range(len(starts)), key=lambda n: bool(still[n])):
        places = list(group)
        if value:
            last = records[int(ends[starts[places[-1]]])]
            out.append(Statement(last.cell, int(frames[starts[places[0]]]), last.frame))
    return tuple(out)


def _middle(record: FrameRecord) -> tuple[float, float]:
    rows, columns = np.nonzero(decode_mask(record.mask, record.box))
    return record.box.x + float(columns.mean()), record.box.y + float(rows.mean())


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
