"""Contradictions that are planted are found; what agrees is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from engine.lab.dialogue_corpus.building.checks import check
from engine.lab.dialogue_corpus.building.description_forms import (
    TARGET,
    DescriptionQuestion,
    describe,
    parse_answer,
)
from engine.lab.dialogue_corpus.building.sightings import Sighting
from engine.lab.dialogue_corpus.building.target_highlight import highlight
from engine.lab.dialogue_corpus.building.timelines import make_timeline
from engine.lab.dialogue_corpus.files.frame_records import FrameRecord
from engine.lab.dialogue_corpus.files.timeline_files import ASIDE, DROPPED, KEPT
from tests.lab.dialogue_corpus.building_material import record

SIZE, FPS, STEP = (640, 360), 25.0, 5
WALKS = {"kind": "person", "appearance": "a red top and blue trousers", "action": "walking"}

Records = list[FrameRecord]


def _walk(
    speed: float = 0.8,
    count: int = 20,
    description: dict[str, str] | None = None,
    upper: str = "red",
) -> Records:
    far = speed * 40 * STEP / FPS
    return [
        record(STEP * n, (100 + far * n, 180), speed=speed, upper=upper, description=description)
        for n in range(count)
    ]


def _verdict(records: Records) -> tuple[str, set[str]]:
    target_check = check(make_timeline(records, FPS, SIZE), records, SIZE)
    return target_check.verdict, {reason.code for reason in target_check.reasons}


def test_what_agrees_is_kept() -> None:
    assert _verdict(_walk()) == (KEPT, set())
    assert _verdict(_walk(description=WALKS)) == (KEPT, set())


def _changed(records: Records) -> Records:
    half = len(records) // 2
    later = [
        record(later_record.frame, later_record.box.centre, upper="white")
        for later_record in records[half:]
    ]
    return [*records[:half], *later]


def _jumped(records: Records) -> Records:
    middle = records[10]
    x, y = middle.box.centre
    return [*records[:10], record(middle.frame, (x + 200, y)), *records[11:]]


PLANTED: dict[str, tuple[Callable[[], Records], str]] = {
    "walks at the speed of a vehicle": (lambda: _walk(4.0, 10, WALKS), "speed"),
    "lies and moves": (
        lambda: _walk(1.2, description={**WALKS, "action": "lying on the ground"}), "speed",
    ),
    "runs and hardly moves": (
        lambda: _walk(0.1, description={**WALKS, "action": "running"}), "speed",
    ),
    "goes the other way": (
        lambda: _walk(description={**WALKS, "action": "walking to the left"}), "direction",
    ),
    "wears other colours": (
        lambda: _walk(description={**WALKS, "appearance": "a yellow coat"}), "colour",
    ),
    "changes its colour": (lambda: _changed(_walk()), "colour_changes"),
    "jumps": (lambda: _jumped(_walk()), "jump"),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_a_contradiction_is_dropped_with_its_reason(name: str) -> None:
    make, code = PLANTED[name]
    verdict, codes = _verdict(make())
    assert verdict == DROPPED
    assert code in codes


def test_what_a_person_should_look_at_is_set_aside() -> None:
    assert _verdict(_walk(count=3)) == (ASIDE, {"short"})


class Says:
    """A model that says one thing after another."""

    name = "says"

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def say(self, question: DescriptionQuestion, cancel: object) -> str:
        self.asked.append(question.question)
        return self.answers.pop(0)


PICTURE = np.zeros((8, 8, 3), np.uint8)
GOOD = '{"kind": "person", "appearance": "red top", "action": "walking"}'


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("", "empty"),
        ("I cannot help with that.", "refused"),
        ("A person walks.", "no JSON"),
        ('{"kind": "person", "app', "cut off"),
        ('{"kind": person}', "malformed"),
        ('{"kind":' * 9000 + "}", "malformed"),
        (GOOD.replace("red top", "I’m sorry, I cannot tell"), "refused"),
        ('{"kind": "person", "action": "walking"}', "without appearance"),
        (GOOD.replace("red top", "r" * 500), "appearance too long or unprintable"),
        (GOOD.replace("red top", "\\u202ered"), "appearance too long or unprintable"),
    ],
)
def test_an_answer_that_does_not_fit_is_counted_and_asked_again(answer: str, why: str) -> None:
    assert parse_answer(answer, TARGET) == (None, why)
    model = Says(answer, f"Here it is: {GOOD}")
    values, counts = describe(model, TARGET, PICTURE, 8)
    assert values == {"kind": "person", "appearance": "red top", "action": "walking"}
    assert counts == Counter({why: 1, "fits": 1})
    assert model.asked[0] != model.asked[1]


def test_a_model_that_never_fits_is_given_up_and_counted() -> None:
    assert describe(Says("", "", ""), TARGET, PICTURE, 8) == (None, Counter(empty=3))


def test_the_target_stays_sharp_and_the_background_does_not() -> None:
    rng = np.random.default_rng(1)
    image = rng.integers(0, 255, (120, 160, 3)).astype(np.uint8)
    frame_record = record(0, (80, 60))
    highlighted = highlight(
        image,
        Sighting(
            1, 0, frame_record.box, np.ones((frame_record.box.h, frame_record.box.w), np.bool_)
        ),
    )
    box = frame_record.box
    inside = np.s_[box.y + 8 : box.y + box.h - 8, box.x + 6 : box.x + box.w - 6]
    assert np.abs(highlighted[inside].astype(int) - image[inside]).mean() < 6
    assert highlighted[:20, :20].std() < image[:20, :20].std() / 3
