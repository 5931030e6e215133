from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.core.geometry import Box
from engine.lab.evaluation.evaluation_panel import evaluation_panel
from engine.lab.evaluation.score_curve import score_curve
from engine.render.accumulation import accumulate, accumulate_heat, blend_frames
from engine.render.palette import CHANNEL_COLOURS, RESULT_COLOUR, TRUTH_COLOUR


def moving_square(count: int = 5) -> NDArray[np.uint8]:
    background = np.random.default_rng(2).integers(80, 120, (60, 151, 3), dtype=np.uint8)
    frames = np.repeat(background[None], count, axis=0)
    for index in range(count):
        frames[index, 20:34, 8 + 26 * index : 22 + 26 * index] = (250, 20, 20)
    return frames


def count_colour(rgb: NDArray[np.uint8], colour: tuple[int, int, int]) -> int:
    return int((np.abs(rgb.astype(int) - np.array(colour)).max(axis=-1) <= 2).sum())


def test_the_target_shows_at_each_of_its_places_on_a_clean_background() -> None:
    frames = moving_square()
    picture = blend_frames(frames)
    for index in range(5):
        assert picture[27, 15 + 26 * index].tolist() == [250, 20, 20]
    assert np.abs(picture[45:].astype(int) - np.median(frames, axis=0)[45:]).max() <= 1


@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_frames_are_enough(count: int) -> None:
    picture = blend_frames(moving_square(count))
    assert picture.shape == (60, 151, 3)
    assert picture[27, 15 + 26 * (count - 1)].tolist() == [250, 20, 20]


def test_grey_frames_are_blended_too() -> None:
    assert blend_frames(moving_square()[..., 0]).shape == (60, 151, 3)


def test_no_frames_are_refused() -> None:
    with pytest.raises(BadInputError):
        blend_frames(np.zeros((0, 4, 4, 3), np.uint8))
    with pytest.raises(BadInputError):
        blend_frames(np.zeros((4, 4), np.uint8))


def test_heat_accumulates_its_maximum_over_different_grids() -> None:
    first = np.zeros((4, 4), np.float32)
    first[0, 0] = 0.5
    second = np.zeros((8, 6), np.float16)
    second[-1, -1] = 1.0
    heat = accumulate_heat([first, second], 40, 60)
    assert heat[0, 0] == pytest.approx(0.5)
    assert heat[-1, -1] == pytest.approx(1.0)
    assert accumulate_heat([], 7, 9).shape == (7, 9)


def test_the_accumulated_view_without_heat_and_path_is_the_blend() -> None:
    frames = moving_square()
    assert np.array_equal(accumulate(frames, []), blend_frames(frames))
    assert np.array_equal(accumulate(frames, [], np.zeros((0, 2))), blend_frames(frames))


def test_heat_and_path_are_drawn_over_the_blend() -> None:
    frames = moving_square()
    heat = np.zeros((6, 15), np.float32)
    heat[2, 1] = 1.0
    path = np.array([[15.0, 50.0], [119.0, 50.0]])
    plain = blend_frames(frames)
    changed = np.abs(accumulate(frames, [heat], path).astype(int) - plain).max(axis=2) > 20
    assert changed[27, 15]
    assert changed[50, 60]
    assert not changed[5, 100]


def test_the_panel_shows_boxes_masks_and_heat_side_by_side() -> None:
    frames = moving_square()
    boxes = [[Box(8 + 26 * index, 20, 14, 14)] for index in range(5)]
    ours = [[Box(6 + 26 * index, 18, 20, 20)] for index in range(5)]
    masks = [(frame[..., 0] == 250) & (frame[..., 1] == 20) for frame in frames]
    heat = [np.full((6, 15), 0.9, np.float32)]
    panel = evaluation_panel(frames, boxes, ours, masks, heat, "01")
    height, width = panel.shape[:2]
    assert width >= 3 * 151
    assert height > 60
    left, middle, right = np.array_split(panel, 3, axis=1)
    assert count_colour(left, TRUTH_COLOUR) > 5 * 40
    assert count_colour(left, RESULT_COLOUR) > 5 * 60
    assert count_colour(middle, (255, 255, 255)) >= 5 * 14 * 14
    assert (right.astype(int).max(axis=2) - right.min(axis=2) > 100).sum() > 40 * 100


def test_the_panel_takes_videos_without_truth_and_findings() -> None:
    frames = moving_square(3)[:, :59, :]
    none: list[list[Box]] = [[], [], []]
    panel = evaluation_panel(frames, none, none, [], [], "normal")
    left = np.array_split(panel, 3, axis=1)[0]
    assert count_colour(left, TRUTH_COLOUR) == count_colour(left, RESULT_COLOUR) == 0
    with pytest.raises(BadInputError):
        evaluation_panel(frames, none[:2], none, [], [], "x")


def test_the_curve_rises_where_the_score_does_over_shaded_truth() -> None:
    labels = np.zeros(200, np.uint8)
    labels[100:150] = 1
    picture = score_curve({"scene": np.where(labels, 0.9, 0.1)}, labels, 25.0, 640, 240, "01")
    assert picture.shape == (240, 640, 3)
    ys, xs = np.nonzero(np.abs(picture.astype(int) - CHANNEL_COLOURS["scene"]).max(axis=2) < 30)
    plot = ys > 28
    inside = plot & (xs > 360) & (xs < 470)
    outside = plot & (xs < 330)
    assert ys[inside].mean() < 80
    assert ys[outside].mean() > 160
    shaded = picture[100, 44:626] @ np.array([1, 0, 0]) > picture[100, 44:626] @ np.array([0, 1, 0])
    assert 0.2 < shaded.mean() < 0.3


def test_curves_with_holes_one_frame_and_no_truth_are_drawn() -> None:
    holes = np.array([0.2, np.nan, 0.4, 0.6, np.nan, 0.5])
    for values in (holes, np.full(4, np.nan), np.array([0.5])):
        assert score_curve({"fused": values}, None, 25.0, 300, 120).shape == (120, 300, 3)
    long = score_curve({"other": np.linspace(0, 1, 5000)}, np.zeros(5000, bool), 0.1, 300, 150)
    assert long.shape == (150, 300, 3)


@pytest.mark.parametrize(
    ("scores", "labels", "size"),
    [
        ({}, None, (300, 150)),
        ({"scene": np.zeros(0)}, None, (300, 150)),
        ({"scene": np.zeros(3), "text": np.zeros(4)}, None, (300, 150)),
        ({"scene": np.zeros(3)}, np.zeros(4, bool), (300, 150)),
        ({"scene": np.zeros(3)}, None, (100, 50)),
    ],
)
def test_curves_that_make_no_sense_are_refused(
    scores: dict[str, NDArray[np.float64]],
    labels: NDArray[np.bool_] | None,
    size: tuple[int, int],
) -> None:
    with pytest.raises(BadInputError):
        score_curve(scores, labels, 25.0, *size)
