"""A whole evaluation: derived tracks, all metrics, and the same metrics from a dump."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from engine.core.errors import BadInputError
from engine.export.number_rows import read_rows
from engine.export.region_rows import COLUMNS, ScoredRegions
from engine.lab.datasets.components import component_boxes
from engine.lab.datasets.dataset import Masks, NormalAnnotation, Video, select_videos
from engine.lab.datasets.registry import open_dataset
from engine.lab.datasets.track_linking import tracks_from_masks
from engine.lab.evaluation.benchmark_report import Evaluation
from engine.lab.evaluation.dumps import write_dump
from engine.lab.evaluation.ground_truth import VideoTruth, read_truth


def mask_with(*boxes: tuple[int, int, int, int]) -> NDArray[np.bool_]:
    mask = np.zeros((24, 32), np.bool_)
    for x, y, w, h in boxes:
        mask[y : y + h, x : x + w] = True
    return mask


@pytest.mark.parametrize(("gap", "count"), [(0, 1), (3, 1), (4, 2)])
def test_a_track_bridges_gaps_of_up_to_three_frames(gap: int, count: int) -> None:
    target = mask_with((4, 4, 6, 6))
    tracks = tracks_from_masks([target, target, *[mask_with()] * gap, target])
    assert len(set(tracks.track_ids.tolist())) == count
    assert len(tracks) == 3


def test_components_are_linked_by_the_largest_overlap() -> None:
    first = mask_with((2, 2, 8, 8), (14, 2, 8, 8))
    moved = mask_with((4, 2, 8, 8), (16, 2, 8, 8))
    tracks = tracks_from_masks([first, moved])
    assert tracks.track_ids.tolist() == [0, 1, 0, 1]
    assert tracks.boxes[2].tolist() == [4, 2, 11, 9]


def test_diagonal_pixels_are_one_component_and_far_ones_start_tracks() -> None:
    diagonal = np.eye(24, 32, dtype=np.bool_)
    assert len(tracks_from_masks([diagonal])) == 1
    tracks = tracks_from_masks([mask_with((0, 0, 5, 5)), mask_with((20, 10, 5, 5))])
    assert tracks.track_ids.tolist() == [0, 1]
    assert len(tracks_from_masks([])) == 0


def test_a_splitting_target_keeps_its_number_in_the_larger_part() -> None:
    tracks = tracks_from_masks([mask_with((0, 0, 12, 6)), mask_with((0, 0, 3, 6), (4, 0, 8, 6))])
    assert tracks.track_ids.tolist() == [0, 1, 0]


def write_ped2(root: Path) -> None:
    """Two test videos: a target crosses the first, the second is normal."""
    for video in ("01", "02"):
        for frame in range(12):
            mask = mask_with((2 * frame, 6, 6, 8)) if video == "01" and frame > 3 else mask_with()
            for kind, pixels in (("frames", mask.astype(np.uint8)), ("masks", mask)):
                path = root / "testing" / kind / video / f"{frame:03d}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(path)


def detector(
    video: Video, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], ScoredRegions]:
    """A noisy detector: scores [n], heatmap [n, 6, 8] and regions."""
    rng = np.random.default_rng(seed)
    masks = video.masks()
    assert masks is not None
    scores = np.clip(video.labels() * 0.4 + rng.random(len(masks)) * 0.6, 0, 1)
    heatmap = (
        np.stack([mask[::4, ::4] * 0.5 for mask in masks]) + rng.random((len(masks), 6, 8)) / 2
    )
    rows: list[tuple[float, ...]] = []
    for frame, mask in enumerate(masks):
        rows += [(frame, *box.tolist(), rng.random()) for box in component_boxes(mask)[0]]
        rows.append((frame, 0, 0, 5, 5, rng.random()))
    return scores, heatmap, ScoredRegions.from_rows(rows)


def test_perfect_results_give_one_everywhere(tmp_path: Path) -> None:
    write_ped2(tmp_path)
    evaluation = Evaluation()
    for video in open_dataset("ped2", tmp_path).videos():
        truth = read_truth(video)
        assert truth.masks is not None
        evaluation.add(truth, truth.labels.astype(float), heat(truth.masks), perfect(truth.masks))
    metrics = evaluation.metrics().as_json()
    assert [metrics[m] for m in ("micro_auc", "macro_auc", "pixel_auc", "rbdc", "tbdc")] == [
        1.0
    ] * 5
    assert (metrics["videos"], metrics["frames"], metrics["abnormal_frames"]) == (2, 24, 8)
    assert metrics["undefined"] == {}
    assert metrics["derived_tracks"] is True
    assert "made from their masks" in str(metrics["notes"])


def heat(masks: Masks) -> list[NDArray[np.float32]]:
    return [mask.astype(np.float32) for mask in masks]


def perfect(masks: Masks) -> ScoredRegions:
    return ScoredRegions.from_rows(
        (frame, *box.tolist(), 1.0)
        for frame, mask in enumerate(masks)
        for box in component_boxes(mask)[0]
    )


def test_a_dump_gives_the_same_metrics_to_the_last_digit(tmp_path: Path) -> None:
    write_ped2(tmp_path)
    data = open_dataset("ped2", tmp_path)
    evaluation, again = Evaluation(), Evaluation()
    dump = tmp_path / "dump"
    dump.mkdir()
    for seed, video in enumerate(data.videos()):
        scores, heatmap, regions = detector(video, seed)
        evaluation.add(read_truth(video), scores, iter(heatmap), regions)
        pts = np.arange(len(scores))
        write_dump(dump, video.name, scores, heatmap, pts, pts % 2 == 0, regions)
        with np.load(dump / f"{video.name}.npz") as arrays:
            rows = read_rows(dump / f"{video.name}.txt", COLUMNS, whole=1)
            dumped = ScoredRegions.from_rows(map(tuple, rows.tolist()))
            again.add(read_truth(video), arrays["scores"], arrays["heatmap"], dumped)
            assert (arrays["pts"] == pts).all()
            assert (arrays["analysed"] == (pts % 2 == 0)).all()
    metrics = evaluation.metrics()
    assert again.metrics() == metrics
    assert 0.5 < (metrics.pixel_auc.value or 0) < 1


def test_videos_are_selected_by_name(tmp_path: Path) -> None:
    write_ped2(tmp_path)
    data = open_dataset("ped2", tmp_path)
    assert [video.name for video in select_videos(data, "test", ["02"])] == ["02"]
    assert len(select_videos(data, "test", None)) == 2
    with pytest.raises(BadInputError, match="no video '03' in the test split"):
        select_videos(data, "test", ["03"])


def truth_of(labels: str, masks: bool = True) -> VideoTruth:
    flags = np.array([char == "1" for char in labels])
    grids = [mask_with((2, 2, 4, 4)) if flag else mask_with() for flag in flags]
    return VideoTruth(
        "v",
        flags,
        Masks("v", len(flags), (32, 24), grids.__getitem__) if masks else None,
        tracks_from_masks(grids) if masks else None,
        masks,
        "",
    )


def test_undefined_figures_are_null_with_a_reason() -> None:
    evaluation = Evaluation()
    nothing = ScoredRegions.from_rows([])
    evaluation.add(truth_of("000"), np.zeros(3), [np.zeros((2, 2))] * 3, nothing)
    metrics = evaluation.metrics().as_json()
    assert metrics["macro_auc"] == 1.0
    assert metrics["undefined"] == {
        "micro_auc": "every frame is normal",
        "pixel_auc": "every pixel is normal",
        "rbdc": "there are no ground-truth regions",
        "tbdc": "there are no ground-truth regions",
    }
    blind = Evaluation()
    blind.add(truth_of("011", masks=False), np.array([0, 0.5, 1]), [np.zeros((2, 2))] * 3, nothing)
    metrics = blind.metrics().as_json()
    assert metrics["micro_auc"] == 1.0
    assert metrics["pixel_auc"] is None
    assert "1 of 1 videos have no pixel ground truth" in str(metrics["undefined"])
    with pytest.raises(BadInputError, match="no video was evaluated"):
        Evaluation().metrics()


def test_results_that_do_not_fit_the_video_are_refused() -> None:
    maps, none = [np.zeros((2, 2))] * 3, ScoredRegions.from_rows([])
    late = ScoredRegions.from_rows([(3, 0, 0, 1, 1, 0.5)])
    for scores, heatmaps, regions, message in [
        (np.zeros(2), maps, none, "2 scores for 3 frames"),
        (np.array([0, np.nan, 1]), maps, none, "not within 0..1"),
        (np.zeros(3), maps[:2], none, "2 heatmaps for 3 frames"),
        (np.zeros(3), maps * 2, none, "6 heatmaps for 3 frames"),
        (np.zeros(3), [np.full((2, 2), 1e9)] * 3, none, "heatmap value is not within"),
        (np.zeros(3), maps, late, "a region in frame 3 of 3 frames"),
    ]:
        with pytest.raises(BadInputError, match=message):
            Evaluation().add(truth_of("011"), scores, heatmaps, regions)
    twice = Evaluation()
    twice.add(truth_of("011"), np.zeros(3), maps, none)
    with pytest.raises(BadInputError, match="added twice"):
        twice.add(truth_of("011"), np.zeros(3), maps, none)


def test_a_fitted_length_is_noted() -> None:
    video = Video("v", "1", Path("v.mp4"), NormalAnnotation("v", 4, (32, 24)), False)
    assert read_truth(video, 4).note == ""
    evaluation = Evaluation()
    truth = read_truth(video, 5)
    evaluation.add(truth, np.zeros(5), [np.zeros((2, 2))] * 5, ScoredRegions.from_rows([]))
    assert "last 1 frames are not annotated" in evaluation.metrics().notes[0]


def test_equal_results_give_equal_files(tmp_path: Path) -> None:
    contents = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        regions = ScoredRegions.from_rows([(0, 1, 2, 3, 4, 0.1)])
        flags = np.ones(2, np.bool_)
        write_dump(folder, "v", np.zeros(2), np.zeros((2, 3, 3)), np.arange(2), flags, regions)
        contents.append([path.read_bytes() for path in sorted(folder.iterdir())])
    assert contents[0] == contents[1]


@pytest.mark.footage
def test_ped2_as_it_lies_here(footage: Path) -> None:
    data = open_dataset("ped2", footage / "ped2")
    labels = {video.name: video.labels() for video in data.videos()}
    assert list(labels) == ["01", "03", "05", "07", "09", "11"]
    assert sum(map(len, labels.values())) == 960
    assert sum(int(flags.sum()) for flags in labels.values()) == 830
    assert len(data.normal()) == 16
    truth = read_truth(select_videos(data, "test", ["09"])[0])
    assert truth.masks is not None
    assert truth.tracks is not None
    # One of them is the last pixel of a target that leaves: too small to overlap with it.
    assert np.bincount(truth.tracks.track_ids).tolist() == [54, 107, 1]
    evaluation = Evaluation()
    maps = (mask.astype(np.float16) for mask in truth.masks)
    evaluation.add(truth, truth.labels.astype(float), maps, perfect(truth.masks))
    metrics = evaluation.metrics()
    assert metrics.micro_auc.reason == "every frame is abnormal"
    assert metrics.pixel_auc.value == metrics.rbdc.value == metrics.tbdc.value == 1.0
