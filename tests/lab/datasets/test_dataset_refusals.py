"""Bad roots and damaged files are refused in one line that says what to do."""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import BadInputError
from engine.export.number_rows import read_rows
from engine.lab.datasets.ground_truth_tracks import GroundTruthTracks
from engine.lab.datasets.matfile import read_cells
from engine.lab.datasets.registry import DATASETS, open_dataset
from tests.lab.datasets import miniature_datasets as mini


def test_an_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"unknown data set.*choose one of: ped1, ped2"):
        open_dataset("ped3", tmp_path)


@pytest.mark.parametrize("name", list(DATASETS))
def test_a_root_without_the_layout_is_refused(tmp_path: Path, name: str) -> None:
    for root in (tmp_path, tmp_path / "missing"):
        with pytest.raises(BadInputError) as caught:
            open_dataset(name, root)
        assert caught.value.remedy
        assert "\n" not in caught.value.line()


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("ped2", "testing/frames"),
        ("ped1", "Test"),
        ("avenue", "testing_videos"),
        ("shanghaitech", "testing/frames"),
        ("ubnormal", "Scene1"),
    ],
)
def test_a_layout_without_videos_is_refused(tmp_path: Path, name: str, folder: str) -> None:
    (tmp_path / folder).mkdir(parents=True)
    with pytest.raises(BadInputError, match="no videos"):
        open_dataset(name, tmp_path).videos()


def test_frames_and_masks_must_match_one_to_one(tmp_path: Path) -> None:
    mini.repacked_ped(tmp_path)
    (tmp_path / "testing/frames/01/004.jpg").unlink()
    (tmp_path / "testing/masks/02/004.png").unlink()
    first, second, _ = open_dataset("ped2", tmp_path).videos()
    with pytest.raises(BadInputError, match=r"a mask without a frame, .*004.png"):
        first.labels()
    with pytest.raises(BadInputError, match=r"a frame without a mask, .*004.jpg"):
        second.labels()


def test_a_mask_of_another_size_or_damaged_is_refused(tmp_path: Path) -> None:
    mini.repacked_ped(tmp_path)
    mini.write_image(tmp_path / "testing/masks/01/003.png", np.zeros((5, 5), np.bool_))
    (tmp_path / "testing/masks/02/003.png").write_bytes(b"\x89PNG\r\n\x1a\n cut")
    first, second, _ = open_dataset("ped2", tmp_path).videos()
    with pytest.raises(BadInputError, match="mask of frame 3 is 5x5 pixels instead of 12x8"):
        first.labels()
    with pytest.raises(BadInputError, match="unreadable image"):
        second.labels()


def pickled(path: Path) -> None:
    path.write_bytes(pickle.dumps([1, 2]))


def objects(path: Path) -> None:
    np.save(path, np.array([{}, {}], object), allow_pickle=True)


def flat(path: Path) -> None:
    np.save(path, np.zeros(10))


def other_length(path: Path) -> None:
    np.save(path, np.zeros((9, 8, 12), np.uint8))


@pytest.mark.parametrize("spoil", [pickled, objects, flat, other_length])
def test_bad_pixel_arrays_are_refused(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    mini.shanghaitech(tmp_path)
    spoil(tmp_path / "testing/test_pixel_mask/01_0014.npy")
    video = open_dataset("shanghaitech", tmp_path).videos()[0]
    with pytest.raises(BadInputError, match=r"array|pixel masks"):
        video.masks()


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("dtype", ["u1", "?", "f8", "i2"])
def test_mat_files_are_read_as_scipy_writes_them(
    tmp_path: Path, compressed: bool, dtype: str
) -> None:
    path = tmp_path / "a.mat"
    cells = np.empty((1, 3), object)
    for index in range(3):
        cells[0, index] = (np.arange(12).reshape(3, 4) % (index + 2)).astype(dtype)
    # The name is short enough to be stored in place in one case and not in the other.
    variables = {"other": np.arange(5), "vol": cells, "volLabel": cells}
    scipy.io.savemat(path, variables, do_compression=compressed)
    for name in ("vol", "volLabel"):
        found = read_cells(path, name)
        assert np.array_equal(np.stack(found), np.stack(list(cells[0])))
    for name, message in (("other", "not a cell array"), ("none", "no such variable")):
        with pytest.raises(BadInputError, match=message):
            read_cells(path, name)


@pytest.mark.parametrize("compressed", [False, True])
def test_mat_files_with_changed_bytes_never_do_more_than_be_refused(
    tmp_path: Path, compressed: bool
) -> None:
    path = tmp_path / "a.mat"
    cells = np.empty((1, 2), object)
    cells[0, 0] = cells[0, 1] = np.eye(3, dtype=np.uint8)
    scipy.io.savemat(path, {"volLabel": cells}, do_compression=compressed)
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    for _ in range(300):
        changed = bytearray(whole)
        for at in rng.integers(0, len(whole), 3):
            changed[at] = rng.integers(256)
        path.write_bytes(changed[: rng.integers(len(whole) // 2, len(whole) + 1)])
        with contextlib.suppress(BadInputError):
            assert all(mask.ndim == 2 for mask in read_cells(path, "volLabel"))


def test_a_damaged_mat_file_is_refused(tmp_path: Path) -> None:
    mini.avenue(tmp_path)
    path = tmp_path / "ground_truth_demo/testing_label_mask/1_label.mat"
    whole = path.read_bytes()
    for content in (b"", b"text", whole[: len(whole) // 2], whole[:300] + b"\xff" * 300):
        path.write_bytes(content)
        with pytest.raises(BadInputError, match="volLabel"):
            open_dataset("avenue", tmp_path).videos()[0].labels()
    path.unlink()
    with pytest.raises(BadInputError, match="no ground truth"):
        open_dataset("avenue", tmp_path).videos()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("2,3\n", "line 1, write rows as object_id,start,end"),
        ("2,1,3\n\n2,x,3\n", "start is not a number, .*line 3"),
        ("2,1.5,3\n", "not a whole number"),
        ("0,1,3\n", "no span of an object"),
        ("2,5,3\n", "no span of an object"),
        ("2,5,90\n", "ends at frame 90 but there are 10 masks"),
        ("9,1,3\n", "object 9 of row 1 is in none of its masks"),
        ("", "an abnormal video without tracks"),
    ],
)
def test_bad_object_spans_are_refused(tmp_path: Path, rows: str, message: str) -> None:
    mini.ubnormal_video(tmp_path, "abnormal_scene_1_scenario_1", rows, mini.object_ids())
    with pytest.raises(BadInputError, match=message):
        open_dataset("ubnormal", tmp_path).videos()[0].tracks()


def test_a_missing_mask_of_an_abnormal_frame_is_refused(tmp_path: Path) -> None:
    name = "abnormal_scene_1_scenario_1"
    scene = mini.ubnormal_video(tmp_path, name, "2,3,5\n", mini.object_ids())
    (scene / f"{name}_annotations/{name}_0004_gt.png").unlink()
    video = open_dataset("ubnormal", tmp_path).videos()[0]
    with pytest.raises(BadInputError, match="abnormal frame 4 has no mask"):
        video.tracks()


def test_a_name_without_scene_is_refused(tmp_path: Path) -> None:
    mini.ubnormal_video(tmp_path, "normal_scene_1_scenario_1", None, None)
    (tmp_path / "Scene1/holiday.mp4").touch()
    with pytest.raises(BadInputError, match="third word"):
        open_dataset("ubnormal", tmp_path).videos()


def test_a_track_whose_box_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(BadInputError, match="box 1 ends before it starts"):
        GroundTruthTracks.from_rows([(1, 2, 9, 9, 3, 12)])


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_rows_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "rows.txt"
    path.write_bytes(data)
    # Nothing but a refusal may come out of hostile bytes.
    with contextlib.suppress(BadInputError):
        rows = read_rows(path, ("a", "b"), whole=1)
        assert rows.shape[1] == 2
        assert np.isfinite(rows).all()
