"""Whether the description of a target agrees with how it moved, and with itself over time."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

import numpy as np

from engine.core.geometry import Box, direction_name
from engine.lab.dialogue_corpus.building.timelines import commonest, shares_of
from engine.lab.dialogue_corpus.files.frame_records import FrameRecord
from engine.lab.dialogue_corpus.files.timeline_files import (
    ASIDE,
    DROPPED,
    KEPT,
    CheckReason,
    TargetCheck,
    TargetTimeline,
    TimelineStatement,
)
from engine.render.colour_names import COLOUR_NAMES, colour_distance

_SPEEDS: Sequence[tuple[str, tuple[str, ...], float, float]] = (
    ("keeping its place", ("stand", "lying", "lie", "sit", "loiter", "wait", "abandon"), 0.0, 0.7),
    ("running", ("run", "jog", "sprint"), 0.5, 7.0),
    ("cycling", ("cycl", "bicycle", "bike"), 0.25, 8.0),
    ("skating", ("skat",), 0.2, 7.0),
    ("driving", ("driv", "vehicle"), 0.1, 14.0),
    ("walking", ("walk", "stroll"), 0.06, 1.8),
)
"""Actions with the stems of words that name them, and the lowest and the highest speed at which a
description may use them, in sizes of the target a second; from 1,417 rendered targets."""

_OPPOSITE = {"left": "right", "right": "left", "up": "down", "down": "up"}

_MAX_COLOUR_DISTANCE = 45.0
"""Distance up to which two names may stand for one colour; from 1,417 rendered targets."""

_MIN_AGREEMENT = 0.6  # share of frames that agree on a colour before it counts; a choice
_MIN_COLOUR_SHARE = 0.15  # share of frames in which a colour counts as visible: one of seven
_MIN_FRAMES = 4  # sampled frames without which a verdict is a guess; a choice

_JUMP_SIZES, _JUMP_TIMES = 2.5, 5.0
"""A jump is farther than this many sizes of the target, from 1,417 rendered ones, and than this
many of its usual steps, a choice."""

_MAX_GROWTH = 3.5  # quotient of the areas of two boxes that follow each other; a choice
_EDGE_PIXELS = 2  # how near to the edge of the frame a box may be cut off; a choice


def check(
    timeline: TargetTimeline, records: Sequence[FrameRecord], size: tuple[int, int]
) -> TargetCheck:
    """Compares appearance with motion, and both with themselves over time.

    Args:
        timeline: the target's timeline.
        records: its frames, in order.
        size: width and height of the frame.
    """
    contradictions = [
        *_speed(timeline),
        *_direction(timeline),
        *_described_colours(timeline),
        *_colour_changes(timeline, timeline.upper, "upper"),
        *_colour_changes(timeline, timeline.lower, "lower"),
        *_jumps(records),
    ]
    doubts = [*_size_changes(records, size), *_shortness(timeline)]
    verdict = DROPPED if contradictions else ASIDE if doubts else KEPT
    return TargetCheck(timeline.video, timeline.target, verdict, (*contradictions, *doubts))


def _reason(code: str, text: str, timeline: TargetTimeline) -> CheckReason:
    return CheckReason(code, text, (timeline.frames[0], timeline.frames[-1]))


def _speed(timeline: TargetTimeline) -> list[CheckReason]:
    """Refuses an action that no target of this speed does."""
    action, _ = commonest(timeline.actions, timeline.frames)
    for name, stems, slowest, fastest in _SPEEDS:
        if any(re.search(rf"\b{stem}", action.lower()) for stem in stems):
            if slowest <= timeline.speed <= fastest:
                return []
            text = f"said to be {name}, moves {timeline.speed:.2f} of its sizes a second"
            return [_reason("speed", text, timeline)]
    return []


def _direction(timeline: TargetTimeline) -> list[CheckReason]:
    """Refuses a direction that is the opposite of the measured one."""
    action, _ = commonest(timeline.actions, timeline.frames)
    measured = set(timeline.direction.split("-")) - {""}
    for word in re.findall(r"\b(left|right|upwards?|downwards?)\b", action.lower()):
        direction = word.removesuffix("s").removesuffix("ward")
        if _OPPOSITE[direction] in measured:
            text = f"said to go {word}, goes {timeline.direction}"
            return [_reason("direction", text, timeline)]
    return []


def _described_colours(timeline: TargetTimeline) -> list[CheckReason]:
    """Refuses clothes of colours that none of the target's pixels have."""
    appearance, _ = commonest(timeline.appearances, timeline.frames)
    described = _colours_in(appearance)
    visible = [
        *_visible_colours(timeline, timeline.upper),
        *_visible_colours(timeline, timeline.lower),
    ]
    if not described or not visible:
        return []
    if any(colour_distance(a, b) < _MAX_COLOUR_DISTANCE for a in described for b in visible):
        return []
    text = f"said to wear {', '.join(described)}, shows {', '.join(dict.fromkeys(visible))}"
    return [_reason("colour", text, timeline)]


def _visible_colours(timeline: TargetTimeline, colours: Sequence[TimelineStatement]) -> list[str]:
    """Returns the colours that a part has in one frame of seven or more."""
    shares = shares_of(colours, timeline.frames)
    return [colour for colour, share in shares.items() if share >= _MIN_COLOUR_SHARE]


def _colours_in(text: str) -> list[str]:
    names = "|".join(sorted(COLOUR_NAMES, key=len, reverse=True))
    return re.findall(rf"\b(?:{names})\b", text.lower().replace("gray", "grey"))


def _colour_changes(
    timeline: TargetTimeline, colours: Sequence[TimelineStatement], part: str
) -> list[CheckReason]:
    """Refuses a part that has one colour in the first half and another in the second."""
    frames = timeline.frames
    if len(frames) < 2 * _MIN_FRAMES:
        return []
    middle = len(frames) // 2
    (before, before_share), (after, after_share) = (
        commonest(colours, half) for half in (frames[:middle], frames[middle:])
    )
    if min(before_share, after_share) < _MIN_AGREEMENT:
        return []
    if colour_distance(before, after) < _MAX_COLOUR_DISTANCE:
        return []
    text = f"its {part} part is {before} at first and {after} later"
    return [_reason("colour_changes", text, timeline)]


def _jumps(records: Sequence[FrameRecord]) -> list[CheckReason]:
    """Refuses steps that no body takes: some sizes at once, and many times its usual step."""
    if len(records) < _MIN_FRAMES:
        return []
    centres = np.array([record.box.centre for record in records], np.float64)
    sizes = np.array([max(record.box.w, record.box.h) for record in records], np.float64)
    distances = np.hypot(*np.diff(centres, axis=0).T) / ((sizes[1:] + sizes[:-1]) / 2)
    frames = np.array([record.frame for record in records], np.float64)
    steps = np.diff(frames) / np.diff(frames).min()
    usual = float(np.median(distances / steps))
    is_jump = (distances / steps > _JUMP_SIZES) & (distances / steps > _JUMP_TIMES * usual)
    reasons = []
    for index in np.flatnonzero(is_jump).tolist():
        offset = (centres[index + 1] - centres[index]).tolist()
        text = f"jumps {direction_name(*offset)} by {distances[index]:.1f} of its sizes"
        span = records[index].frame, records[index + 1].frame
        reasons.append(CheckReason("jump", text, span))
    return reasons


def _size_changes(records: Sequence[FrameRecord], size: tuple[int, int]) -> list[CheckReason]:
    """Doubts a box that grows or shrinks at once: targets that merged, parted or were covered.

    At the edge of the frame targets come in and go out by parts.
    """
    return [
        CheckReason("size", "its box changes its size at once", (record.frame, following.frame))
        for record, following in itertools.pairwise(records)
        if max(record.box.area, following.box.area)
        > _MAX_GROWTH * min(record.box.area, following.box.area)
        and not any(_is_at_edge(box, size) for box in (record.box, following.box))
    ]


def _is_at_edge(box: Box, size: tuple[int, int]) -> bool:
    return (
        min(box.x, box.y) <= _EDGE_PIXELS
        or box.x + box.w >= size[0] - _EDGE_PIXELS
        or box.y + box.h >= size[1] - _EDGE_PIXELS
    )


def _shortness(timeline: TargetTimeline) -> list[CheckReason]:
    if len(timeline.frames) >= _MIN_FRAMES:
        return []
    text = f"seen in {len(timeline.frames)} sampled frames only"
    return [_reason("short", text, timeline)]
