from __future__ import annotations

import json
import math
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import (
    BadInputError,
    CancelledError,
    CheckFailedError,
    ResourceError,
    SightlineError,
)
from engine.core.findings import Trajectory
from engine.core.geometry import CELLS, Box, box_iou, cell_name, direction_name
from engine.core.progress import CancelToken, Progress
from engine.core.settings import AnalysisSettings, MotionSettings, SceneSettings, TrackingSettings
from engine.core.times import Span, format_time, parse_span, parse_time
from engine.pipeline.recipe import Recipe

# Times.


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("12.4", 12.4),
        (" 12.4 ", 12.4),
        (".5", 0.5),
        ("7.", 7),
        ("1:02", 62),
        ("01:02.5", 62.5),
        ("00:00:00.000", 0),
        ("1:02:03.456", 3723.456),
        ("100:00:00", 360_000),
        ("99:59", 5999),
    ],
)
def test_times_as_people_write_them(text: str, seconds: float) -> None:
    assert parse_time(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    ["", " ", "-1", "1e3", "nan", "inf", "1:2:3:4", "1:60", "1:60:00", "1:", ":5", "12,4", "five",
     "1..2", "+3", "0x10", "\n", "1:-2"],
)  # fmt: skip
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(BadInputError, match="not a time"):
        parse_time(text)


@given(st.integers(0, 10**9))
def test_what_is_shown_is_read_again(milliseconds: int) -> None:
    shown = format_time(milliseconds / 1000)
    assert round(parse_time(shown) * 1000) == milliseconds
    hours, minutes, seconds = shown.split(":")
    assert len(hours) >= 2
    assert len(minutes) == 2
    assert len(seconds) == 6
    assert int(minutes) < 60
    assert float(seconds) < 60


@given(st.floats(0, 1e7))
def test_showing_rounds_to_the_nearest_millisecond(seconds: float) -> None:
    assert abs(parse_time(format_time(seconds)) - seconds) <= 0.0005 + 1e-6


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (59.9996, "00:01:00.000"),
        (3599.9999, "01:00:00.000"),
        (0.0004, "00:00:00.000"),
        (-1.5, "-00:00:01.500"),
        (360_000, "100:00:00.000"),
    ],
)
def test_rounding_carries(seconds: float, text: str) -> None:
    assert format_time(seconds) == text


def test_a_span_holds_both_its_ends() -> None:
    span = parse_span("10..1:00.5")
    assert span == Span(10.0, 60.5)
    assert 10.0 in span
    assert 60.5 in span
    assert 9.999 not in span
    assert str(span) == "00:00:10.000..00:01:00.500"
    assert parse_span("5..5") == Span(5.0, 5.0)


@pytest.mark.parametrize("text", ["", "5", "5-6", "..", "5..", "..5", "6..5", "1..2..3", "a..b"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(BadInputError):
        parse_span(text)


@given(st.integers(0, 10**7), st.integers(0, 10**7))
def test_a_span_that_is_shown_is_read_again(one: int, other: int) -> None:
    span = Span(min(one, other) / 1000, max(one, other) / 1000)
    again = parse_span(str(span))
    assert (again.start, again.end) == pytest.approx((span.start, span.end), abs=1e-6)


# Boxes.

boxes = st.builds(
    Box, st.integers(-50, 50), st.integers(-50, 50), st.integers(1, 60), st.integers(1, 60)
)


@given(boxes)
def test_corners_are_inclusive(box: Box) -> None:
    assert Box.from_corners(*box.corners) == box
    x0, y0, x1, y1 = box.corners
    assert box.area == (x1 - x0 + 1) * (y1 - y0 + 1)
    assert box.centre == ((x0 + x1) / 2, (y0 + y1) / 2)
    assert list(box.edges) == [x0, y0, x1 + 1, y1 + 1]
    assert box.as_list() == [box.x, box.y, box.w, box.h]


@given(boxes, boxes)
def test_iou_counts_pixels(one: Box, other: Box) -> None:
    def pixels(box: Box) -> set[tuple[int, int]]:
        x0, y0, x1, y1 = box.corners
        return {(x, y) for x in range(x0, x1 + 1) for y in range(y0, y1 + 1)}

    shared, either = pixels(one) & pixels(other), pixels(one) | pixels(other)
    assert box_iou(one.edges, other.edges) == pytest.approx(len(shared) / len(either))
    assert box_iou(one.edges, other.edges) == box_iou(other.edges, one.edges)
    assert box_iou(one.edges, one.edges) == 1.0


# Places and directions.


@pytest.mark.parametrize(
    ("point", "name"),
    [
        ((0, 0), "top left"),
        ((99, 0), "top left"),
        ((100, 0), "top centre"),
        ((299.9, 149.9), "bottom right"),
        ((150, 75), "middle centre"),
        ((-5, 500), "bottom left"),
        ((500, -5), "top right"),
    ],
)
def test_points_lie_in_one_of_nine_cells(point: tuple[float, float], name: str) -> None:
    assert cell_name(*point, 300, 150) == name


@given(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4), st.integers(1, 4000), st.integers(1, 4000))
def test_every_point_has_a_cell(x: float, y: float, width: int, height: int) -> None:
    assert cell_name(x, y, width, height) in CELLS


def test_the_cells_go_row_by_row() -> None:
    found = [cell_name(x, y, 3, 3) for y in range(3) for x in range(3)]
    assert tuple(found) == CELLS


@pytest.mark.parametrize(
    ("vector", "name"),
    [
        ((1, 0), "right"),
        ((1, 1), "down-right"),
        ((0, 1), "down"),
        ((-1, 1), "down-left"),
        ((-1, 0), "left"),
        ((-1, -1), "up-left"),
        ((0, -1), "up"),
        ((1, -1), "up-right"),
        ((10, 4), "right"),
        ((10, 5), "down-right"),
        ((-10, -4), "left"),
        ((-10, -1e-9), "left"),
    ],
)
def test_directions_are_those_on_screen(vector: tuple[float, float], name: str) -> None:
    assert direction_name(*vector) == name


@given(st.floats(-math.pi, math.pi))
def test_the_opposite_way_has_the_opposite_name(angle: float) -> None:
    x, y = math.cos(angle), math.sin(angle)
    opposite = {"right": "left", "left": "right", "up": "down", "down": "up"}
    words = [opposite[word] for word in direction_name(x, y).split("-")]
    near_border = abs((angle / (math.pi / 4)) % 1 - 0.5) < 1e-6
    assert near_border or direction_name(-x, -y) == "-".join(words)


# Settings.

numbers = st.floats(0.001, 1e6, allow_nan=False)
motions = st.builds(
    MotionSettings,
    analysis_area=st.integers(1, 10**7),
    chunk_seconds=numbers,
    flow_preset=st.sampled_from(["ultrafast", "fast", "medium"]),
    mean_seconds=numbers,
)
scenes = st.builds(
    SceneSettings,
    held_out_quantile=st.floats(0, 1),
    attributes=st.lists(st.sampled_from(["speed", "size", "left"]), unique=True).map(tuple),
)
trackings = st.builds(
    TrackingSettings, event_on=st.floats(0, 1), region_cuts=st.lists(numbers).map(tuple)
)
analyses = st.builds(
    AnalysisSettings,
    stride=st.integers(1, 100),
    channels=st.just(("scene",)),
    motion=motions,
    scene=scenes,
    tracking=trackings,
)
spans = st.lists(st.tuples(numbers, numbers), max_size=3).map(
    lambda pairs: tuple(Span(min(pair), max(pair)) for pair in pairs)
)


@given(analyses, spans, st.none() | numbers)
def test_a_recipe_survives_json(
    settings: AnalysisSettings, normal_spans: tuple[Span, ...], fps: float | None
) -> None:
    recipe = Recipe(settings, (), normal_spans, fps)
    text = json.dumps(recipe.as_json(), allow_nan=False)
    assert Recipe.from_json(json.loads(text)) == recipe


def test_every_setting_stands_in_the_json() -> None:
    plain = AnalysisSettings().as_json()
    assert plain == json.loads(json.dumps(plain))
    for name, kind in (
        ("motion", MotionSettings),
        ("scene", SceneSettings),
        ("tracking", TrackingSettings),
    ):
        assert set(plain[name]) == {field.name for field in fields(kind)}


def test_a_recipe_of_a_version_with_other_settings_is_read() -> None:
    values = Recipe(replace(AnalysisSettings(), stride=3)).as_json()
    values["motion"]["from_the_future"] = 1
    del values["tracking"]["region_cuts"]
    found = Recipe.from_json(values)
    assert found.settings.stride == 3
    assert found.settings.tracking.region_cuts == TrackingSettings().region_cuts


def test_where_the_calibration_comes_from() -> None:
    assert Recipe(AnalysisSettings()).calibration == "self"
    assert Recipe(AnalysisSettings(), normal_spans=(Span(0, 1),)).calibration == "span"


# Errors, cancellation, trajectories.


@pytest.mark.parametrize(
    ("kind", "code"),
    [(CheckFailedError, 1), (BadInputError, 2), (CancelledError, 3), (ResourceError, 4)],
)
def test_an_error_is_a_code_and_one_printable_line(kind: type[SightlineError], code: int) -> None:
    error = kind("what\nhappened", "/a/\x1b[31m\x9bfile\r", "do\tthis")
    assert error.exit_code == code
    assert error.line().isprintable()
    assert error.line() == str(error)
    assert kind("what").line() == "what"


def test_a_token_stops_work_once_asked() -> None:
    token = CancelToken()
    token.check()
    token.cancel()
    token.cancel()
    assert token.cancelled
    with pytest.raises(CancelledError):
        token.check()


def test_a_trajectory_has_a_box_near_any_frame() -> None:
    frames = np.array([10, 12, 20], np.int64)
    rows = np.array([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]], np.int32)
    trajectory = Trajectory(
        1, frames, frames, rows, np.ones(3, np.float32), 0.0, 1.0, "a", "b", "right", None
    )
    assert trajectory.box_near(0) == [1, 2, 3, 4]
    assert trajectory.box_near(12) == [5, 6, 7, 8]
    assert trajectory.box_near(15) == [5, 6, 7, 8]
    assert trajectory.box_near(99) == [9, 10, 11, 12]


def test_progress_of_unknown_length_names_no_total() -> None:
    assert Progress("reading", 1200, 0, unit="slices").text == "reading: 1,200 slices"
    assert Progress("reading", 3, 1200).text == "reading: 3 of 1,200 frames"
