from __future__ import annotations

import numpy as np
import pytest

from engine.motion.grid import Grid
from engine.tracking.kalman import CentreFilter
from engine.tracking.target_state import Support, TargetSample
from engine.tracking.tracking_block import CellBox
from engine.tracking.trajectories import make_path, movement, number_paths

GRID = Grid(512, 288, 8, 1024, 576)


def sample(frame: int, box: CellBox, ratio: float = 2.0) -> TargetSample:
    return TargetSample(frame, frame, frame / 25, box, (0.0, 0.0), 0.7, ratio, Support.HOT)


def test_numbers_follow_the_first_frame_then_the_place() -> None:
    early = make_path([sample(3, (40, 30, 44, 36))], GRID)
    upper = make_path([sample(5, (10, 2, 14, 8))], GRID)
    lower = make_path([sample(5, (2, 20, 6, 26))], GRID)
    trajectories = number_paths([lower, early, upper], GRID)
    assert [(t.number, t.from_cell) for t in trajectories] == [
        (1, "bottom centre"),
        (2, "top left"),
        (3, "middle left"),
    ]


def test_what_enters_first_at_a_side_names_the_cell() -> None:
    # A wheel comes in low; the body that follows has its centre in the middle row.
    boxes: list[CellBox] = [(0, 25, 1, 27), (0, 25, 1, 28)]
    boxes += [(0, 16, 4 + i, 26) for i in range(12)]
    samples = [sample(i, box) for i, box in enumerate(boxes)]
    (trajectory,) = number_paths([make_path(samples, GRID)], GRID)
    assert trajectory.from_cell == "bottom left"
    (back,) = number_paths(
        [make_path([sample(i, box) for i, box in enumerate(boxes[::-1])], GRID)], GRID
    )
    assert back.to_cell == "bottom left"


def test_a_target_seen_half_inside_came_in_low() -> None:
    boxes: list[CellBox] = [(0, 17, 6 + i, 28) for i in range(8)]
    (trajectory,) = number_paths(
        [make_path([sample(i, b) for i, b in enumerate(boxes)], GRID)], GRID
    )
    assert trajectory.from_cell == "bottom left"


def test_a_sliver_inside_the_picture_does_not_name_the_cell() -> None:
    boxes: list[CellBox] = [(20, 25, 21, 27), (20, 25, 21, 28)]
    boxes += [(20, 16, 24 + i, 26) for i in range(12)]
    (trajectory,) = number_paths(
        [make_path([sample(i, b) for i, b in enumerate(boxes)], GRID)], GRID
    )
    assert trajectory.from_cell == "middle centre"


def test_a_target_that_comes_to_rest_is_told_from_one_that_leaves() -> None:
    picture = GRID.source_width, GRID.source_height
    coming: list[CellBox] = [(2 * i, 16, 2 * i + 4, 26) for i in range(12)]
    (rests,) = number_paths([make_path([sample(i, b) for i, b in enumerate(coming)], GRID)], GRID)
    assert rests.ends_inside(picture, 10.0)
    assert not rests.ends_inside(picture, rests.end_s + 0.5)
    leaving = [sample(i, box) for i, box in enumerate(coming[::-1])]
    (gone,) = number_paths([make_path(leaving, GRID)], GRID)
    assert not gone.ends_inside(picture, 10.0)


def test_relative_speed_is_the_median_of_what_is_known() -> None:
    box = (10.0, 10.0, 14.0, 16.0)
    ratios = [float("nan"), 2.0, 3.0, 9.0]
    known = make_path([sample(i, box, ratio) for i, ratio in enumerate(ratios)], GRID)
    assert known.relative_speed == 3.0
    assert make_path([sample(0, box, float("nan"))], GRID).relative_speed is None


def test_boxes_stay_inside_the_picture() -> None:
    path = make_path([sample(0, (-3, -2, 4, 5)), sample(1, (60, 33, 70, 40))], GRID)
    assert path.boxes.tolist() == [[0, 0, 64, 80], [960, 528, 64, 48]]


@pytest.mark.parametrize(
    ("dx", "dy", "words"),
    [(0, 0, "in place"), (30, 0, "in place"), (90, 0, "right"), (-80, 80, "down-left")],
)
def test_a_displacement_below_its_own_size_is_in_place(dx: int, dy: int, words: str) -> None:
    boxes = np.array([[200, 200, 40, 60], [200 + dx, 200 + dy, 40, 60]], np.int32)
    assert movement(boxes) == words


def test_the_filter_learns_a_velocity_and_predicts_both_ways() -> None:
    motion = CentreFilter((0.0, 5.0), (0.0, 0.0))
    for i in range(1, 50):
        motion.predict(0.04, 5.0)
        motion.update((8 * i * 0.04, 5.0), (8.0, 0.0), 5.0)
    assert list(motion.velocity) == pytest.approx([8.0, 0.0], abs=0.1)
    here = motion.centre
    motion.predict(-0.5, 5.0)
    assert list(motion.centre) == pytest.approx([here[0] - 4, 5.0], abs=0.1)
