"""Each benchmark's layout is read as its authors publish it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.core.errors import BadInputError
from engine.lab.datasets.dataset import ALL, Video
from engine.lab.datasets.registry import open_dataset
from tests.lab.datasets import miniature_datasets as mini


def same_truth(video: Video) -> None:
    """Labels and masks are those of the miniature."""
    assert video.labels().tolist() == mini.LABELS
    masks = video.masks()
    assert masks is not None
    assert masks.size == mini.SIZE
    assert np.array_equal(np.stack(list(masks)), mini.MASKS)


def test_repacked_ped(tmp_path: Path) -> None:
    data = open_dataset("ped2", mini.repacked_ped(tmp_path))
    assert data.splits == ("train", "test")
    videos = data.videos()
    assert [video.name for video in videos] == ["01", "02", "10"]
    assert {video.camera for video in videos} == {"ped2"}
    assert videos[0].path == tmp_path / "testing/frames/01"
    for video in videos:
        same_truth(video)
        assert video.tracks() is None
        assert video.derived_tracks
    assert data.normal("ped2") == [tmp_path / "training/frames/01"]
    train = data.videos("train")[0]
    assert not train.labels().any()
    masks = train.masks()
    assert masks is not None
    assert (len(masks), masks.size) == (4, mini.SIZE)
    assert not masks[3].any()


def test_original_ped_and_the_folder_above_it(tmp_path: Path) -> None:
    mini.original_ped(tmp_path / "UCSDped1")
    for root in (tmp_path, tmp_path / "UCSDped1"):
        videos = open_dataset("ped1", root).videos()
        assert [video.name for video in videos] == ["Test001", "Test002"]
        for video in videos:
            same_truth(video)
    assert open_dataset("ped1", tmp_path).normal() == [tmp_path / "UCSDped1/Train/Train001"]


def test_original_ped_without_masks_has_the_labels_of_its_m_file(tmp_path: Path) -> None:
    mini.original_ped(tmp_path)
    for path in (tmp_path / "Test/Test002_gt").iterdir():
        path.unlink()
    (tmp_path / "Test/Test002_gt").rmdir()
    with pytest.raises(BadInputError, match="no readable folder"):
        open_dataset("ped1", tmp_path).videos()[1].labels()
    (tmp_path / "Test/UCSDped1.m").write_text(
        "TestVideoFile = {};\nTestVideoFile{end+1}.gt_frame = [3:8];\n"
        "TestVideoFile{end+1}.gt_frame = [1:2, 9:10];\n"
    )
    first, second = open_dataset("ped1", tmp_path).videos()
    same_truth(first)
    assert np.flatnonzero(second.labels()).tolist() == [0, 1, 8, 9]
    assert second.masks() is None


def test_avenue(tmp_path: Path) -> None:
    data = open_dataset("avenue", mini.avenue(tmp_path))
    videos = data.videos()
    assert [video.name for video in videos] == [f"{n:02d}" for n in range(1, 12)]
    same_truth(videos[9])
    assert [path.name for path in data.normal()] == ["01.avi", "02.avi"]
    with pytest.raises(BadInputError, match="unknown without annotation"):
        data.videos("train")[0].labels()
    assert data.videos("train")[0].labels(5).tolist() == [False] * 5


def test_shanghaitech(tmp_path: Path) -> None:
    data = open_dataset("shanghaitech", mini.shanghaitech(tmp_path))
    videos = data.videos()
    assert [(video.name, video.camera) for video in videos] == [
        ("01_0014", "01"),
        ("13_0001", "13"),
    ]
    same_truth(videos[1])
    assert [path.stem for path in data.normal("01")] == ["01_001", "01_002"]
    assert len(data.normal()) == 3
    (tmp_path / "testing/test_pixel_mask/01_0014.npy").unlink()
    assert data.videos()[0].masks() is None
    assert data.videos()[0].labels().tolist() == mini.LABELS


def test_ubnormal(tmp_path: Path) -> None:
    data = open_dataset("ubnormal", mini.ubnormal(tmp_path))
    assert data.splits == (ALL,)
    assert data.normal() == []
    videos = {video.name: video for video in data.videos("test")}
    assert list(videos) == [
        "abnormal_scene_1_scenario_2", "normal_scene_1_scenario1_9",
        "abnormal_scene_10_scenario_1_fog", "normal_scene_10_scenario_3_smoke",
    ]  # fmt: skip
    fog = videos["abnormal_scene_10_scenario_1_fog"]
    assert fog.camera == "10"
    assert np.flatnonzero(fog.labels()).tolist() == [3, 4, 5]
    masks = fog.masks()
    assert masks is not None
    expected = [(ids == 2) & (3 <= f <= 5) for f, ids in enumerate(mini.object_ids())]
    assert np.array_equal(np.stack(list(masks)), expected)
    tracks = fog.tracks()
    assert tracks is not None
    assert not fog.derived_tracks
    assert tracks.frames.tolist() == [3, 4, 5]
    assert tracks.boxes.tolist() == [[x, 1, x + 2, 3] for x in (3, 4, 5)]


def test_a_normal_ubnormal_video_takes_length_and_size_from_the_video(tmp_path: Path) -> None:
    videos = open_dataset("ubnormal", mini.ubnormal(tmp_path)).videos()
    bare, masked = videos[1], videos[3]
    with pytest.raises(BadInputError, match="number of frames is unknown"):
        bare.labels()
    with pytest.raises(BadInputError, match="size of the frames is unknown"):
        bare.masks(6)
    masks = bare.masks(6, (20, 10))
    assert masks is not None
    assert (len(masks), masks[5].shape) == (6, (10, 20))
    assert not masks[5].any()
    tracks = bare.tracks(6)
    assert tracks is not None
    assert len(tracks) == 0
    known = masked.masks(6)
    assert known is not None
    assert known.size == mini.SIZE
    with pytest.raises(BadInputError, match="but frames 20x10"):
        masked.masks(6, (20, 10))


@pytest.mark.parametrize("folder", ["", "scripts", "splits"])
def test_ubnormal_splits_are_text_files_of_names(tmp_path: Path, folder: str) -> None:
    mini.ubnormal(tmp_path)
    split_folder = tmp_path / folder
    split_folder.mkdir(exist_ok=True)
    (split_folder / "normal_training_video_names.txt").write_text(
        "normal_scene_10_scenario_3_smoke\r\nnormal_scene_1_scenario1_9"
    )
    (split_folder / "abnormal_training_video_names.txt").write_text("")
    (split_folder / "abnormal_test_video_names.txt").write_text("\nabnormal_scene_1_scenario_2\n")
    data = open_dataset("ubnormal", tmp_path)
    assert data.splits == ("train", "test")
    assert [video.name for video in data.videos()] == ["abnormal_scene_1_scenario_2"]
    assert [path.stem for path in data.normal("10")] == ["normal_scene_10_scenario_3_smoke"]
    assert len(data.normal()) == 2
    with pytest.raises(BadInputError, match=r"no split 'validation' here.*choose one of"):
        data.videos("validation")
    (split_folder / "abnormal_test_video_names.txt").write_text("abnormal_scene_9_scenario_9\n")
    with pytest.raises(BadInputError, match="1 of 1 videos of the test split are missing"):
        open_dataset("ubnormal", tmp_path).videos()


def test_overlapping_and_repeated_rows_are_tracks_of_their_own(tmp_path: Path) -> None:
    name = "abnormal_scene_3_scenario_1"
    mini.ubnormal_video(tmp_path, name, "2,0,1\n7,1,3\n2,8,9\n", mini.object_ids())
    video = open_dataset("ubnormal", tmp_path).videos()[0]
    tracks = video.tracks()
    assert tracks is not None
    rows = sorted(zip(tracks.track_ids.tolist(), tracks.frames.tolist(), strict=True))
    assert rows == [(0, 0), (0, 1), (1, 1), (1, 2), (1, 3), (2, 8), (2, 9)]
    masks = video.masks()
    assert masks is not None
    assert np.array_equal(masks[1], mini.object_ids()[1] > 0)
    assert not masks[5].any()


@pytest.mark.parametrize(("frames", "last"), [(12, False), (8, True), (10, False)])
def test_a_slightly_other_length_is_fitted_and_stated(
    tmp_path: Path, frames: int, last: bool
) -> None:
    video = open_dataset("avenue", mini.avenue(tmp_path)).videos()[0]
    labels, masks = video.labels(frames), video.masks(frames)
    assert masks is not None
    assert len(labels) == len(masks) == len(list(masks)) == frames
    assert labels[-1] == masks[frames - 1].any() == last
    assert bool(video.length_note(frames)) == (frames != 10)
    with pytest.raises(BadInputError, match="10 annotated frames but 13 frames of video"):
        video.labels(13)
