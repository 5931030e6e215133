"""From masks to checked timelines: what is seen, what is counted, and that stages resume."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.core.errors import BadInputError, CancelledError, ResourceError
from engine.core.geometry import Box
from engine.core.json_input import read_json
from engine.core.progress import CancelToken, Progress
from engine.lab.datasets.registry import open_dataset
from engine.lab.dialogue_corpus.building.frame_stage import BuildRequest, build_frames
from engine.lab.dialogue_corpus.building.sighting_facts import is_grey
from engine.lab.dialogue_corpus.files.frame_records import FrameRecord, decode_mask, encode_mask
from engine.lab.dialogue_corpus.files.json_lines import read_lines, write_lines
from engine.lab.dialogue_corpus.files.timeline_files import read_frames, read_timelines, read_videos
from tests.lab.dialogue_corpus.building_material import (
    HEIGHT,
    WIDTH,
    run_to_checks,
    write_shanghaitech,
    write_ubnormal,
)


def _request(name: str, root: Path, folder: Path) -> BuildRequest:
    dataset = open_dataset(name, root)
    return BuildRequest(dataset, dataset.splits, folder, fps=25.0)


def _built(request: BuildRequest) -> dict[str, bytes]:
    run_to_checks(request)
    return {path.name: path.read_bytes() for path in sorted(request.folder.glob("*.jsonl"))}


@pytest.mark.parametrize(
    ("name", "write"), [("ubnormal", write_ubnormal), ("shanghaitech", write_shanghaitech)]
)
def test_a_target_is_followed_from_masks_to_a_kept_timeline(
    name: str, write: Any, tmp_path: Path
) -> None:
    request = _request(name, write(tmp_path / name), tmp_path / "out")
    _built(request)
    timeline = read_timelines(request.folder)[0]
    assert (timeline.enters, timeline.leaves, timeline.direction) == (
        "middle left",
        "middle left",
        "right",
    )
    assert [statement.value for statement in timeline.path] == [
        "middle left",
        "middle centre",
        "middle left",
    ]
    assert [statement.value for statement in timeline.stops] == ["middle centre"]
    assert timeline.stops[0].first <= 45
    assert timeline.stops[0].last >= 70
    assert {statement.value for statement in timeline.upper} == {"red"}
    assert {statement.value for statement in timeline.lower} == {"blue"}
    assert {value["verdict"] for value in read_lines(request.folder / "checks.jsonl")} == {"kept"}
    assert all(video.frames == 100 for video in read_videos(request.folder))


def test_no_colour_is_named_in_footage_without_any(tmp_path: Path) -> None:
    root = write_ubnormal(tmp_path / "ubnormal", grey=True)
    request = _request("ubnormal", root, tmp_path / "out")
    build_frames(request)
    assert all(video.grey for video in read_videos(request.folder))
    assert {(record.upper, record.lower) for record in read_frames(request.folder)} == {
        (None, None)
    }


def test_one_coat_of_a_colour_makes_a_picture_coloured() -> None:
    image = np.full((180, 320, 3), 120, np.uint8)
    assert is_grey(image)
    image[60:80, 100:108] = (168, 40, 42)
    assert not is_grey(image)


def test_a_killed_stage_goes_on_and_writes_the_same(tmp_path: Path) -> None:
    root = write_ubnormal(tmp_path / "ubnormal")
    whole = _built(_request("ubnormal", root, tmp_path / "whole"))
    token = CancelToken()

    def stop(progress: Progress) -> None:
        token.cancel()

    request = _request("ubnormal", root, tmp_path / "resumed")
    with pytest.raises(CancelledError):
        build_frames(request, stop, token)
    assert not (request.folder / "frames.jsonl").exists()
    assert _built(request) == whole


def test_nothing_written_names_a_time_of_day_or_a_folder(tmp_path: Path) -> None:
    request = _request("ubnormal", write_ubnormal(tmp_path / "ubnormal"), tmp_path / "out")
    for data in _built(request).values():
        assert str(tmp_path).encode() not in data
        assert b"202" not in data.replace(b'"frame": 20', b"")


def _troubles(folder: Path) -> list[str]:
    return [str(value["reason"]) for value in read_lines(folder / "troubles.jsonl")]


def test_an_object_that_never_appears_is_named_and_the_others_are_kept(tmp_path: Path) -> None:
    root = write_ubnormal(tmp_path / "ubnormal", "2,0,99\n9,10,60\n")
    request = _request("ubnormal", root, tmp_path / "out")
    counts = build_frames(request)
    assert counts["troubles"] == 2
    assert all("row 2" in reason for reason in _troubles(request.folder))
    assert {record.target for record in read_frames(request.folder)} == {0}


def test_masks_missing_in_the_middle_cost_their_frames_only(tmp_path: Path) -> None:
    root = write_ubnormal(tmp_path / "ubnormal")
    name = "abnormal_scene_1_scenario_1"
    for frame in range(30, 50):
        (root / "Scene1" / f"{name}_annotations" / f"{name}_{frame:04d}_gt.png").unlink()
    request = _request("ubnormal", root, tmp_path / "out")
    counts = build_frames(request)
    assert counts["troubles"] == 4
    here = [record.frame for record in read_frames(request.folder) if record.video == name]
    assert here == [*range(0, 30, 5), *range(50, 100, 5)]


def _two_bodies(frame: int) -> NDArray[np.bool_]:
    """Two targets that meet in the middle, walk as one for 30 frames, and part again."""
    mask = np.zeros((HEIGHT, WIDTH), np.bool_)
    apart = max(0, 35 - frame, frame - 65)
    for left in (40 - apart, 48 + apart):
        mask[20:44, max(0, left) : left + 8] = True
    return mask


def test_targets_that_merge_and_part_are_named_and_not_taken_for_one(tmp_path: Path) -> None:
    root = write_shanghaitech(tmp_path / "shanghaitech")
    masks = np.array([_two_bodies(frame) for frame in range(100)], np.uint8)
    np.save(root / "testing" / "test_pixel_mask" / "01_0014.npy", masks)
    request = _request("shanghaitech", root, tmp_path / "out")
    build_frames(request)
    assert any("is one with" in reason for reason in _troubles(request.folder))
    records = read_frames(request.folder)
    assert len({record.target for record in records}) == 3
    assert all(record.box.w <= 8 for record in records)
    assert {record.frame for record in records} == {*range(0, 35, 5), *range(70, 100, 5)}


def test_pictures_missing_in_the_middle_of_a_folder_cost_no_other(tmp_path: Path) -> None:
    root = write_shanghaitech(tmp_path / "shanghaitech")
    for frame in range(40, 50):
        (root / "testing" / "frames" / "01_0014" / f"{frame:03d}.jpg").unlink()
    request = _request("shanghaitech", root, tmp_path / "out")
    counts = build_frames(request)
    assert counts["troubles"] >= 1
    assert _troubles(request.folder)


def test_a_disk_that_fills_stops_a_stage_that_goes_on_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_ubnormal(tmp_path / "ubnormal")
    whole = _built(_request("ubnormal", root, tmp_path / "whole"))
    request = _request("ubnormal", root, tmp_path / "full")
    real, written = Path.replace, list[Path]()

    def replace(self: Path, target: Path) -> Path:
        if len(written) == 1:
            raise OSError(28, "No space left on device")
        written.append(target)
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(ResourceError, match="No space left"):
        build_frames(request)
    monkeypatch.undo()
    assert not list(request.folder.rglob("*.part"))
    assert _built(request) == whole


@pytest.mark.parametrize("missing", ["tracks", "masks", "video"])
def test_a_video_without_its_truth_is_named_and_the_other_is_built(
    missing: str, tmp_path: Path
) -> None:
    root = write_ubnormal(tmp_path / "ubnormal")
    name = "abnormal_scene_1_scenario_1"
    folder = root / "Scene1" / f"{name}_annotations"
    if missing == "tracks":
        (folder / f"{name}_tracks.txt").unlink()
    elif missing == "masks":
        for path in folder.glob("*.png"):
            path.unlink()
    else:
        (root / "Scene1" / f"{name}.mp4").write_bytes(b"no video")
    request = _request("ubnormal", root, tmp_path / "out")
    counts = build_frames(request)
    assert counts["troubles"] >= 1
    assert {record.video for record in read_frames(request.folder)} == {
        "abnormal_scene_2_scenario_1"
    }


def test_a_damaged_line_is_named_with_what_to_do(tmp_path: Path) -> None:
    write_lines(tmp_path / "frames.jsonl", [{"video": "v"}])
    with pytest.raises(BadInputError, match="line 1 is damaged"):
        read_frames(tmp_path)
    (tmp_path / "frames.jsonl").write_text("no json\n")
    with pytest.raises(BadInputError, match="line 1 is no JSON object"):
        read_frames(tmp_path)


def test_a_disk_that_fills_leaves_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_given: object, **_named: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(json, "dumps", full)
    with pytest.raises(ResourceError, match="No space left"):
        write_lines(tmp_path / "frames.jsonl", [{"a": 1}])
    assert not list(tmp_path.iterdir())


def test_masks_survive_their_runs() -> None:
    rng = np.random.default_rng(4)
    for _ in range(50):
        height, width = rng.integers(1, 12, 2)
        mask = rng.random((height, width)) < rng.random()
        box = Box(0, 0, int(width), int(height))
        assert np.array_equal(decode_mask(encode_mask(mask), box), mask)
    with pytest.raises(BadInputError):
        decode_mask((3, 4), Box(0, 0, 2, 2))


def test_records_survive_their_lines(tmp_path: Path) -> None:
    request = _request("ubnormal", write_ubnormal(tmp_path / "ubnormal"), tmp_path / "out")
    build_frames(request)
    for record in read_frames(request.folder):
        assert read_json(FrameRecord, record.as_json()) == record
