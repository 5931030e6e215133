from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from engine.core.directions import CELLS, cell_name, direction_name
from engine.core.errors import BadInputError, CancelledError, ResourceError
from engine.core.geometry import Box
from engine.core.progress import CancelToken, Progress
from engine.lab.synthesis.sample import sample_spec, write_sample
from engine.lab.synthesis.target_truth import LEAST_PIXELS
from engine.lab.synthesis.write_videos import WrittenVideo, write_dataset

SIZE = (192, 108)
SAMPLE = Path(__file__).parents[3] / "resources" / "sample"


def small(to: Path, seed: int = 3, split: str = "test", share: float = 2 / 3) -> list[WrittenVideo]:
    return write_dataset(to, 3, seed, split, share, size=SIZE, seconds=4.0)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[WrittenVideo]]:
    root = tmp_path_factory.mktemp("synthetic")
    return root, small(root)


def masks(video: WrittenVideo) -> list[Any]:
    folder = video.path.with_name(f"{video.name}_annotations")
    paths = [folder / f"{video.name}_{frame:04d}_gt.png" for frame in range(video.frames)]
    return [cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in paths]


def test_the_layout_is_that_of_ubnormal(written: tuple[Path, list[WrittenVideo]]) -> None:
    root, videos = written
    normal = (root / "normal_test_video_names.txt").read_text().split()
    abnormal = (root / "abnormal_test_video_names.txt").read_text().split()
    assert sorted(normal + abnormal) == sorted(video.name for video in videos)
    assert len(abnormal) == 2
    for video in videos:
        match = re.fullmatch(r"(ab)?normal_scene_(\d+)_scenario_\d+", video.name)
        assert match is not None
        assert video.path == root / f"Scene{match[2]}" / f"{video.name}.mp4"
        for mask in masks(video):
            assert mask.dtype == np.uint8
            assert mask.shape == SIZE[::-1]
        tracks = video.path.with_name(f"{video.name}_annotations") / f"{video.name}_tracks.txt"
        assert tracks.exists() == (video.name in abnormal)


def test_the_video_has_as_many_frames_as_masks(written: tuple[Path, list[WrittenVideo]]) -> None:
    for video in written[1]:
        with av.open(str(video.path)) as container:
            stream = container.streams.video[0]
            assert stream.codec_context.name == "h264"
            assert stream.average_rate == 25
            count = sum(1 for _ in container.decode(stream))
        assert count == video.frames == 100


def test_targets_say_what_the_masks_show(written: tuple[Path, list[WrittenVideo]]) -> None:
    for video in written[1]:
        truth = json.loads(video.path.with_name(f"{video.name}_targets.json").read_text("utf-8"))
        pictures = masks(video)
        assert truth["frames"] == len(pictures)
        assert truth["targets"]
        for target in truth["targets"]:
            number = target["object_id"]
            seen = [i for i, m in enumerate(pictures) if (m == number).sum() >= LEAST_PIXELS]
            assert (target["first_frame"], target["last_frame"]) == (seen[0], seen[-1])
            first, last = (
                Box(*cv2.boundingRect((pictures[i] == number).astype(np.uint8))).centre
                for i in (seen[0], seen[-1])
            )
            assert target["from"] == cell_name(*first, *SIZE)
            assert target["to"] == cell_name(*last, *SIZE)
            assert {target["from"], target["to"]} <= set(CELLS)
            moved = direction_name(last[0] - first[0], last[1] - first[1])
            assert target["motion"]["direction"] == moved
            assert target["appearance"]["upper"]


def test_tracks_list_the_abnormal_targets(written: tuple[Path, list[WrittenVideo]]) -> None:
    for video in written[1]:
        rows = [
            f"{t.object_id},{t.first_frame},{t.last_frame}" for t in video.targets if t.abnormal
        ]
        assert bool(rows) == video.name.startswith("abnormal")
        if rows:
            folder = video.path.with_name(f"{video.name}_annotations")
            assert (folder / f"{video.name}_tracks.txt").read_text().splitlines() == rows
        for target in video.targets:
            assert (target.kind == "cyclist") == target.abnormal


def test_same_seed_same_bytes(written: tuple[Path, list[WrittenVideo]], tmp_path: Path) -> None:
    def digests(root: Path) -> dict[str, str]:
        return {
            str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(root.rglob("*"))
            if path.is_file()
        }

    small(tmp_path)
    assert digests(tmp_path) == digests(written[0])


def test_splits_share_a_folder_but_no_scene(tmp_path: Path) -> None:
    names = [
        write_dataset(tmp_path, 1, 3, split, 0.0, size=(64, 64), seconds=2.0)[0].name
        for split in ("train", "validation", "test")
    ]
    assert len({name.split("_")[2] for name in names}) == 3
    assert (tmp_path / "normal_training_video_names.txt").read_text().split() == names[:1]
    assert (tmp_path / "abnormal_validation_video_names.txt").read_text() == ""


@pytest.mark.parametrize(
    ("videos", "seed", "split", "share"),
    [(0, 1, "test", 0.5), (1, -1, "test", 0.5), (1, 1, "holdout", 0.5), (1, 1, "test", 1.5)],
)
def test_bad_arguments_are_named_before_anything_is_written(
    tmp_path: Path, videos: int, seed: int, split: str, share: float
) -> None:
    with pytest.raises(BadInputError):
        write_dataset(tmp_path / "set", videos, seed, split, share)
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize(("size", "seconds"), [((63, 64), 2.0), ((32, 32), 2.0), ((64, 64), 0.1)])
def test_bad_pictures_are_named(tmp_path: Path, size: tuple[int, int], seconds: float) -> None:
    with pytest.raises(BadInputError):
        write_dataset(tmp_path / "set", 1, 1, size=size, seconds=seconds)


def test_nothing_is_written_over_an_older_set(written: tuple[Path, list[WrittenVideo]]) -> None:
    with pytest.raises(BadInputError, match="already"):
        small(written[0], seed=4)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match="cannot be written"):
        small(tmp_path / "file" / "set")
    with pytest.raises(BadInputError, match="not a folder"):
        small(tmp_path / "file")


def test_rendering_can_be_cancelled_and_tells_how_far_it_is(tmp_path: Path) -> None:
    token, told = CancelToken(), list[Progress]()

    def report(progress: Progress) -> None:
        told.append(progress)
        token.cancel()

    with pytest.raises(CancelledError):
        write_dataset(
            tmp_path, 2, 1, "test", 0.0, size=(64, 64), seconds=2.0, progress=report, cancel=token
        )
    assert [(p.done, p.total) for p in told] == [(1, 2)]
    assert not list(tmp_path.glob("*.txt"))


def test_the_sample_is_small_and_a_cyclist_crosses_in_its_second_half() -> None:
    path = SAMPLE / "sample.mp4"
    assert path.stat().st_size <= 1_000_000
    truth = json.loads((SAMPLE / "sample.json").read_text("utf-8"))
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (640, 360)
        assert stream.average_rate == 25
        assert 200 <= stream.frames <= 250
        assert stream.frames == truth["frames"]
    walkers = [t for t in truth["targets"] if not t["abnormal"]]
    (cyclist,) = [t for t in truth["targets"] if t["abnormal"]]
    assert 3 <= len(walkers) <= 5
    assert cyclist["first_frame"] >= truth["frames"] / 2
    assert 2 <= (cyclist["last_frame"] - cyclist["first_frame"]) / truth["fps"] <= 3


def test_the_samples_command_writes_video_and_truth(tmp_path: Path) -> None:
    write_sample(tmp_path / "new", replace(sample_spec(), seconds=0.4))
    truth = json.loads((tmp_path / "new" / "sample.json").read_text("utf-8"))
    assert truth["frames"] == 10
    assert (tmp_path / "new" / "sample.mp4").stat().st_size > 1000
