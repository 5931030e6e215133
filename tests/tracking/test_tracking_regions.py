from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.findings import Trajectory
from engine.core.geometry import Box
from engine.motion.grid import Grid
from engine.tracking.regions import RegionLog, cut_cells

GRID = Grid(64, 48, 8, 128, 96)


def heat_of(*cells: tuple[int, int, float]) -> np.ndarray:
    heat = np.zeros((6, 8), np.float32)
    for row, column, value in cells:
        heat[row, column] = value
    return heat


def trajectory(number: int, frames: list[int], boxes: list[list[int]]) -> Trajectory:
    index = np.array(frames, np.int64)
    return Trajectory(
        number,
        index,
        index,
        np.array(boxes, np.int32),
        np.ones(len(frames), np.float32),
        float(frames[0]),
        float(frames[-1]),
        "top left",
        "top left",
        "in place",
        None,
    )


def test_cells_that_touch_at_a_corner_are_one_region() -> None:
    regions = cut_cells(heat_of((1, 1, 0.6), (2, 2, 0.9), (4, 6, 0.5)), 0.5)
    assert [(region.box(GRID), round(region.score, 3)) for region in regions] == [
        (Box(16, 16, 32, 32), 0.9),
        (Box(96, 64, 16, 16), 0.5),
    ]
    assert regions[0].mask.tolist() == [[True, False], [False, True]]


def test_nothing_hot_gives_no_region() -> None:
    assert cut_cells(heat_of((1, 1, 0.49)), 0.5) == []


def test_the_score_is_that_of_the_region_not_of_its_box() -> None:
    ring = heat_of(*[(r, c, 0.6) for r in range(5) for c in range(5) if {r, c} & {0, 4}])
    ring[2, 2] = 0.9
    scores = sorted(round(region.score, 3) for region in cut_cells(ring, 0.5))
    assert scores == [0.6, 0.9]


def test_the_last_cells_end_with_the_picture() -> None:
    odd = Grid(64, 48, 8, 131, 97)
    box = cut_cells(heat_of((5, 7, 0.9)), 0.5)[0].box(odd)
    assert box.corners[2:] == (130, 96)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.integers(0, 9), min_size=48, max_size=48), max_size=4))
def test_the_log_gives_back_what_was_cut(frames: list[list[int]]) -> None:
    log = RegionLog(GRID)
    expected = []
    for number, values in enumerate(frames):
        heat = np.array(values, np.float32).reshape(6, 8) / np.float32(10)
        parts = cut_cells(heat, 0.5)
        log.add(3 * number, 100 + number, parts)
        expected += [(3 * number, 100 + number, part) for part in parts]
    regions = list(log.regions([]))
    assert len(log) == len(expected) == len(regions)
    for region, (frame, pts, part) in zip(regions, expected, strict=True):
        assert (region.frame, region.pts, region.trajectory) == (frame, pts, None)
        assert region.box == part.box(GRID)
        assert region.score == np.float32(part.score)
        assert np.array_equal(region.mask, part.mask)


def test_a_region_belongs_to_the_trajectory_that_covers_most_of_it() -> None:
    log = RegionLog(GRID)
    parts = cut_cells(heat_of((0, 0, 0.9), (0, 1, 0.9), (4, 6, 0.9)), 0.5)
    log.add(5, 5, parts)
    log.add(9, 9, parts[:1])
    left = trajectory(1, [4, 5], [[0, 0, 10, 10], [0, 0, 10, 10]])
    right = trajectory(2, [5, 6], [[12, 0, 40, 20], [12, 0, 40, 20]])
    late = trajectory(3, [7, 8], [[0, 0, 90, 90], [0, 0, 90, 90]])
    assert [r.trajectory for r in log.regions([late, right, left])] == [2, None, None]
