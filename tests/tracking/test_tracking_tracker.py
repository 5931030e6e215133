from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from engine.core.findings import Trajectory
from engine.core.settings import TrackingSettings
from engine.motion.grid import Grid
from engine.motion.motion_maps import SPEED_UNIT
from engine.tracking.blobs import find_blob
from engine.tracking.kalman import CentreFilter
from engine.tracking.target_state import TargetState
from engine.tracking.tracker import Tracker
from engine.tracking.tracking_block import TrackingBlock

RATE = 25.0
GRID = Grid(512, 288, 8, 1024, 576)
SETTINGS = TrackingSettings()
Position = Callable[[float], tuple[float, float]]


class Stage:
    """Simulated maps: rectangles of foreground that move, some of them hot at times."""

    def __init__(self, seconds: float, start_frame: int = 0) -> None:
        n = round(seconds * RATE)
        shape = (n, GRID.rows, GRID.columns)
        self.seconds = np.arange(n) / RATE
        self.frames = np.arange(start_frame, start_frame + n, dtype=np.int64)
        self.heat = np.zeros(shape, np.float32)
        self.count = np.zeros(shape, np.uint8)
        self.vx = np.zeros(shape, np.int16)
        self.vy = np.zeros(shape, np.int16)
        self.ratio = np.zeros(shape, np.float32)

    def mover(
        self,
        position: Position,
        visible: tuple[float, float] = (0, 1e9),
        hot: tuple[float, float] = (0, 0),
        size: tuple[int, int] = (4, 7),
        ratio: float = 1.0,
        gaps: tuple[tuple[float, float], ...] = (),
    ) -> Stage:
        for i, t in enumerate(self.seconds):
            if not visible[0] <= t <= visible[1] or any(a <= t < b for a, b in gaps):
                continue
            (x, y), (x2, y2) = position(t), position(t + 0.01)
            left, top = round(x - size[0] / 2), round(y - size[1] / 2)
            window = (
                i,
                slice(max(0, top), max(0, top + size[1])),
                slice(max(0, left), max(0, left + size[0])),
            )
            self.count[window] = 50
            self.vx[window] = round((x2 - x) / 0.01 * GRID.cell / SPEED_UNIT)
            self.vy[window] = round((y2 - y) / 0.01 * GRID.cell / SPEED_UNIT)
            self.ratio[window] = ratio
            if hot[0] <= t <= hot[1]:
                self.heat[window] = 0.9
        return self

    def block(self, start: int = 0, stop: int | None = None) -> TrackingBlock:
        part = slice(start, stop)
        return TrackingBlock(
            self.frames[part],
            self.frames[part] * 512,
            self.seconds[part],
            self.heat[part],
            self.count[part],
            self.vx[part],
            self.vy[part],
            self.ratio[part],
        )

    def run(self) -> list[Trajectory]:
        tracker = Tracker(GRID, SETTINGS)
        tracker.add(self.block())
        return tracker.finish()


def rightwards(speed: float, y: float = 18.0, start: float = -2.0) -> Position:
    return lambda t: (start + speed * t, y)


def test_a_target_is_followed_to_both_ends_although_it_is_hot_only_in_the_middle() -> None:
    stage = Stage(5).mover(rightwards(15), hot=(1.5, 2.5), ratio=4.0)
    (trajectory,) = stage.run()
    assert (trajectory.number, trajectory.from_cell, trajectory.to_cell) == (
        1,
        "middle left",
        "middle right",
    )
    assert trajectory.direction == "right"
    assert trajectory.frames[0] <= 5
    assert trajectory.frames[-1] >= 108
    assert trajectory.relative_speed == pytest.approx(4.0, rel=0.1)
    assert trajectory.scores.max() == np.float32(0.9)
    assert list(trajectory.pts) == [frame * 512 for frame in trajectory.frames]
    assert (trajectory.start_s, trajectory.end_s) == (
        trajectory.frames[0] / RATE,
        trajectory.frames[-1] / RATE,
    )


def test_boxes_fit_the_target_in_decoded_pixels() -> None:
    (trajectory,) = Stage(4).mover(rightwards(15), hot=(0, 9), size=(4, 7)).run()
    middle = trajectory.boxes[(trajectory.frames > 20) & (trajectory.frames < 80)]
    assert np.median(middle[:, 2]) == pytest.approx(4 * 16, abs=8)
    assert np.median(middle[:, 3]) == pytest.approx(7 * 16, abs=8)
    assert (trajectory.boxes[:, :2] >= 0).all()
    assert (trajectory.boxes[:, 0] + trajectory.boxes[:, 2] <= GRID.source_width).all()


def test_a_flicker_is_no_trajectory() -> None:
    assert Stage(4).mover(rightwards(15), hot=(2.0, 2.2)).run() == []


def test_who_never_stands_out_has_no_trajectory() -> None:
    stage = Stage(4).mover(rightwards(5)).mover(rightwards(15, y=8), hot=(0.5, 3.5))
    (trajectory,) = stage.run()
    assert trajectory.from_cell == "top left"


def test_heat_that_comes_and_goes_is_one_target() -> None:
    stage = Stage(5).mover(rightwards(14), hot=(1.0, 1.6))
    stage.mover(rightwards(14), hot=(2.4, 2.9)).mover(rightwards(14), hot=(3.8, 4.3))
    assert len(stage.run()) == 1


def test_a_target_behind_a_pillar_stays_one() -> None:
    stage = Stage(5).mover(rightwards(14), hot=(0.8, 4.5), gaps=((2.0, 2.5),))
    (trajectory,) = stage.run()
    assert (trajectory.from_cell, trajectory.to_cell) == ("middle left", "middle right")


def test_a_target_that_was_lost_is_recognised_when_it_is_traced_back() -> None:
    gap = ((2.0, 2.8),)
    stage = Stage(5).mover(rightwards(13), hot=(1.0, 1.8), gaps=gap)
    stage.mover(rightwards(13), hot=(3.4, 4.3), gaps=gap)
    assert len(stage.run()) == 1


def test_heat_that_returns_after_a_long_while_is_traced_back_to_its_target() -> None:
    stage = Stage(16).mover(rightwards(4), hot=(1.0, 1.8))
    stage.mover(rightwards(4), hot=(14.5, 15.3))
    (trajectory,) = stage.run()
    assert (trajectory.from_cell, trajectory.to_cell) == ("middle left", "middle right")
    assert len(trajectory.frames) > 15 * RATE


def test_two_that_part_keep_their_own_ways() -> None:
    stage = Stage(7).mover(lambda t: (2 + 7 * t, 18.0), hot=(0.5, 6.5))
    stage.mover(lambda t: (2 + 7 * t, 18.0 + 6 * max(0.0, t - 2.5)), hot=(2.5, 6.5))
    assert sorted(trajectory.to_cell for trajectory in stage.run()) == [
        "bottom right",
        "middle right",
    ]


def test_two_that_become_one_end_as_one() -> None:
    stage = Stage(8).mover(rightwards(7), hot=(0.3, 7.5))
    stage.mover(lambda t: (-2 + 7 * t, 18.0 + 4 * max(0.0, 3.0 - t)), hot=(0.3, 7.5))
    trajectories = stage.run()
    assert len(trajectories) == 2
    assert sorted(f.end_s > 6 for f in trajectories) == [False, True]


def test_two_that_cross_stay_two() -> None:
    stage = Stage(5).mover(rightwards(14, y=17), hot=(0.2, 4.6))
    stage.mover(lambda t: (66 - 14 * t, 20.0), hot=(0.2, 4.6))
    trajectories = stage.run()
    ways = sorted((f.from_cell, f.to_cell, f.direction) for f in trajectories)
    assert ways == [
        ("middle left", "middle right", "right"),
        ("middle right", "middle left", "left"),
    ]
    assert [f.number for f in trajectories] == [1, 2]


def test_a_fast_one_passes_slow_ones_and_is_not_taken_for_them() -> None:
    stage = Stage(5)
    for x in (18, 30, 42):
        stage.mover(rightwards(4, start=x), size=(3, 7))
    stage.mover(rightwards(15, y=20), hot=(0.3, 4.6), size=(6, 7))
    (trajectory,) = stage.run()
    assert (trajectory.from_cell, trajectory.to_cell) == ("middle left", "middle right")
    assert trajectory.end_s < 4.8
    assert np.percentile(trajectory.boxes[:, 2], 90) <= 8 * 16


def test_who_walks_on_where_a_fast_one_left_is_not_followed() -> None:
    stage = Stage(9).mover(rightwards(15), hot=(0.5, 4.2))
    stage.mover(lambda t: (50 + 2.0 * t, 18.0), visible=(3.0, 9.0), size=(3, 7))
    (trajectory,) = stage.run()
    assert trajectory.end_s < 6


def test_something_left_behind_stands_in_place() -> None:
    stage = Stage(6)
    stage.heat[50:100, 20:22, 40:42] = 0.8
    (trajectory,) = stage.run()
    assert trajectory.direction == "in place"
    assert trajectory.from_cell == trajectory.to_cell == "middle centre"
    assert trajectory.relative_speed is None
    assert list(trajectory.frames[[0, -1]]) == [50, 99]


def test_the_result_does_not_depend_on_the_blocks() -> None:
    stage = Stage(6).mover(rightwards(14, y=17), hot=(0.8, 1.6)).mover(rightwards(4, y=20))
    stage.mover(lambda t: (66 - 14 * t, 20.0), hot=(1.2, 4.0))
    whole = Tracker(GRID, SETTINGS)
    whole.add(stage.block())
    for size in (1, 7, 64):
        parts = Tracker(GRID, SETTINGS)
        for start in range(0, len(stage.frames), size):
            parts.add(stage.block(start, start + size))
        expected, in_parts = whole.finish(), parts.finish()
        assert len(expected) == len(in_parts) == 2
        for first, second in zip(expected, in_parts, strict=True):
            assert np.array_equal(first.frames, second.frames)
            assert np.array_equal(first.boxes, second.boxes)
            assert np.array_equal(first.scores, second.scores)
            assert (first.number, first.from_cell, first.to_cell) == (
                second.number,
                second.from_cell,
                second.to_cell,
            )
            assert first.relative_speed == second.relative_speed
        ours = [(r.frame, r.box, r.trajectory) for r in whole.regions.regions(expected)]
        assert ours == [(r.frame, r.box, r.trajectory) for r in parts.regions.regions(in_parts)]
        assert {number for *_, number in ours} == {1, 2}


def test_blocks_may_be_overwritten_after_they_were_added() -> None:
    stage = Stage(5).mover(rightwards(15), hot=(1.5, 2.5))
    tracker = Tracker(GRID, SETTINGS)
    for start in range(0, len(stage.frames), 10):
        block = stage.block(start, start + 10)
        tracker.add(block)
        block.foreground[:] = 0
        block.heat[:] = 0
    (trajectory,) = tracker.finish()
    assert trajectory.frames[0] <= 5


def test_a_hole_in_time_ends_a_target() -> None:
    stage = Stage(6).mover(rightwards(10), hot=(0, 6))
    stage.seconds[75:] += 60
    trajectories = stage.run()
    assert len(trajectories) == 2
    assert trajectories[0].end_s < 3 < 60 < trajectories[1].start_s


def test_what_stands_before_and_after_a_hole_in_time_is_not_known_to_be_one() -> None:
    stage = Stage(6)
    stage.heat[50:100, 20:22, 40:42] = 0.8
    stage.seconds[75:] += 60
    assert [f.end_s - f.start_s < 2 for f in stage.run()] == [True, True]


def test_a_blob_ends_where_another_velocity_begins() -> None:
    stage = Stage(1).mover(rightwards(4, start=24), size=(4, 7))
    stage.mover(rightwards(15, start=20), size=(4, 7))
    maps = next(iter(stage.block()))
    fast = find_blob(maps, GRID.cell, (18, 14, 22, 21), (15.0, 0.0), (6.0, 9.0))
    assert fast is not None
    assert (fast.box, fast.whole) == ((18, 14, 22, 21), True)
    both = find_blob(maps, GRID.cell, (18, 14, 22, 21), (9.0, 0.0), (6.0, 9.0))
    assert both is not None
    assert not both.whole


def test_foreground_of_another_pace_is_not_the_target() -> None:
    stage = Stage(1).mover(rightwards(5, start=20))
    maps = next(iter(stage.block()))
    runner = TargetState(0.0, CentreFilter((20, 18), (6, 0)), (4, 7), (4, 7), 15.0, 0.0)
    walker = TargetState(0.0, CentreFilter((20, 18), (6, 0)), (4, 7), (4, 7), 6.0, 0.0)
    assert runner.follow(maps, GRID.cell) is None
    blob = walker.follow(maps, GRID.cell)
    assert blob is not None
    assert blob.whole
    assert list(blob.velocity) == pytest.approx([5.0, 0.0], abs=0.1)


def test_an_empty_stream_has_nothing() -> None:
    assert Tracker(GRID, SETTINGS).finish() == []
    assert Stage(2).run() == []


def test_maps_of_another_grid_and_frames_out_of_order_are_refused() -> None:
    stage = Stage(1)
    with pytest.raises(ValueError, match="grid"):
        Tracker(Grid(64, 64, 8, 64, 64), SETTINGS).add(stage.block())
    tracker = Tracker(GRID, SETTINGS)
    tracker.add(stage.block(10))
    with pytest.raises(ValueError, match="follow"):
        tracker.add(stage.block(0, 10))
