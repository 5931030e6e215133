"""The sentences of dialogues: enough forms, true words, and a list of all of them."""

from __future__ import annotations

import numpy as np
import pytest

from engine.dialogue.answer_parsing import cells_in, yes_or_no
from engine.lab.dialogue_corpus.answer_words import ACTIONS, action_in, colour_in, fact_word_spans
from engine.lab.dialogue_corpus.samples.detector_noise import (
    add_heatmap_noise,
    agrees,
    random_target_heatmap,
)
from engine.lab.dialogue_corpus.wording import (
    QUESTIONS,
    SpanTruth,
    absent_turn,
    colour_of,
    interview,
    references,
    vocabulary,
)
from engine.lab.training.dialogue.training_sample import mirror

WORN = {"upper": "orange", "lower": "black", "garment": "skirt", "bag": "red backpack"}
TRUTH = SpanTruth(
    "running", "plaza", False, 2, "person", WORN, "top left", "bottom right", "down-right"
)
NORMAL = SpanTruth(None, "park", True, 0)


@pytest.mark.parametrize("truth", [TRUTH, NORMAL])
@pytest.mark.parametrize("part", ["anomaly", "target", "motion", "trajectory", "environment"])
def test_every_part_has_six_forms_of_question_and_answer(truth: SpanTruth, part: str) -> None:
    assert len(set(references(truth, part))) >= 6
    assert len(set(QUESTIONS[part])) >= 6


def test_the_first_answer_has_five_parts() -> None:
    for answer in references(TRUTH, "anomaly"):
        assert yes_or_no(answer) is True
        assert colour_in(answer) == "orange"
        assert action_in(answer) == "running"
        assert cells_in(answer) == ("top left", "bottom right")


def test_answers_are_sentences() -> None:
    assert "an orange top and a black skirt, with a red backpack" in references(TRUTH, "target")[0]
    assert "running down and to the right" in references(TRUTH, "motion")[0]
    assert references(NORMAL, "anomaly")[0].startswith("No")
    assert "nobody else" in references(NORMAL, "environment")[0]


def test_normal_spans_are_asked_what_can_be_answered() -> None:
    assert [turn.part for turn in interview(NORMAL)] == ["anomaly", "environment"]
    assert len(interview(TRUTH)) == 5


@pytest.mark.parametrize("other", sorted(ACTIONS))
def test_what_is_not_there_is_denied(other: str) -> None:
    turn = absent_turn(TRUTH, other, 0)
    verdicts = {yes_or_no(reference) for reference in turn.references}
    assert verdicts == {other == "running"}


def test_a_vehicle_is_described_by_itself() -> None:
    car = SpanTruth("driving", "street", False, 0, "vehicle", {"vehicle": "white van"}, "top left",
                "top right", "right")  # fmt: skip
    assert references(car, "target")[0] == "The target is a white van."
    assert colour_of(car) == "white"


def test_the_vocabulary_lists_every_word_of_every_answer() -> None:
    known_words = set(vocabulary())
    for truth in (TRUTH, NORMAL):
        for part in ("anomaly", "target", "motion", "trajectory", "environment", "narrative"):
            for answer in references(truth, part):
                words = "".join(c if c.isalpha() or c == "-" else " " for c in answer.lower())
                assert set(words.split()) <= known_words, answer


def test_a_mirrored_span_has_mirrored_words() -> None:
    other = mirror(TRUTH)
    assert (other.from_cell, other.to_cell) == ("top right", "bottom left")
    assert other.direction == "down-left"
    assert mirror(other) == TRUTH


def test_maps_that_err_still_show_the_target_and_nothing_else_beyond_the_limit() -> None:
    truth = np.zeros((7, 20, 30), np.float32)
    truth[:, 5:9, 5:9] = 0.95
    for seed in range(20):
        noisy = add_heatmap_noise(truth, np.random.default_rng(seed))
        hot = noisy.max((1, 2)) >= 0.5
        # It may be missed on its way, not at its ends.
        assert hot[0]
        assert hot[-1]
        assert agrees(noisy[hot], truth[hot])
        usual = add_heatmap_noise(np.zeros_like(truth), np.random.default_rng(seed))
        assert usual.max() < 0.5
        assert agrees(usual, np.zeros_like(truth))


def test_maps_that_show_something_else_are_no_evidence_of_the_target() -> None:
    truth = np.zeros((7, 20, 30), np.float32)
    truth[:, 5:9, 5:9] = 0.95
    elsewhere = np.roll(truth, 15, axis=2)
    assert not agrees(elsewhere, truth)
    assert not agrees(np.zeros_like(truth), truth)
    assert not agrees(truth, np.zeros_like(truth))


def test_a_wandering_target_is_there_in_every_step_and_mostly_moves() -> None:
    moved = 0
    for seed in range(40):
        heat = random_target_heatmap((7, 36, 64), np.random.default_rng(seed))
        assert heat.any((1, 2)).all()
        assert set(np.unique(heat)) <= {0.0, 1.0}
        moved += not np.array_equal(heat[0], heat[-1])
    assert 25 <= moved < 40


def test_actions_and_colours_are_found_in_an_answer() -> None:
    text = "A person in a dark blue top is riding a bicycle from the Top Left to the middle centre."
    assert action_in(text) == "cycling"
    assert colour_in(text) == "dark blue"


def test_the_words_that_claim_something_are_told_from_how_it_is_said() -> None:
    text = (
        "No, it went from the top left to the middle centre, in a dark blue top, riding a bicycle."
    )
    words = [text[first:last] for first, last in fact_word_spans(text)]
    assert words == ["No", "top left", "middle centre", "dark blue", "riding a bicycle"]
