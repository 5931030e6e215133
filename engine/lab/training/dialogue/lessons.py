"""What a language model is taught with: a map, what it shows, and a few turns about it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.dialogue.answer_parsing import ACTIONS
from engine.dialogue.span_evidence import LIMIT
from engine.lab.dialogue_corpus.samples.detector_noise import Heat, erring
from engine.lab.dialogue_corpus.samples.dialogue_samples import TRUE, DialogueSample
from engine.lab.dialogue_corpus.samples.relocation import placed_anew, seen_in_part
from engine.lab.dialogue_corpus.wording import (
    QUESTIONS,
    Truth,
    absent_turn,
    can_say,
    follow_up_parts,
    interview,
    references,
)

_OTHER = {"left": "right", "right": "left", "Left": "Right", "Right": "Left"}
_SIDES = re.compile("|".join(_OTHER))

NARRATIVE, FOCUSED = "narrative", "focused"
_MEASURED, _PURE, _PLACED, _IN_PART = 0.45, 0.1, 0.6, 0.2
_METHODS_WORDS = 0.5
_ABSENT = 0.3


@dataclass(frozen=True, eq=False)
class Lesson:
    """One sequence of training.

    Attributes:
        heat: float32 [T'-1, R, C].
        video: float32 [T', s, C].
        truth: what is true of the span, mirrored where the map is.
        turns: questions with the answers to learn.
    """

    heat: NDArray[np.float32]
    video: NDArray[np.float32]
    truth: Truth
    turns: tuple[tuple[str, str], ...]


def draw_lesson(sample: DialogueSample, phase: str, rng: np.random.Generator) -> Lesson:
    """Draws a lesson.

    Maps are mixed: measured ones of every channel where they agree with the truth, true ones made
    to err, and true ones as they are. Most targets are put elsewhere in the picture, some are
    seen on a part of their way only, and half of all lessons are mirrored, left for right.

    Args:
        sample: a span with its truth.
        phase: `narrative` speaks of whole scenes, `focused` of the anomaly.
        rng: draws everything.
    """
    heat, video, truth = _drawn_map(sample, rng)
    if rng.random() < 0.5:
        heat, truth = np.ascontiguousarray(heat[..., ::-1]), mirrored(truth)
    narrative = phase == NARRATIVE and can_say(truth, NARRATIVE)
    drawn = _narrative_parts(rng) if narrative else _focused_parts(truth, rng)
    # A person may have left one of them out; one that can be said there is.
    parts = [part for part in drawn if can_say(truth, part)]
    parts = parts or [interview(truth)[0].part]
    return Lesson(heat, video, truth, tuple(_turn(truth, part, rng) for part in parts))


def _drawn_map(
    sample: DialogueSample, rng: np.random.Generator
) -> tuple[Heat, NDArray[np.float32], Truth]:
    """Draws a map of a sample, the video tokens seen through it, and what is true of it."""
    truth, true = sample.truth, sample.seen[TRUE]
    measured = [source for source in sample.seen if source != TRUE]
    chance = rng.random()
    seen = sample.seen[str(rng.choice(measured))] if measured and chance < _MEASURED else true
    heat = seen.heat
    if truth.target is not None and rng.random() < _PLACED:
        heat, truth = placed_anew(heat, true.heat, truth, rng)
    if seen is not true:
        return heat, seen.video, truth
    if truth.target is not None and rng.random() < _IN_PART:
        heat, truth = seen_in_part(heat, truth, rng)
    if chance <= 1 - _PURE:
        heat = erring(heat, rng)
    return heat, _looked_at(seen.video, heat), truth


def _looked_at(video: NDArray[np.float32], heat: Heat) -> NDArray[np.float32]:
    """Leaves out of video tokens what a map does not point at: all but the whole picture."""
    steps = np.linspace(0, len(heat) - 1, len(video)).round().astype(int)
    cold = heat.max((1, 2))[steps] < LIMIT
    out = video.copy()
    out[cold, 1:] = 0
    return out


def mirrored(truth: Truth) -> Truth:
    """Returns what is true of a span whose left and right are exchanged."""
    return replace(
        truth,
        from_cell=_mirrored(truth.from_cell),
        to_cell=_mirrored(truth.to_cell),
        direction=_mirrored(truth.direction),
        said={part: tuple(map(_mirrored, answers)) for part, answers in truth.said.items()},
    )


def _mirrored(words: str) -> str:
    return _SIDES.sub(lambda side: _OTHER[side[0]], words)


def _narrative_parts(rng: np.random.Generator) -> Sequence[str]:
    choices = (("narrative",), ("environment", "anomaly"), ("narrative", "environment"))
    return choices[int(rng.choice(3, p=(0.5, 0.3, 0.2)))]


def _focused_parts(truth: Truth, rng: np.random.Generator) -> Sequence[str]:
    later = ["target", "motion", "trajectory", "environment", "absent", *follow_up_parts(truth)]
    shares = np.array([2.0, 2.0, 2.0, 0.5, 1.0, *[0.5] * (len(later) - 5)])
    shares[[not can_say(truth, part) for part in later]] = 0.0
    # The evidence is most of a sequence: several turns after it cost little more than one.
    count = min(int(rng.integers(2, 5)), int((shares > 0).sum()))
    drawn = rng.choice(later, count, replace=False, p=shares / shares.sum())
    parts = [str(one) for one in drawn]
    if rng.random() < 0.3:
        whole = ("anomaly", "target", "motion", "trajectory")
        return [part for part in whole if can_say(truth, part)]
    return ["anomaly", *parts] if rng.random() < 0.75 else parts


def _turn(truth: Truth, part: str, rng: np.random.Generator) -> tuple[str, str]:
    if part == "absent":
        there = truth.target in ACTIONS and rng.random() > _ABSENT
        others = [name for name in ACTIONS if name != truth.target]
        other = str(truth.target) if there else str(rng.choice(others))
        turn = absent_turn(truth, other, int(rng.integers(16)))
        return turn.question, str(rng.choice(turn.references))
    asked = QUESTIONS[part]
    question = asked[0] if rng.random() < _METHODS_WORDS else str(rng.choice(asked))
    return question, str(rng.choice(references(truth, part)))
