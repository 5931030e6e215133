"""Training samples of stage 2: a heatmap, its video tokens, and a few turns about the span."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.dialogue.span_results import USUAL_LIMIT
from engine.lab.dialogue_corpus.answer_words import ACTIONS
from engine.lab.dialogue_corpus.samples.detector_noise import Heat, add_heatmap_noise
from engine.lab.dialogue_corpus.samples.dialogue_samples import TRUE, DialogueSample
from engine.lab.dialogue_corpus.samples.relocation import keep_some_steps, relocate
from engine.lab.dialogue_corpus.wording import (
    QUESTIONS,
    SpanTruth,
    absent_turn,
    can_say,
    follow_up_parts,
    interview,
    references,
)

_MIRROR = {"left": "right", "right": "left", "Left": "Right", "Right": "Left"}
_SIDES = re.compile("|".join(_MIRROR))

NARRATIVE, FOCUSED = "narrative", "focused"
_MEASURED_SHARE = 0.45  # of the samples with a measured heatmap where there is one; a choice
_PURE_SHARE = 0.1  # of the samples with a true heatmap without noise; a choice
_RELOCATED_SHARE = 0.6  # of the targets that are moved to another part of the frame; a choice
_PARTIAL_SHARE = 0.2  # of the true targets that are hot in some steps only; a choice
_FIRST_FORM_SHARE = 0.5  # of the questions in the form that an evaluation asks; a choice
_ABSENT_SHARE = 0.3  # of the questions about an action that is not there; a choice


@dataclass(frozen=True, eq=False)
class TrainingSample:
    """What one sequence of a training step is made of.

    Attributes:
        heat: float32 [T'-1, R, C].
        video: float32 [T', s, C].
        truth: what is true of the span, mirrored where the map is.
        turns: questions with the answers to learn.
    """

    heat: NDArray[np.float32]
    video: NDArray[np.float32]
    truth: SpanTruth
    turns: tuple[tuple[str, str], ...]


def draw_training_sample(
    sample: DialogueSample, phase: str, rng: np.random.Generator
) -> TrainingSample:
    """Draws a training sample.

    Heatmaps are mixed: measured ones of every channel where they agree with the truth, true ones
    with noise, and true ones as they are. Most targets are moved to another part of the frame, some
    are hot for a part of their trajectory only, and half of all samples are mirrored.

    Args:
        sample: a span with its truth.
        phase: `narrative` is about whole scenes, `focused` about the anomaly.
        rng: draws heatmap, questions and answers.
    """
    heat, video, truth = _draw_heatmap(sample, rng)
    if rng.random() < 0.5:
        heat, truth = np.ascontiguousarray(heat[..., ::-1]), mirror(truth)
    narrative = phase == NARRATIVE and can_say(truth, NARRATIVE)
    drawn = _narrative_parts(rng) if narrative else _focused_parts(truth, rng)
    # Reviews may have left parts out, but one that can be answered there is.
    parts = [part for part in drawn if can_say(truth, part)]
    parts = parts or [interview(truth)[0].part]
    return TrainingSample(heat, video, truth, tuple(_turn(truth, part, rng) for part in parts))


def _draw_heatmap(
    sample: DialogueSample, rng: np.random.Generator
) -> tuple[Heat, NDArray[np.float32], SpanTruth]:
    """Draws a heatmap of a sample, with the video tokens that it selects and what is true of it."""
    truth, true = sample.truth, sample.inputs[TRUE]
    measured = [source for source in sample.inputs if source != TRUE]
    chance = rng.random()
    inputs = true
    if measured and chance < _MEASURED_SHARE:
        inputs = sample.inputs[str(rng.choice(measured))]
    heat = inputs.heat
    if truth.target is not None and rng.random() < _RELOCATED_SHARE:
        heat, truth = relocate(heat, true.heat, truth, rng)
    if inputs is not true:
        return heat, inputs.video, truth
    if truth.target is not None and rng.random() < _PARTIAL_SHARE:
        heat, truth = keep_some_steps(heat, truth, rng)
    if chance <= 1 - _PURE_SHARE:
        heat = add_heatmap_noise(heat, rng)
    return heat, _select_tokens(inputs.video, heat), truth


def _select_tokens(video: NDArray[np.float32], heat: Heat) -> NDArray[np.float32]:
    """Leaves out video tokens of regions in steps in which no region is hot."""
    steps = np.linspace(0, len(heat) - 1, len(video)).round().astype(int)
    cold = heat.max((1, 2))[steps] < USUAL_LIMIT
    selected = video.copy()
    selected[cold, 1:] = 0
    return selected


def mirror(truth: SpanTruth) -> SpanTruth:
    """Returns what is true of a span whose left and right are exchanged."""
    return replace(
        truth,
        from_cell=_mirror_words(truth.from_cell),
        to_cell=_mirror_words(truth.to_cell),
        direction=_mirror_words(truth.direction),
        corrected_answers={
            part: tuple(map(_mirror_words, answers))
            for part, answers in truth.corrected_answers.items()
        },
    )


def _mirror_words(words: str) -> str:
    return _SIDES.sub(lambda side: _MIRROR[side[0]], words)


def _narrative_parts(rng: np.random.Generator) -> Sequence[str]:
    choices = (("narrative",), ("environment", "anomaly"), ("narrative", "environment"))
    return choices[int(rng.choice(3, p=(0.5, 0.3, 0.2)))]


def _focused_parts(truth: SpanTruth, rng: np.random.Generator) -> Sequence[str]:
    later = ["target", "motion", "trajectory", "environment", "absent", *follow_up_parts(truth)]
    shares = np.array([2.0, 2.0, 2.0, 0.5, 1.0, *[0.5] * (len(later) - 5)])
    shares[[not can_say(truth, part) for part in later]] = 0.0
    # Heatmap and video are most of a sequence: several turns cost little more than one.
    count = min(int(rng.integers(2, 5)), int((shares > 0).sum()))
    drawn_parts = rng.choice(later, count, replace=False, p=shares / shares.sum())
    parts = [str(part) for part in drawn_parts]
    if rng.random() < 0.3:
        whole = ("anomaly", "target", "motion", "trajectory")
        return [part for part in whole if can_say(truth, part)]
    return ["anomaly", *parts] if rng.random() < 0.75 else parts


def _turn(truth: SpanTruth, part: str, rng: np.random.Generator) -> tuple[str, str]:
    if part == "absent":
        there = truth.target in ACTIONS and rng.random() > _ABSENT_SHARE
        others = [name for name in ACTIONS if name != truth.target]
        other = str(truth.target) if there else str(rng.choice(others))
        turn = absent_turn(truth, other, int(rng.integers(16)))
        return turn.question, str(rng.choice(turn.references))
    forms = QUESTIONS[part]
    question = forms[0] if rng.random() < _FIRST_FORM_SHARE else str(rng.choice(forms))
    return question, str(rng.choice(references(truth, part)))
