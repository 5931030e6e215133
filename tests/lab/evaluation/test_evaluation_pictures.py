from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.core.geometry import Box
from engine.lab.evaluation.evaluation_panel import evaluation_panel
from engine.lab.evaluation.score_curve import score_curve
from engine.render.palette import CHANNEL_COLOURS, RESULT_COLOUR, TRUTH_COLOUR
from tests.render.test_render_accumulation import moving_square


def count_colour(rgb: NDArray[np.uint8], colour: tuple[int, int, int]) -> int:
    return int((np.abs(rgb.astype(int) - np.array(colour)).max(axis=-1) <= 2).sum())


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
