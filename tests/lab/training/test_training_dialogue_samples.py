"""What is drawn to learn from stays true: places follow the map, looks follow what is hot."""

from __future__ import annotations

import numpy as np

from engine.lab.dialogue_corpus.samples.dialogue_samples import TRUE, DialogueSample, HeatmapInputs
from engine.lab.dialogue_corpus.samples.relocation import end_cells
from engine.lab.dialogue_corpus.wording import SpanTruth
from engine.lab.training.dialogue.training_sample import (
    FOCUSED,
    TrainingSample,
    draw_training_sample,
)

_WORN = {"upper": "red", "lower": "black", "garment": "trousers", "bag": "none"}


def _sample() -> DialogueSample:
    """One person who runs from the left to the middle, in every step of 24 rows, 36 columns."""
    heat = np.zeros((7, 24, 36), np.float32)
    for step in range(7):
        heat[step, 10:14, 2 + 2 * step : 5 + 2 * step] = 0.95
    truth = SpanTruth("running", "park", False, 1, "person", _WORN, "middle left", "middle centre",
                  "right")  # fmt: skip
    return DialogueSample(
        "a", (0, 40), truth, {TRUE: HeatmapInputs(heat, np.ones((8, 4, 5), np.float32))}
    )


def _training_samples() -> list[TrainingSample]:
    sample = _sample()
    return [
        draw_training_sample(sample, FOCUSED, np.random.default_rng(seed)) for seed in range(300)
    ]


def test_places_are_those_of_the_part_that_is_hot() -> None:
    right, starts = [], set()
    for drawn in _training_samples():
        hot = drawn.heat[drawn.heat.max((1, 2)) >= 0.5]
        right.append(end_cells(hot) == (drawn.truth.from_cell, drawn.truth.to_cell))
        starts.add(drawn.truth.from_cell)
    # A map that was made to err is larger or softer, which moves few of them over an edge.
    assert np.mean(right) > 0.9
    assert len(starts) == 9


def test_some_are_seen_on_a_part_of_their_way_and_nothing_of_them_elsewhere() -> None:
    hot_steps = []
    for drawn in _training_samples():
        cold = drawn.heat.max((1, 2)) < 0.5
        hot_steps.append(7 - int(cold.sum()))
        visible = drawn.video[:, 1:].max((1, 2)) > 0
        assert visible.any()
        assert visible[0] == (not cold[0])
        assert visible[-1] == (not cold[-1])
        assert np.all(drawn.video[:, 0] == 1)
    assert min(hot_steps) == 1
    assert np.mean(np.array(hot_steps) == 7) > 0.5
