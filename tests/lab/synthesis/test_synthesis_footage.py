from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from engine.cli.main import run
from engine.core.errors import BadInputError, CancelledError
from engine.core.geometry import CELLS
from engine.core.progress import CancelToken, Progress
from engine.lab.datasets.registry import open_dataset
from engine.lab.synthesis.footage.contact_sheet import contact_sheet
from engine.lab.synthesis.footage.write_footage import FootageRequest, RenderedSplit, write_footage
from engine.lab.synthesis.phrases import ABNORMAL, CLASSES
from engine.lab.synthesis.target_truth import MIN_VISIBLE_PIXELS

REQUEST = FootageRequest(3, 5, "test", (128, 72), 2.0)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RenderedSplit]:
    root = tmp_path_factory.mktemp("footage")
    return root, write_footage(root, REQUEST)


def digests(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def truths(root: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text("utf-8")) for path in sorted(root.rglob("*_targets.json"))]


def test_spans_rows_and_masks_agree(written: tuple[Path, RenderedSplit]) -> None:
    root, _ = written
    abnormal = (root / "abnormal_test_video_names.txt").read_text().split()
    for truth in truths(root):
        name = truth["video"]
        folder = root / f"Scene{name.split('_')[2]}" / f"{name}_annotations"
        masks = [
            cv2.imread(str(folder / f"{name}_{frame:04d}_gt.png"), cv2.IMREAD_UNCHANGED)
            for frame in range(truth["frames"])
        ]
        rows = []
        for target in truth["targets"]:
            assert target["class"] in CLASSES
            assert {target["from"], target["to"]} <= set(CELLS)
            assert target["appearance"]
            spans, first = target["abnormal_spans"], target["first_frame"]
            assert target["abnormal"] == bool(spans)
            assert target["abnormal"] <= (target["class"] in ABNORMAL)
            rows += [f"{target['object_id']},{a},{b}" for a, b in spans]
            ends = [first - 1]
            for class_name, begin, end in target["class_spans"]:
                assert class_name in CLASSES
                assert begin == ends[-1] + 1
                ends.append(end)
            assert ends[-1] == target["last_frame"]
            for edge in (first, target["last_frame"]):
                assert (masks[edge] == target["object_id"]).sum() >= MIN_VISIBLE_PIXELS
        tracks = folder / f"{name}_tracks.txt"
        assert (tracks.read_text().splitlines() if tracks.exists() else []) == rows
        assert (name in abnormal) == bool(rows)


def test_the_layout_opens_as_ubnormal(written: tuple[Path, RenderedSplit]) -> None:
    videos = open_dataset("ubnormal", written[0]).videos("test")
    assert len(videos) == 3


def test_same_bytes_with_two_processes_and_after_a_stop(
    written: tuple[Path, RenderedSplit], tmp_path: Path
) -> None:
    token, told = CancelToken(), list[Progress]()

    def report(progress: Progress) -> None:
        told.append(progress)
        token.cancel()

    with pytest.raises(CancelledError):
        write_footage(tmp_path, REQUEST, 1, report, token)
    assert [(p.done, p.total) for p in told] == [(1, 3)]
    half = next(tmp_path.glob("Scene*/*_annotations"))
    (half.parent / "abnormal_scene_2001_scenario_2_annotations").mkdir(exist_ok=True)
    done = write_footage(tmp_path, REQUEST, 2)
    assert digests(tmp_path) == digests(written[0])
    assert done.rendered_frames < done.frames == written[1].frames
    assert write_footage(tmp_path, REQUEST).rendered_frames == 0


def test_another_request_is_refused_and_another_split_is_not(tmp_path: Path) -> None:
    tiny = FootageRequest(1, 1, "train", (64, 64), 2.0)
    write_footage(tmp_path, tiny)
    with pytest.raises(BadInputError, match="another train split"):
        write_footage(tmp_path, replace(tiny, seed=2))
    write_footage(tmp_path, replace(tiny, split="validation"))
    scenes = {path.name for path in tmp_path.glob("Scene*")}
    assert scenes == {"Scene1", "Scene1001"}


@pytest.mark.parametrize(
    "change",
    [{"videos": 0}, {"seed": -1}, {"split": "holdout"}, {"size": (63, 64)}, {"seconds": 0.5}],
)
def test_bad_values_are_named_before_anything_is_written(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    with pytest.raises(BadInputError):
        write_footage(tmp_path / "set", replace(REQUEST, **change))
    assert not (tmp_path / "set").exists()


def test_what_is_drawn_keeps_its_promises() -> None:
    requests = [FootageRequest(45, 3, split) for split in ("train", "test")]
    cameras: list[set[Any]] = []
    for request in requests:
        specs = [request.spec(index) for index in range(request.videos)]
        cameras.append({spec.scene.camera for spec in specs})
        abnormal = [[a for a in spec.actors if a.abnormal] for spec in specs]
        assert sum(map(bool, abnormal)) == 30
        several = [len({a.class_name for a in actors}) > 1 for actors in abnormal if actors]
        assert np.mean(several) > 0.4
        all_abnormal = [actor for actors in abnormal for actor in actors]
        assert {actor.class_name for actor in all_abnormal} == set(ABNORMAL)
        slow = [a.speed <= 2.2 and a.kind != "vehicle" for a in all_abnormal]
        assert np.mean(slow) >= 1 / 3
        odd = [
            any(
                a.class_name not in ("walking", "standing") or "with" in a.words() for a in s.actors
            )
            for s, actors in zip(specs, abnormal, strict=True)
            if not actors
        ]
        assert np.mean(odd) > 0.8
        assert len({spec.fps for spec in specs}) >= 4
        assert {spec.sensor.look for spec in specs} == {"colour", "grey", "infrared"}
        for spec in specs:
            assert sorted(a.number for a in spec.actors) == list(range(1, len(spec.actors) + 1))
    assert not cameras[0] & cameras[1]


def test_the_command_renders_and_says_what_it_did(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["synth", "--to", str(tmp_path / "set"), "--videos", "1", "--seed", "4"]
    words += ["--size", "64x64", "--seconds", "2", "--processes", "1"]
    assert run([*words, "--json"]) == 0
    done = json.loads(capsys.readouterr().out)
    assert (done["videos"], done["rendered_frames"]) == (1, done["frames"])
    assert contact_sheet(tmp_path / "set").shape == (180, 320, 3)
    assert run([*words, "--split", "holdout"]) == 2
    assert run([*words[:-4], "--size", "64", "--seconds", "2"]) == 2
    errors = capsys.readouterr().err.strip().splitlines()
    assert len(errors) == 2
    assert all(line.startswith("error: ") for line in errors)
