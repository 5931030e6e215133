"""RBDC and TBDC follow their definition: golden vector, laws, and a plain walk over the regions."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.errors import BadInputError
from engine.export.number_rows import read_rows
from engine.export.region_rows import COLUMNS, ScoredRegions, write_regions
from engine.lab.datasets.ground_truth_tracks import GroundTruthTracks
from engine.lab.evaluation import detection_criteria as module
from engine.lab.evaluation.detection_criteria import detection_criteria

Rows = dict[str, list[tuple[float, ...]]]


def random_rows(seed: int, videos: str = "abc") -> tuple[Rows, Rows]:
    """Ground truth and regions of 60 frames a video; seed 0 is the golden vector."""
    rng = np.random.default_rng(seed)
    truth: Rows = {}
    regions: Rows = {}
    for video in videos:
        truth[video], regions[video] = [], []
        for k in range(2):
            start = rng.integers(5, 25)
            end = start + rng.integers(10, 30)
            for f in range(start, end + 1):
                x, y = 20 + f + 60 * k, 30 + 40 * k
                truth[video].append((k, f, x, y, x + 20, y + 30))
                if rng.random() < 0.6:
                    i, j = rng.integers(-8, 9, 2)
                    score = round(float(rng.random() * 0.6 + 0.4), 6)
                    regions[video].append((f, x + i, y + j, x + 20 + i, y + 30 + j, score))
        for f in range(60):
            for _ in range(rng.integers(0, 4)):
                x, y = rng.integers(0, 200, 2)
                score = round(float(rng.random()), 6)
                regions[video].append((f, x, y, x + 20, y + 30, score))
    return truth, regions


def areas(truth: Rows, regions: Rows, n_frames: int) -> tuple[float | None, float | None]:
    result = detection_criteria(
        {name: GroundTruthTracks.from_rows(rows) for name, rows in truth.items()},
        {name: ScoredRegions.from_rows(rows) for name, rows in regions.items()},
        n_frames,
    )
    return result.rbdc.value, result.tbdc.value


def walked(truth: Rows, regions: Rows, n_frames: int) -> tuple[float, float]:
    """The definition, one region after the other."""
    claims = sorted(
        (-row[5], name, row[0], index)
        for name, rows in regions.items()
        for index, row in enumerate(rows)
    )
    total = sum(map(len, truth.values()))
    hits: set[tuple[str, int]] = set()
    tracks: dict[tuple[str, float], list[int]] = {}
    for name, rows in truth.items():
        for index, row in enumerate(rows):
            tracks.setdefault((name, row[0]), []).append(index)
    wrong = 0
    points = [(0.0, 0.0, 0.0)]
    for _, name, frame, index in claims:
        box = regions[name][index][1:5]
        met = [
            k
            for k, row in enumerate(truth.get(name, []))
            if row[1] == frame and overlap(row[2:6], box) >= 0.1
        ]
        wrong += not met
        hits |= {(name, k) for k in met}
        done = sum(
            sum((key[0], k) in hits for k in ks) / len(ks) >= 0.1 for key, ks in tracks.items()
        )
        points.append((wrong / n_frames, len(hits) / total, done / len(tracks)))
    points = [point for point in points if point[0] <= 1]
    if points[-1][0] != 1:
        points.append((1.0, *points[-1][1:]))
    rbdc = sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairwise(points))
    tbdc = sum((b[0] - a[0]) * (a[2] + b[2]) / 2 for a, b in pairwise(points))
    return rbdc, tbdc


def overlap(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0]) + 1
    height = min(a[3], b[3]) - max(a[1], b[1]) + 1
    if width <= 0 or height <= 0:
        return 0
    both = (a[2] - a[0] + 1) * (a[3] - a[1] + 1) + (b[2] - b[0] + 1) * (b[3] - b[1] + 1)
    return width * height / (both - width * height)


def test_golden_vector() -> None:
    rbdc, tbdc = areas(*random_rows(0), 180)
    assert tbdc == pytest.approx(0.8092592592592592, abs=1e-12)
    assert rbdc == pytest.approx(0.32348090277777775, abs=1e-12)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 2**32 - 1), st.integers(1, 200), st.booleans())
def test_equals_a_plain_walk(seed: int, n_frames: int, ties: bool) -> None:
    truth, regions = random_rows(seed, "ba")
    if ties:
        regions = {v: [(*r[:5], round(r[5], 1)) for r in rows] for v, rows in regions.items()}
    assert areas(truth, regions, n_frames) == pytest.approx(
        walked(truth, regions, n_frames), abs=1e-12
    )


@pytest.mark.parametrize("n_frames", [60, 180, 7])
def test_perfect_regions_give_exactly_one(n_frames: int) -> None:
    truth, _ = random_rows(3)
    found = {v: [(*row[1:], 1.0) for row in rows] for v, rows in truth.items()}
    assert areas(truth, found, n_frames) == (1.0, 1.0)


def test_no_regions_give_zero() -> None:
    truth, _ = random_rows(3)
    assert areas(truth, {}, 180) == (0.0, 0.0)
    assert areas(truth, {v: [] for v in truth}, 180) == (0.0, 0.0)


def test_one_row_and_gaps_in_track_ids() -> None:
    box = (10, 10, 20, 20)
    assert areas({"a": [(900, 3, *box)]}, {"a": [(3, *box, 0.5)]}, 10) == (1.0, 1.0)
    truth: Rows = {"a": [(7, 3, *box), (400, 4, *box)], "b": [(7, 3, *box)]}
    rbdc, tbdc = areas(truth, {"a": [(3, *box, 0.5)]}, 10)
    assert rbdc == pytest.approx(1 / 3)
    assert tbdc == pytest.approx(1 / 3)


def test_without_ground_truth_both_are_undefined() -> None:
    result = detection_criteria({}, {"a": ScoredRegions.from_rows([(0, 1, 1, 2, 2, 0.5)])}, 5)
    assert result.rbdc.value is None
    assert result.tbdc.reason == "there are no ground-truth regions"
    with pytest.raises(BadInputError, match="no frames"):
        detection_criteria({}, {}, 0)


def test_a_region_may_find_several_and_found_ones_cost_nothing() -> None:
    box = (0, 0, 9, 9)
    truth: Rows = {"a": [(0, 0, *box), (1, 0, 1, 0, 10, 9)]}
    assert areas(truth, {"a": [(0, *box, 0.9)] * 50}, 1) == (1.0, 1.0)


def test_ties_keep_the_order_of_video_frame_and_row() -> None:
    box, away = (0, 0, 9, 9), (50, 50, 59, 59)
    truth: Rows = {"b": [(0, 5, *box)]}
    after = areas(truth, {"a": [(9, *away, 0.5)], "b": [(5, *box, 0.5)]}, 2)
    before = areas(truth, {"c": [(0, *away, 0.5)], "b": [(5, *box, 0.5)]}, 2)
    assert after == (0.5, 0.5)
    assert before == (1.0, 1.0)


def test_batches_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = areas(*random_rows(0), 180)
    monkeypatch.setattr(module, "_MAX_PAIRS", 3)
    assert areas(*random_rows(0), 180) == expected


def read_regions(path: Path) -> ScoredRegions:
    return ScoredRegions.from_rows(map(tuple, read_rows(path, COLUMNS, whole=1).tolist()))


def test_region_files_survive_writing_and_reading(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    rows = [(f, *row) for f, *row in random_rows(5)[1]["a"]]
    regions = ScoredRegions.from_rows([*rows, (3, 0, 0, 1, 1, float(np.float32(0.1)))])
    write_regions(path, regions)
    again = read_regions(path)
    assert np.array_equal(again.frames, regions.frames)
    assert np.array_equal(again.boxes, regions.boxes)
    assert np.array_equal(again.scores, regions.scores)
    path.write_text("")
    assert len(read_regions(path)) == 0
    path.write_text("\ufeff\n  \n4,1,2,3,4,0.5\n\n", encoding="utf-8")
    assert read_regions(path).frames.tolist() == [4]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2,3,4,5,0.5\n1,2,3\n", "3 numbers instead of 6, .*line 2"),
        ("1,2,3,4,5,nan\n", "score is not a number"),
        ("-1,2,3,4,5,0.5\n", "frame_id is -1"),
        ("1,9,3,4,5,0.5\n", "ends before it starts"),
    ],
)
def test_bad_region_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(BadInputError, match=message):
        read_regions(tmp_path / "a.txt")
