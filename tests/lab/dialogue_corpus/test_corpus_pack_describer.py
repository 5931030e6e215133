"""What cannot be measured is asked of a language model that sees pictures, or read from labels."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.cli.main import run
from engine.core.errors import CancelledError, ResourceError
from engine.core.progress import CancelToken
from engine.lab.datasets.registry import open_dataset
from engine.lab.dialogue_corpus.building.description_forms import (
    DescriptionForm,
    DescriptionQuestion,
)
from engine.lab.dialogue_corpus.building.frame_stage import BuildRequest, build_frames
from engine.lab.dialogue_corpus.building.pack_describer import open_describer
from engine.lab.dialogue_corpus.files.dialogue_files import SPLITS, read_dialogues
from engine.lab.dialogue_corpus.files.frame_records import ASKED, LABELLED, MEASURED
from engine.lab.dialogue_corpus.files.timeline_files import read_frames, read_videos
from engine.lab.synthesis.footage.write_footage import FootageRequest, write_footage
from engine.media import hash_file
from engine.packs.manifest_schema import BackboneUse
from engine.packs.pack import Pack, write_pack
from engine.packs.pack_folders import WEIGHTS_VARIABLE
from engine.packs.prompt_sets import dump_prompts
from tests.lab.dialogue_corpus.building_material import write_ubnormal
from tests.packs.pack_material import PROMPTS, make_pack, manifest
from tests.tvad.local_models import write_qwen

WALKS = json.dumps({"kind": "person", "appearance": "red top, blue trousers", "action": "walking"})
PARK = json.dumps({"place": "a car park"})


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("weights")
    write_qwen(folder / "tiny-qwen")
    return folder


@pytest.fixture
def pack(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pack:
    """A pack whose language model is a Qwen2.5-VL with random weights."""
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(weights))
    files = {
        f"tiny-qwen/{path.name}": str(hash_file(path)["sha256"])
        for path in (weights / "tiny-qwen").iterdir()
    }
    use = BackboneUse("qwen2.5-vl", {"model": "tiny-qwen"}, files, {})
    prompts = dump_prompts(PROMPTS).encode()
    return write_pack(tmp_path / "sees", manifest("sees", backbone=use), {"prompts.yaml": prompts})


class Says:
    """A model that describes what it is shown, and stops after some answers."""

    name = "says"

    def __init__(self, stops_after: int = 10_000) -> None:
        self.left = stops_after
        self.asked: list[DescriptionQuestion] = []

    def say(self, question: DescriptionQuestion, cancel: object) -> str:
        if not self.left:
            raise ResourceError("the language model stopped", self.name, "run it again")
        self.left -= 1
        self.asked.append(question)
        if "What place" in question.question:
            return PARK
        # Every fourth question is refused at first.
        return "I cannot say." if len(self.asked) % 4 == 0 else WALKS


def _request(tmp_path: Path, folder: str, model: Any) -> BuildRequest:
    root = tmp_path / "ubnormal"
    dataset = open_dataset("ubnormal", root if root.is_dir() else write_ubnormal(root))
    return BuildRequest(dataset, dataset.splits, tmp_path / folder, rate=1.0, describer=model)


def test_a_small_qwen_is_asked_and_what_does_not_fit_is_counted(
    pack: Pack,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(DescriptionForm, "max_tokens", 12)
    root, to = write_ubnormal(tmp_path / "ubnormal"), tmp_path / "out"
    words = ["dialogues", "build", "--dataset", "ubnormal", "--root", str(root), "--to", str(to)]
    words += ["--rate", "0.5", "--pack", str(pack.folder), "--json", "--quiet"]
    assert run(words) == 0
    counts = json.loads(capsys.readouterr().out)["counts"]["frames"]
    answers = {name: count for name, count in counts.items() if name.startswith("answer: ")}
    # Its random weights never say JSON: two places and the records, three tries each.
    assert sum(answers.values()) == 3 * (counts["records"] + counts["videos"])
    assert "answer: fits" not in answers
    assert {record.source for record in read_frames(to)} == {MEASURED}
    assert run(words) == 0
    assert json.loads(capsys.readouterr().out)["counts"]["frames"] == counts


def test_equal_pictures_get_equal_answers_and_it_can_be_stopped(pack: Pack) -> None:
    model = open_describer(str(pack.folder), "cpu")
    rng = np.random.default_rng(3)
    pictures = [rng.integers(0, 255, (120, 200, 3)).astype(np.uint8) for _ in range(4)]
    answers = [
        model.say(DescriptionQuestion(picture, 80, "what is it", 8), None)
        for picture in (*pictures, pictures[0])
    ]
    assert answers[0] == answers[-1]
    assert len(set(answers)) > 1
    token = CancelToken()
    token.cancel()
    with pytest.raises(CancelledError):
        model.say(DescriptionQuestion(pictures[0], 80, "what is it", 8), token)


def test_a_question_longer_than_the_context_is_no_crash(pack: Pack) -> None:
    model = open_describer(str(pack.folder), "cpu")
    model._runtime._context = 20  # type: ignore[attr-defined]
    picture = np.zeros((120, 200, 3), np.uint8)
    with pytest.raises(ResourceError, match="positions for a model of 20"):
        model.say(DescriptionQuestion(picture, 80, "what is it", 8), None)


def test_a_pack_that_sees_no_pictures_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blind = make_pack(tmp_path)
    root, to = write_ubnormal(tmp_path / "ubnormal"), tmp_path / "out"
    words = ["dialogues", "build", "--dataset", "ubnormal", "--root", str(root), "--to", str(to)]
    assert run([*words, "--pack", str(blind.folder), "--quiet"]) == 4
    assert "sees no pictures" in capsys.readouterr().err
    assert run([*words, "--pack", "no-such-pack", "--quiet"]) == 4
    assert run([*words, "--pack", str(blind.folder), "--labels", "--quiet"]) == 2
    assert not to.exists()


def test_answers_go_into_records_places_into_dialogues(tmp_path: Path) -> None:
    model = Says()
    request = _request(tmp_path, "out", model)
    counts = build_frames(request)
    assert counts["answer: refused"] > 0
    assert counts["answer: fits"] == counts["records"] + counts["videos"]
    assert {record.source for record in read_frames(request.folder)} == {ASKED}
    assert {video.surroundings for video in read_videos(request.folder)} == {"car park"}
    # The target is kept sharp, the rest is blurred: the picture is not the frame.
    assert all(
        question.height == 24 for question in model.asked if "What place" not in question.question
    )


def test_a_model_that_stops_goes_on_where_it_was(tmp_path: Path) -> None:
    whole = Says()
    request = _request(tmp_path, "whole", whole)
    build_frames(request)
    stopped = _request(tmp_path, "stopped", None)
    while True:
        model = Says(stops_after=4)
        try:
            build_frames(replace(stopped, describer=model))
        except ResourceError:
            continue
        break
    for name in ("frames.jsonl", "videos.jsonl", "troubles.jsonl"):
        assert (stopped.folder / name).read_bytes() == (request.folder / name).read_bytes()
    assert not list((stopped.folder / "parts").glob("*.answers"))


def test_a_line_that_a_killed_run_did_not_end_is_asked_again(tmp_path: Path) -> None:
    request = _request(tmp_path, "out", Says(stops_after=5))
    with pytest.raises(ResourceError):
        build_frames(request)
    (journal,) = (request.folder / "parts").glob("*.answers")
    lines = journal.read_text().splitlines()
    journal.write_text("\n".join(lines[:-1]) + "\n" + lines[-1][:9])
    model = Says(stops_after=1)
    with pytest.raises(ResourceError):
        build_frames(replace(request, describer=model))
    assert journal.read_text().splitlines()[: len(lines) - 1] == lines[:-1]
    assert all(json.loads(line) for line in journal.read_text().splitlines())


def test_another_model_or_rate_describes_anew(tmp_path: Path) -> None:
    plain = _request(tmp_path, "out", None)
    first = build_frames(plain)
    assert {record.source for record in read_frames(plain.folder)} == {MEASURED}
    build_frames(replace(plain, describer=Says()))
    assert {record.source for record in read_frames(plain.folder)} == {ASKED}
    assert build_frames(replace(plain, rate=2.0))["records"] > first["records"]


def test_rendered_footage_says_itself_what_its_targets_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, to = tmp_path / "footage", tmp_path / "out"
    write_footage(root, FootageRequest(2, 5, "train", (256, 144), 3.0))
    words = ["dialogues", "build", "--dataset", "ubnormal", "--root", str(root), "--to", str(to)]
    assert run([*words, "--labels", "--quiet"]) == 0
    records = read_frames(to)
    assert {record.source for record in records} == {LABELLED}
    assert all(
        record.description is not None and record.description["action"] for record in records
    )
    dialogues = [dialogue for split in SPLITS for dialogue in read_dialogues(to, split)]
    assert all("environment" in {turn.part for turn in dialogue.turns} for dialogue in dialogues)
    assert not any("other people" in form for dialogue in dialogues for turn in dialogue.turns
                   for form in turn.references)  # fmt: skip
    (next(root.rglob("*_targets.json"))).unlink()
    capsys.readouterr()
    assert run([*words, "--labels", "--quiet"]) == 2
    assert "render again" in capsys.readouterr().err
