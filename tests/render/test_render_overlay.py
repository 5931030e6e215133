from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.core.errors import BadInputError, ResourceError
from engine.core.geometry import Box
from engine.render.overlay import burn_text, draw_boxes, draw_legend, draw_path, overlay_heatmap
from engine.render.palette import COLOUR_MAPS, colour_table
from engine.render.raster import as_rgb, put_text, text_size, write_png

RED = (255, 0, 0)


def picture(height: int = 61, width: int = 97) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)


@given(
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    rows=st.integers(1, 9),
    columns=st.integers(1, 9),
)
@settings(max_examples=40, deadline=None)
def test_a_cold_picture_stays_untouched(height: int, width: int, rows: int, columns: int) -> None:
    rgb = picture(height, width)
    before = rgb.copy()
    overlaid = overlay_heatmap(rgb, np.zeros((rows, columns), np.float32))
    assert np.array_equal(overlaid, rgb)
    assert not np.shares_memory(overlaid, rgb)
    overlay_heatmap(rgb, np.ones((rows, columns), np.float32))
    assert np.array_equal(rgb, before)


@pytest.mark.parametrize("name", COLOUR_MAPS)
def test_a_hot_place_takes_the_colour_of_the_map_and_the_rest_stays(name: str) -> None:
    rgb = picture(80, 80)
    heatmap = np.zeros((8, 8), np.float16)
    heatmap[2, 5] = 1.0
    overlaid = overlay_heatmap(rgb, heatmap, opacity=1.0, colour_map=name)
    centre = colour_table(name)[230:].astype(int)
    distance = np.abs(centre - overlaid[24, 55].astype(int)).sum(axis=1).min()
    assert distance < 60
    assert np.array_equal(overlaid[40:], rgb[40:])


def test_opacity_follows_heat() -> None:
    rgb = np.full((40, 40, 3), 100, np.uint8)
    changes = [
        np.abs(overlay_heatmap(rgb, np.full((4, 4), heat)).astype(int) - 100).max()
        for heat in (0.01, 0.3, 1.0)
    ]
    assert changes[0] == 0 < changes[1] < changes[2]
    hottest = colour_table("inferno")[255]
    assert overlay_heatmap(rgb, np.ones((2, 2)), 0.6)[5, 5] == pytest.approx(
        100 * 0.4 + hottest * 0.6, abs=1
    )


def test_heat_outside_the_scale_and_holes_do_no_harm() -> None:
    rgb = picture()
    heatmap = np.array([[np.nan, -3.0], [np.inf, 7.0]])
    assert np.array_equal(overlay_heatmap(rgb, heatmap)[:10, :10], rgb[:10, :10])


def test_grey_frames_are_accepted() -> None:
    grey = picture()[..., 0]
    assert overlay_heatmap(grey, np.ones((3, 3))).shape == (61, 97, 3)
    assert np.array_equal(as_rgb(grey[..., None])[..., 2], grey)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4), np.float32),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros(5, np.uint8),
    ],
)
def test_what_is_no_picture_is_refused(array: NDArray[np.uint8]) -> None:
    with pytest.raises(BadInputError):
        as_rgb(array)


def test_unknown_colour_maps_are_named_with_the_known_ones() -> None:
    with pytest.raises(BadInputError, match="inferno, viridis, turbo, grey"):
        overlay_heatmap(picture(), np.ones((2, 2)), colour_map="jet")


def test_a_boxs_lines_lie_on_its_outermost_pixels() -> None:
    rgb = np.zeros((40, 50, 3), np.uint8)
    picture = draw_boxes(rgb, [Box(10, 5, 20, 12)], RED, thickness=1)
    ys, xs = np.nonzero(picture[..., 0])
    assert (xs.min(), ys.min(), xs.max(), ys.max()) == (10, 5, 29, 16)
    assert not picture[6:16, 11:29].any()
    assert not rgb.any()
    thick = draw_boxes(rgb, [Box(10, 5, 20, 12)], RED, thickness=3)
    ys, xs = np.nonzero(thick[..., 0])
    assert (xs.min(), ys.min(), xs.max(), ys.max()) == (10, 5, 29, 16)
    assert thick[7, 20, 0] == 255
    assert not thick[8:14, 13:27].any()


def test_boxes_at_and_beyond_the_edge_and_of_one_pixel() -> None:
    rgb = np.zeros((20, 20, 3), np.uint8)
    boxes = [Box(-5, -5, 10, 10), Box(19, 19, 1, 1), Box(100, 100, 5, 5)]
    picture = draw_boxes(rgb, boxes, RED, ["a", "b", "far away"])
    assert picture[19, 19, 0] > 0


def test_no_boxes_change_nothing_and_labels_must_match() -> None:
    rgb = picture()
    assert np.array_equal(draw_boxes(rgb, []), rgb)
    with pytest.raises(BadInputError):
        draw_boxes(rgb, [Box(1, 1, 5, 5)], labels=["a", "b"])


def test_labels_stay_inside_the_picture_on_a_dark_backing() -> None:
    rgb = np.full((120, 200, 3), 255, np.uint8)
    for box in (Box(0, 0, 20, 20), Box(180, 100, 20, 20)):
        picture = draw_boxes(rgb, [box], RED, ["0.97 speed"])
        assert ((picture < 60).all(axis=2)).sum() > 200


def test_a_path_joins_its_points_and_fades_with_age() -> None:
    rgb = np.zeros((60, 200, 3), np.uint8)
    points = np.array([[10.0, 30.0], [70.0, 30.0], [130.0, 30.0], [190.0, 30.0]])
    picture = draw_path(rgb, points, np.array([1.0, 0.7, 0.3, 0.0]), (255, 255, 255), arrow=False)
    values = [int(picture[30, x, 0]) for x in (40, 100, 160)]
    assert values == sorted(values)
    assert values[0] > 60
    assert values[0] < values[2] == 255
    assert not picture[:20].any()


def test_the_arrow_points_where_the_path_goes() -> None:
    rgb = np.zeros((60, 200, 3), np.uint8)
    points = np.array([[10.0, 30.0], [150.0, 30.0]])
    line = draw_path(rgb, points, colour=(255, 255, 255))[..., 0] > 0
    tall = line.sum(axis=0)
    assert tall[138:152].max() > 2 * tall[60]
    assert np.flatnonzero(tall)[-1] > 152


@pytest.mark.parametrize("points", [np.zeros((0, 2)), np.zeros((1, 2))])
def test_a_path_without_length_is_not_drawn(points: NDArray[np.float64]) -> None:
    rgb = picture()
    assert np.array_equal(draw_path(rgb, points), rgb)


def test_a_target_that_stood_still_has_a_path_without_arrow() -> None:
    assert draw_path(picture(), np.full((4, 2), 20.0)).shape == (61, 97, 3)


def test_broken_paths_are_refused() -> None:
    with pytest.raises(BadInputError):
        draw_path(picture(), np.array([[1.0, np.nan], [2.0, 3.0]]))
    with pytest.raises(BadInputError):
        draw_path(picture(), np.zeros((3, 2)), np.zeros(2))


def test_the_legend_shows_the_map_and_leaves_small_pictures_alone() -> None:
    rgb = np.full((360, 640, 3), 200, np.uint8)
    legend = draw_legend(rgb, "viridis")
    corner = legend[280:, 480:].reshape(-1, 3).astype(int)
    for colour in colour_table("viridis")[[0, 128, 255]].astype(int):
        assert np.abs(corner - colour).sum(axis=1).min() < 12
    assert np.array_equal(legend[:260], rgb[:260])
    tiny = picture(20, 20)
    assert np.array_equal(draw_legend(tiny), tiny)


def test_text_is_burned_into_the_upper_left_corner() -> None:
    rgb = np.full((200, 300, 3), 255, np.uint8)
    picture = burn_text(rgb, "00:00:12.400")
    ys, xs = np.nonzero((picture < 60).all(axis=2))
    assert ys.mean() < 100
    assert xs.mean() < 150


def test_text_in_other_alphabets_and_odd_places_does_no_harm() -> None:
    rgb = picture()
    put_text(rgb, "Kamera Süd 北\n\x00", -500, 900, 0.5)
    assert text_size("ü", 0.5) == text_size("?", 0.5)


def test_a_png_comes_back_as_it_was_and_replaces_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "Bild ü.png"
    path.write_bytes(b"old")
    rgb = picture()
    write_png(path, rgb)
    read = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    assert read is not None
    assert np.array_equal(read[..., ::-1], rgb)
    assert list(tmp_path.iterdir()) == [path]


def test_a_png_that_cannot_be_written_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="cannot be written"):
        write_png(tmp_path / "missing" / "a.png", picture())
    (tmp_path / "taken").mkdir()
    with pytest.raises(ResourceError):
        write_png(tmp_path / "taken", picture())
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
