"""Timelines: the records of a target linked over time, with where it went, turned and stopped."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import direction_name
from engine.lab.dialogue_corpus.building.sighting_facts import STILL, overall_direction
from engine.lab.dialogue_corpus.files.frame_records import FrameRecord, decode_mask
from engine.lab.dialogue_corpus.files.timeline_files import TargetTimeline, TimelineStatement

_STOP_S = 1.0  # seconds without motion after which a target has stopped; a choice
_TURN_DEGREES = 60.0  # between two legs, from which on a target turned: over half a right angle
_LEG_S = 0.6  # seconds before and after a turn whose directions are compared; a choice
_MIN_LEG = 0.25  # sizes of the target that a leg is long at least, so that limbs are no turn


def make_timeline(
    records: Sequence[FrameRecord], fps: float, size: tuple[int, int]
) -> TargetTimeline:
    """Links the records of a target.

    Args:
        records: all records of one target, in order of frame; at least one.
        fps: frames a second of the video.
        size: its width and height in pixels.
    """
    first, last = records[0], records[-1]
    speeds = [record.speed for record in records if record.speed is not None]
    return TargetTimeline(
        video=first.video,
        camera=first.camera,
        target=first.target,
        frames=tuple(record.frame for record in records),
        enters=first.cell,
        leaves=last.cell,
        direction=overall_direction(records, size),
        speed=round(float(np.median(speeds)), 3) if speeds else 0.0,
        path=_runs((record.cell, record.frame) for record in records),
        turns=_turns(records, fps),
        stops=_stops(records, fps),
        upper=_runs((record.upper, record.frame) for record in records if record.upper is not None),
        lower=_runs((record.lower, record.frame) for record in records if record.lower is not None),
        actions=_runs(_descriptions(records, "action")),
        appearances=_runs(_descriptions(records, "appearance")),
        kinds=_runs(_descriptions(records, "kind")),
    )


def commonest(statements: Sequence[TimelineStatement], frames: Sequence[int]) -> tuple[str, float]:
    """Returns the value that most frames have, with its share; empty when there is none."""
    shares = shares_of(statements, frames)
    commonest_value = max(shares, key=lambda value: shares[value], default="")
    return commonest_value, shares.get(commonest_value, 0.0)


def shares_of(statements: Sequence[TimelineStatement], frames: Sequence[int]) -> dict[str, float]:
    """Returns every value with the share of the frames that have it; the shares add up to one."""
    votes: Counter[str] = Counter()
    for statement in statements:
        votes[statement.value] += sum(
            statement.first <= frame <= statement.last for frame in frames
        )
    total = sum(votes.values())
    return {value: count / total for value, count in votes.items() if count}


def _descriptions(records: Sequence[FrameRecord], field: str) -> Iterator[tuple[str, int]]:
    """Yields a field of the descriptions of a target, with the frame; some frames may lack it."""
    for record in records:
        value = (record.description or {}).get(field)
        if value:
            yield value, record.frame


def _runs(values: Iterator[tuple[str, int]]) -> tuple[TimelineStatement, ...]:
    runs = []
    for value, group in itertools.groupby(values, key=lambda pair: pair[0]):
        frames = [frame for _, frame in group]
        runs.append(TimelineStatement(value, frames[0], frames[-1]))
    return tuple(runs)


def _stops(records: Sequence[FrameRecord], fps: float) -> tuple[TimelineStatement, ...]:
    """Finds spans of a second or longer in which a target stays where it is.

    The middle of its pixels is compared with that a second later, because swinging limbs move its
    box from frame to frame. A target that never moved has not stopped.
    """
    frames = np.array([record.frame for record in records])
    middles = np.array([_middle(record) for record in records])
    sizes = np.array([max(record.box.w, record.box.h) for record in records], np.float64)
    ends = np.searchsorted(frames, frames + _STOP_S * fps)
    starts = np.flatnonzero(ends < len(frames))
    distances = np.hypot(*(middles[ends[starts]] - middles[starts]).T)
    seconds = (frames[ends[starts]] - frames[starts]) / fps
    still = distances / sizes[ends[starts]] / seconds < STILL
    if still.all():
        return ()
    stops = []
    for is_still, group in itertools.groupby(range(len(starts)), key=lambda n: bool(still[n])):
        indices = list(group)
        if is_still:
            last = records[int(ends[starts[indices[-1]]])]
            stops.append(TimelineStatement(last.cell, int(frames[starts[indices[0]]]), last.frame))
    return tuple(stops)


def _middle(record: FrameRecord) -> tuple[float, float]:
    rows, columns = np.nonzero(decode_mask(record.mask, record.box))
    return record.box.x + float(columns.mean()), record.box.y + float(rows.mean())


def _turns(records: Sequence[FrameRecord], fps: float) -> tuple[TimelineStatement, ...]:
    """Finds where the directions of two legs differ by sixty degrees or more."""
    centres = np.array([record.box.centre for record in records], np.float64)
    frames = np.array([record.frame for record in records])
    sizes = np.array([max(record.box.w, record.box.h) for record in records], np.float64)
    turns: list[tuple[float, TimelineStatement]] = []
    for index in range(1, len(records) - 1):
        before = int(np.searchsorted(frames, frames[index] - _LEG_S * fps))
        after = min(len(frames) - 1, int(np.searchsorted(frames, frames[index] + _LEG_S * fps)))
        arrival, departure = centres[index] - centres[before], centres[after] - centres[index]
        if min(np.hypot(*arrival), np.hypot(*departure)) < _MIN_LEG * sizes[index]:
            continue
        angle = _angle(arrival, departure)
        if angle < _TURN_DEGREES:
            continue
        direction = direction_name(*departure.tolist())
        turn = TimelineStatement(direction, int(frames[index]), int(frames[after]))
        # Neighbouring frames show the same turn; the sharpest of them tells where it is.
        if turns and turn.first <= turns[-1][1].last:
            turns[-1] = max(turns[-1], (angle, turn), key=lambda candidate: candidate[0])
        else:
            turns.append((angle, turn))
    return tuple(turn for _, turn in turns)


def _angle(before: NDArray[np.float64], after: NDArray[np.float64]) -> float:
    """Returns the angle between two vectors in degrees."""
    cosine = float(before @ after / (np.hypot(*before) * np.hypot(*after)))
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
