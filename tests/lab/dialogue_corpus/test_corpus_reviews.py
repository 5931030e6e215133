"""What people made of built records and sentences: kept for good, and heeded by the dialogues."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from engine.core.errors import BadInputError, ResourceError
from engine.lab.datasets.registry import open_dataset
from engine.lab.dialogue_corpus.building.dialogue_stage import build_dialogues
from engine.lab.dialogue_corpus.building.frame_stage import BuildRequest
from engine.lab.dialogue_corpus.files.dialogue_files import SPLITS, CorpusDialogue, read_dialogues
from engine.lab.dialogue_corpus.files.json_lines import write_lines
from engine.lab.dialogue_corpus.files.reviews import ANSWER, REVIEWS, CorpusReviews, ReviewSubject
from engine.lab.dialogue_corpus.files.timeline_files import DROPPED, read_checks, read_frames
from engine.lab.dialogue_corpus.samples.dialogue_samples import DialogueSample, HeatmapInputs
from engine.lab.dialogue_corpus.wording import SpanTruth, interview
from engine.lab.training.dialogue.training_sample import FOCUSED, NARRATIVE, draw_training_sample
from tests.lab.dialogue_corpus.building_material import run_to_checks, write_ubnormal

WHO = "ann@lab"
VIDEO = "abnormal_scene_1_scenario_1"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reviewing")
    dataset = open_dataset("ubnormal", write_ubnormal(folder / "ubnormal"))
    run_to_checks(BuildRequest(dataset, dataset.splits, folder / "out"))
    build_dialogues(folder / "out", 1)
    return folder / "out"


@pytest.fixture
def folder(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "out"))


def _dialogues(folder: Path, video: str = VIDEO) -> list[CorpusDialogue]:
    every = [dialogue for split in SPLITS for dialogue in read_dialogues(folder, split)]
    return [dialogue for dialogue in every if dialogue.video == video]


def _answers(dialogues: Sequence[CorpusDialogue], part: str) -> set[str]:
    return {form for dialogue in dialogues for turn in dialogue.turns if turn.part == part
            for form in turn.references}  # fmt: skip


def test_reviews_are_only_added_and_say_who_and_when(folder: Path) -> None:
    reviews, subject = CorpusReviews(folder), ReviewSubject("target", VIDEO, 0)
    reviews.add(subject, "rejected", WHO)
    first = (folder / REVIEWS).read_bytes()
    reviews.add(subject, "corrected", "bob@lab", {"upper": "pink\n\u202e"})
    assert (folder / REVIEWS).read_bytes().startswith(first)
    again = CorpusReviews(folder)
    assert again.all == reviews.all
    standing = again.of(subject)
    assert standing is not None
    assert (standing.verdict, standing.changes, standing.who) == (
        "corrected",
        {"upper": "pink"},
        "bob@lab",
    )
    assert standing.when.endswith("+00:00")
    assert again.undo(WHO) == standing
    assert again.of(subject) == reviews.all[0]
    again.undo(WHO)
    assert again.undo(WHO) is None
    assert again.of(subject) is None
    assert [review.undoes for review in CorpusReviews(folder).all] == [None, None, 2, 1]


def test_a_full_disk_adds_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reviews = CorpusReviews(folder)
    reviews.add(ReviewSubject("target", VIDEO, 0), "accepted", WHO)
    before = (folder / REVIEWS).read_bytes()

    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ResourceError, match="No space left"):
        reviews.add(ReviewSubject("target", VIDEO, 1), "accepted", WHO)
    monkeypatch.undo()
    assert len(reviews.all) == 1
    assert (folder / REVIEWS).read_bytes() == before


def test_a_damaged_review_is_named_with_its_line(folder: Path) -> None:
    (folder / REVIEWS).write_text('{"number": 1}\n')
    with pytest.raises(BadInputError, match="line 1 is damaged"):
        build_dialogues(folder, 1)


def test_a_rejected_target_is_not_spoken_of_and_no_other_changes(folder: Path) -> None:
    before = _dialogues(folder, VIDEO.replace("scene_1", "scene_2"))
    CorpusReviews(folder).add(ReviewSubject("target", VIDEO, 0), "rejected", WHO)
    counts = build_dialogues(folder, 1)
    assert counts["reviews heeded"] == 1
    assert all(dialogue.target is None for dialogue in _dialogues(folder))
    assert _dialogues(folder, VIDEO.replace("scene_1", "scene_2")) == before


def test_what_the_checks_dropped_is_spoken_of_when_a_person_accepts_it(folder: Path) -> None:
    checks = [check.as_json() | {"verdict": DROPPED} for check in read_checks(folder)]
    write_lines(folder / "checks.jsonl", checks)
    build_dialogues(folder, 1)
    assert not any(dialogue.target is not None for dialogue in _dialogues(folder))
    CorpusReviews(folder).add(ReviewSubject("target", VIDEO, 0), "accepted", WHO)
    build_dialogues(folder, 1)
    assert any(dialogue.target is not None for dialogue in _dialogues(folder))


def test_corrected_attributes_are_what_dialogues_say(folder: Path) -> None:
    spans = [(dialogue.first, dialogue.last) for dialogue in _dialogues(folder)]
    changes = {"upper": "pink", "action": "skating", "kind": "skater"}
    CorpusReviews(folder).add(ReviewSubject("target", VIDEO, 0), "corrected", WHO, changes)
    build_dialogues(folder, 1)
    after = _dialogues(folder)
    assert [(dialogue.first, dialogue.last) for dialogue in after] == spans
    assert all("pink above" in form for form in _answers(after, "target"))
    assert all("skating" in form for form in _answers(after, "motion"))


def test_a_rejected_frame_is_left_out(folder: Path) -> None:
    dialogue = next(d for d in _dialogues(folder) if d.target is not None)
    reviews = CorpusReviews(folder)
    inside = [r.frame for r in read_frames(folder)
              if r.video == VIDEO and dialogue.first <= r.frame <= dialogue.last]  # fmt: skip
    for frame in inside[2:]:
        reviews.add(ReviewSubject("frame", VIDEO, 0, frame, frame), "rejected", WHO)
    build_dialogues(folder, 1)
    after = next(
        o for o in _dialogues(folder) if (o.first, o.last) == (dialogue.first, dialogue.last)
    )
    assert after.truth["to_cell"] == after.truth["from_cell"]
    for frame in inside[:2]:
        reviews.add(ReviewSubject("frame", VIDEO, 0, frame, frame), "rejected", WHO)
    build_dialogues(folder, 1)
    assert (dialogue.first, dialogue.last) not in [(o.first, o.last) for o in _dialogues(folder)]


def test_sentences_are_replaced_or_left_out_here_and_in_training(folder: Path) -> None:
    dialogue = next(d for d in _dialogues(folder) if d.target is not None)
    reviews = CorpusReviews(folder)
    span = (VIDEO, dialogue.target, dialogue.first, dialogue.last)
    reviews.add(
        ReviewSubject("sentence", *span, "motion"), "corrected", WHO, {ANSWER: "It turns left."}
    )
    reviews.add(ReviewSubject("sentence", *span, "trajectory"), "rejected", WHO)
    build_dialogues(folder, 1)
    after = [o for o in _dialogues(folder) if (o.first, o.last) == (dialogue.first, dialogue.last)]
    assert _answers(after, "motion") == {"It turns left."}
    assert not _answers(after, "trajectory")
    assert all("It turns left." in form for form in _answers(after, "anomaly"))
    assert not any("From the" in form for form in _answers(after, "anomaly"))
    truth = SpanTruth.from_json(after[0].truth)
    inputs = HeatmapInputs(np.zeros((7, 4, 6), np.float32), np.zeros((8, 4, 5), np.float32))
    sample, answers = (
        DialogueSample(VIDEO, (dialogue.first, dialogue.last), truth, {"true": inputs}),
        set(),
    )
    for number in range(80):
        rng = np.random.default_rng(number)
        drawn = draw_training_sample(sample, FOCUSED if number % 2 else NARRATIVE, rng)
        assert drawn.turns
        answers |= {answer for _, answer in drawn.turns}
    # Training samples are mirrored, and so is what a person wrote.
    assert {"It turns left.", "It turns right."} <= answers
    assert not any("From the" in answer or "in place" in answer for answer in answers)


def test_a_dialogue_without_anything_to_say_is_none(folder: Path) -> None:
    dialogue = next(d for d in _dialogues(folder) if d.target is not None)
    reviews = CorpusReviews(folder)
    for turn in interview(SpanTruth.from_json(dialogue.truth)):
        subject = ReviewSubject(
            "sentence", VIDEO, dialogue.target, dialogue.first, dialogue.last, turn.part
        )
        reviews.add(subject, "rejected", WHO)
    build_dialogues(folder, 1)
    assert (dialogue.first, dialogue.last) not in [(o.first, o.last) for o in _dialogues(folder)]


def test_reviews_of_what_is_gone_are_counted(folder: Path) -> None:
    CorpusReviews(folder).add(ReviewSubject("target", "no such video", 0), "rejected", WHO)
    counts = build_dialogues(folder, 1)
    assert (counts["reviews heeded"], counts["reviews of what is gone"]) == (0, 1)
    assert json.loads((folder / REVIEWS).read_text())["who"] == WHO
