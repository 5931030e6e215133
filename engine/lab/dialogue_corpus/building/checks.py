"""Whether what is said of a target agrees with how it moved, and the other way round."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

import numpy as np

from engine.core.directions import direction_name
from engine.core.geometry import Box
from engine.lab.dialogue_corpus.building.timelines import commonest, shares_of
from engine.lab.dialogue_corpus.files.frame_records import FrameRecord
from engine.lab.dialogue_corpus.files.timeline_files import (
    ASIDE,
    DROPPED,
    KEPT,
    Check,
    Reason,
    Statement,
    Timeline,
)
from engine.render.colour_names import COLOUR_NAMES, colours_apart

_SPEEDS: Sequence[tuple[str, tuple[str, ...], float, float]] = (
    ("keeping its place", ("stand", "lying", "lie", "sit", "loiter", "wait", "abandon"), 0.0, 0.7),
    ("running", ("run", "jog", "sprint"), 0.5, 7.0),
    ("cycling", ("cycl", "bicycle", "bike"), 0.25, 8.0),
    ("skating", ("skat",), 0.2, 7.0),
    ("driving", ("driv", "vehicle"), 0.1, 14.0),
    ("walking", ("walk", "stroll"), 0.06, 1.8),
)
"""What an action may be called and how fast it is, in sizes of the target a second."""

_OPPOSITE = {"left": "right", "right": "left", "up": "down", "down": "up"}
_SAME_COLOUR = 45.0
_SURE = 0.6
_SEEN = 0.15
_LEAST_FRAMES = 4
_JUMP_SIZES, _JUMP_TIMES = 2.5, 5.0
_GROWN = 3.5
_EDGE = 2


def check(told: Timeline, records: Sequence[FrameRecord], size: tuple[int, int]) -> Check:
    """Compares appearance with motion, and both with themselves over time.

    Args:
        told: the target's timeline.
        records: its frames, in order.
        size: width and height of the frame.
    """
    contradictions = [
        *_speed(told),
        *_direction(told),
        *_said_colours(told),
        *_changes(told, told.upper, "upper"),
        *_changes(told, told.lower, "lower"),
        *_jumps(records),
    ]
    doubts = [*_sizes(records, size), *_short(told)]
    verdict = DROPPED if contradictions else ASIDE if doubts else KEPT
    return Check(told.video, told.target, verdict, (*contradictions, *doubts))


def _reason(code: str, text: str, told: Timeline) -> Reason:
    return Reason(code, text, (told.frames[0], told.frames[-1]))


def _speed(told: Timeline) -> list[Reason]:
    """An action that no target of this speed does."""
    said, _ = commonest(told.actions, told.frames)
    for name, words, least, most in _SPEEDS:
        if any(re.search(rf"\b{word}", said.lower()) for word in words):
            if least <= told.speed <= most:
                return []
            text = f"said to be {name}, moves {told.speed:.2f} of its sizes a second"
            return [_reason("speed", text, told)]
    return []


def _direction(told: Timeline) -> list[Reason]:
    """A way that is the opposite of the measured one."""
    said, _ = commonest(told.actions, told.frames)
    measured = set(told.direction.split("-")) - {""}
    for word in re.findall(r"\b(left|right|upwards?|downwards?)\b", said.lower()):
        way = word.removesuffix("s").removesuffix("ward")
        if _OPPOSITE[way] in measured:
            return [_reason("direction", f"said to go {word}, goes {told.direction}", told)]
    return []


def _said_colours(told: Timeline) -> list[Reason]:
    """Clothes of colours that none of its pixels have."""
    said, _ = commonest(told.appearances, told.frames)
    named, shown = _colours_in(said), [*_shown(told, told.upper), *_shown(told, told.lower)]
    if not named or not shown:
        return []
    if any(colours_apart(a, b) < _SAME_COLOUR for a in named for b in shown):
        return []
    text = f"said to wear {', '.join(named)}, shows {', '.join(dict.fromkeys(shown))}"
    return [_reason("colour", text, told)]


def _shown(told: Timeline, colours: Sequence[Statement]) -> list[str]:
    """Returns the colours that a part has in one frame of seven or more."""
    shares = shares_of(colours, told.frames)
    return [said for said, share in shares.items() if share >= _SEEN]


def _colours_in(said: str) -> list[str]:
    names = "|".join(sorted(COLOUR_NAMES, key=len, reverse=True))
    return re.findall(rf"\b(?:{names})\b", said.lower().replace("gray", "grey"))


def _changes(told: Timeline, colours: Sequence[Statement], part: str) -> list[Reason]:
    """A part that is of one colour in the first half and of another in the second."""
    frames = told.frames
    if len(frames) < 2 * _LEAST_FRAMES:
        return []
    middle = len(frames) // 2
    (before, sure), (after, also) = (
        commonest(colours, half) for half in (frames[:middle], frames[middle:])
    )
    if min(sure, also) < _SURE or colours_apart(before, after) < _SAME_COLOUR:
        return []
    text = f"its {part} part is {before} at first and {after} later"
    return [_reason("colour_changes", text, told)]


def _jumps(records: Sequence[FrameRecord]) -> list[Reason]:
    """A way that no body takes: some sizes at once, many times as far as it goes otherwise."""
    if len(records) < _LEAST_FRAMES:
        return []
    centres = np.array([one.box.centre for one in records], np.float64)
    sizes = np.array([max(one.box.w, one.box.h) for one in records], np.float64)
    far = np.hypot(*np.diff(centres, axis=0).T) / ((sizes[1:] + sizes[:-1]) / 2)
    frames = np.array([one.frame for one in records], np.float64)
    steps = np.diff(frames) / np.diff(frames).min()
    usual = float(np.median(far / steps))
    out = []
    for place in np.flatnonzero(
        (far / steps > _JUMP_SIZES) & (far / steps > _JUMP_TIMES * usual)
    ).tolist():
        by = (centres[place + 1] - centres[place]).tolist()
        text = f"jumps {direction_name(*by)} by {far[place]:.1f} of its sizes"
        out.append(Reason("jump", text, (records[place].frame, records[place + 1].frame)))
    return out


def _sizes(records: Sequence[FrameRecord], size: tuple[int, int]) -> list[Reason]:
    """A box that grows or shrinks at once: targets that merged, parted or were covered.

    At the edge of the picture targets come in and go out by parts.
    """
    return [
        Reason("size", "its box changes its size at once", (one.frame, other.frame))
        for one, other in itertools.pairwise(records)
        if max(one.box.area, other.box.area) > _GROWN * min(one.box.area, other.box.area)
        and not any(_at_edge(box, size) for box in (one.box, other.box))
    ]


def _at_edge(box: Box, size: tuple[int, int]) -> bool:
    return (
        min(box.x, box.y) <= _EDGE
        or box.x + box.w >= size[0] - _EDGE
        or box.y + box.h >= size[1] - _EDGE
    )


def _short(told: Timeline) -> list[Reason]:
    if len(told.frames) >= _LEAST_FRAMES:
        return []
    return [_reason("short", f"seen in {len(told.frames)} sampled frames only", told)]
