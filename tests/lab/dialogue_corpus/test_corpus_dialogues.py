"""Dialogues from checked timelines: what is asked, what is left out, that no camera leaks."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.core.geometry import Box
from engine.lab.datasets.registry import open_dataset
from engine.lab.dialogue_corpus.building.dialogue_stage import (
    build_dialogues,
    camera_splits,
    true_heat_from_masks,
)
from engine.lab.dialogue_corpus.building.frame_stage import BuildRequest
from engine.lab.dialogue_corpus.building.sample_page import PAGE, write_page
from engine.lab.dialogue_corpus.files.dialogue_files import SPLITS, CorpusDialogue, read_dialogues
from engine.lab.dialogue_corpus.files.frame_records import encode_mask
from engine.lab.dialogue_corpus.files.json_lines import write_lines
from engine.lab.dialogue_corpus.files.timeline_files import VideoRecord, read_frames
from tests.lab.dialogue_corpus.building_material import (
    HEIGHT,
    WIDTH,
    left_of,
    run_to_checks,
    write_ubnormal,
)


@pytest.fixture(scope="module")
def request_(tmp_path_factory: pytest.TempPathFactory) -> BuildRequest:
    folder = tmp_path_factory.mktemp("building")
    # Object 2 is abnormal in the middle; before and after there is time for normal spans.
    dataset = open_dataset("ubnormal", write_ubnormal(folder / "ubnormal", "2,52,99\n"))
    request = BuildRequest(dataset, dataset.splits, folder / "out")
    run_to_checks(request)
    build_dialogues(request.folder, 1)
    return request


def _all(folder: Path) -> list[CorpusDialogue]:
    return [dialogue for split in SPLITS for dialogue in read_dialogues(folder, split)]


def test_dialogues_say_what_was_measured_and_nothing_else(request_: BuildRequest) -> None:
    abnormal = [dialogue for dialogue in _all(request_.folder) if dialogue.target is not None]
    assert abnormal
    for dialogue in abnormal:
        turns = {turn.part: turn.references for turn in dialogue.turns}
        assert set(turns) == {"anomaly", "target", "motion", "trajectory", "colour", "start", "end"}
        assert all("red above and blue below" in answer for answer in turns["target"])
        assert all(answer.endswith(("in place.", "to the left.")) for answer in turns["motion"])
        assert dialogue.truth["from_cell"] in turns["start"][0]
        assert not re.search(r"\bcar park|square|nobody\b", " ".join(turns["anomaly"]))


def test_spans_without_a_target_keep_away_from_every_one(request_: BuildRequest) -> None:
    normal = [dialogue for dialogue in _all(request_.folder) if dialogue.target is None]
    for dialogue in normal:
        assert dialogue.last < 52 - 12
        assert {turn.part for turn in dialogue.turns} == {"anomaly", "absent"}
        assert all(answer.startswith("No") for turn in dialogue.turns for answer in turn.references)


def test_a_span_is_about_its_largest_target(request_: BuildRequest, tmp_path: Path) -> None:
    """The heatmap shows every target, so of a smaller one nothing can be learnt."""
    for path in request_.folder.glob("*.jsonl"):
        (tmp_path / path.name).write_text(path.read_text())
    records = list(read_frames(request_.folder))
    box = records[0].box
    larger = Box(0, 0, box.w + 2, box.h + 2)
    mask = encode_mask(np.ones((larger.h, larger.w), np.bool_))
    others = [
        replace(frame_record, target=frame_record.target + 1, box=larger, mask=mask)
        for frame_record in records
    ]
    every = sorted(
        [*records, *others],
        key=lambda frame_record: (frame_record.video, frame_record.frame, frame_record.target),
    )
    write_lines(tmp_path / "frames.jsonl", (frame_record.as_json() for frame_record in every))
    build_dialogues(tmp_path, 1)
    assert all(dialogue.target is None for dialogue in _all(tmp_path))


def test_what_was_not_kept_is_not_spoken_of(request_: BuildRequest, tmp_path: Path) -> None:
    for name in ("frames", "timelines", "videos"):
        text = (request_.folder / f"{name}.jsonl").read_text()
        (tmp_path / f"{name}.jsonl").write_text(text)
    write_lines(tmp_path / "checks.jsonl", [])
    build_dialogues(tmp_path, 1)
    assert all(dialogue.target is None for dialogue in _all(tmp_path))


def test_the_same_seed_writes_the_same(request_: BuildRequest) -> None:
    paths = [request_.folder / "dialogues" / f"{split}.jsonl" for split in SPLITS]
    before = [path.read_bytes() for path in paths]
    build_dialogues(request_.folder, 1)
    assert [path.read_bytes() for path in paths] == before


def test_no_camera_is_in_two_splits() -> None:
    def video(camera: int, split: str) -> VideoRecord:
        return VideoRecord(
            f"v{camera}{split}", str(camera), split, "v.mp4", 9, 25.0, (8, 8), 5, "", False
        )

    alone = camera_splits([video(camera, "test") for camera in range(200)])
    shares = [list(alone.values()).count(split) / 200 for split in SPLITS]
    assert shares == pytest.approx([0.8, 0.1, 0.1], abs=0.07)
    both = camera_splits([video(1, "train"), video(2, "test"), video(3, "train"), video(3, "test")])
    assert (both["1"], both["2"]) == ("train", "test")
    assert both["3"] in SPLITS


def test_maps_are_hot_where_the_masks_are(request_: BuildRequest) -> None:
    records = [
        frame_record
        for frame_record in read_frames(request_.folder)
        if frame_record.video.endswith("1_scenario_1")
    ]
    heat = true_heat_from_masks(records, [55, 90], (WIDTH, HEIGHT))
    assert heat.shape[0] == 2
    for frame, heatmap in zip((55, 90), heat, strict=True):
        row, column = np.unravel_index(int(heatmap.argmax()), heatmap.shape)
        assert abs((column + 0.5) * WIDTH / heatmap.shape[1] - left_of(frame) - 4) < 8
        assert 18 < (row + 0.5) * HEIGHT / heatmap.shape[0] < 46
    assert not true_heat_from_masks([], [1, 2], (WIDTH, HEIGHT)).any()


def test_the_page_stands_alone_and_shows_each_split(request_: BuildRequest) -> None:
    counts = write_page(request_.folder, request_.dataset, 25.0)
    text = (request_.folder / PAGE).read_text()
    assert counts["dialogues"] == len(_all(request_.folder))
    assert "data:image/jpeg;base64," in text
    assert "default-src 'none'" in text
    assert not re.search(r"https?://|<script", text)
