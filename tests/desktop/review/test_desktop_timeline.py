"""What the timeline draws: peaks at any zoom, lanes that can be hit, the hand on it."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from desktop.timeline.lanes import Spans
from desktop.timeline.row_packing import pack
from desktop.timeline.score_pyramid import ScorePyramid
from desktop.timeline.thumbnails import ThumbnailServer, ThumbnailSource
from desktop.timeline.time_view import GUTTER, MARGIN, TimeView
from desktop.timeline.timeline_mouse import TimelineMouseHandler
from tests.clips import write_video


@pytest.mark.parametrize("count", [1, 5, 511, 512, 513, 100_003])
def test_no_peak_is_lost_at_any_zoom(count: int) -> None:
    rng = np.random.default_rng(count)
    seconds = np.cumsum(rng.uniform(0.02, 0.06, count))
    scores = np.full(count, 0.1, np.float32)
    peak = int(rng.integers(count))
    scores[peak] = 0.97
    pyramid = ScorePyramid(seconds, scores)
    for span in (1e9, 600.0, 30.0, 1.0):
        start, end = seconds[peak] - span / 2, seconds[peak] + span / 2
        times, values = pyramid.line(start, end, 200)
        assert values.max() == np.float32(0.97)
        assert len(values) <= 8 * 200 + 8
        assert (np.diff(times) >= 0).all()


def test_nothing_in_sight_gives_no_line() -> None:
    pyramid = ScorePyramid(np.arange(10.0), np.zeros(10, np.float32))
    assert len(pyramid.line(50.0, 60.0, 100)[0]) <= 1
    empty = ScorePyramid(np.zeros(0), np.zeros(0, np.float32))
    assert len(empty.line(0.0, 1.0, 100)[0]) == 0


def test_packed_spans_never_lie_over_each_other() -> None:
    rng = np.random.default_rng(3)
    starts = rng.uniform(0, 100, 400)
    ends = starts + rng.uniform(0, 9, 400)
    spans = list(zip(starts.tolist(), ends.tolist(), strict=True))
    rows = pack(spans)
    for row in range(rows.max() + 1):
        mine = sorted(span for span, where in zip(spans, rows, strict=False) if where == row)
        assert all(one[1] < other[0] for one, other in itertools.pairwise(mine))
    busiest = max(sum(a <= moment <= b for a, b in spans) for moment in starts)
    assert rows.max() + 1 == busiest


def test_zooming_keeps_the_moment_under_the_hand(qapp: QApplication) -> None:
    view = TimeView()
    view.set_duration(86_400.0)
    before = view.x(40_000.0, 1000)
    for _ in range(40):
        view.zoom(1.5, 40_000.0)
    assert view.end - view.start == pytest.approx(1.0)
    assert view.x(40_000.0, 1000) == pytest.approx(before, abs=0.5)
    for _ in range(60):
        view.zoom(0.5, 40_000.0)
    assert (view.start, view.end) == (0.0, 86_400.0)


def test_panning_stops_at_both_ends(qapp: QApplication) -> None:
    view = TimeView()
    view.set_duration(100.0)
    view.zoom(4.0, 50.0)
    view.pan(-1e6)
    assert view.start == 0.0
    view.pan(1e6)
    assert view.end == pytest.approx(100.0)
    assert view.end - view.start == pytest.approx(25.0)


def test_evidence_shorter_than_a_second_can_be_shown(qapp: QApplication) -> None:
    view = TimeView()
    view.set_duration(0.04)
    view.zoom(100.0, 0.02)
    assert (view.start, view.end) == (0.0, 0.04)
    assert view.seconds(GUTTER, 500) == 0.0
    assert view.seconds(500 - MARGIN, 500) == pytest.approx(0.04)


def test_the_shortest_span_under_the_hand_is_hit(qapp: QApplication) -> None:
    spans = Spans(
        np.array([0.0, 4.0]), np.array([10.0, 5.0]), np.zeros(2, np.int64),
        np.zeros(2, np.int64), np.array([7, 9]),
    )  # fmt: skip
    assert spans.at(4.5, None, 0.0) == 9
    assert spans.at(1.0, None, 0.0) == 7
    assert spans.at(11.0, None, 0.0) is None
    assert spans.at(11.0, None, 1.5) == 7


def test_a_drag_scrubs_and_the_wheel_zooms(qtbot: QtBot) -> None:
    view = TimeView()
    view.set_duration(100.0)
    widget = QWidget()
    qtbot.addWidget(widget)
    widget.resize(GUTTER + 1000 + MARGIN, 50)
    hand = TimelineMouseHandler(view)
    hand.watch(widget)
    widget.show()
    scrubbed: list[float] = []
    hand.scrubbed.connect(scrubbed.append)
    left = Qt.MouseButton.LeftButton
    QTest.mousePress(widget, left, pos=QPoint(GUTTER + 100, 20))
    QTest.mouseMove(widget, QPoint(GUTTER + 500, 20))
    with qtbot.waitSignal(hand.released):
        QTest.mouseRelease(widget, left, pos=QPoint(GUTTER + 500, 20))
    assert scrubbed[0] == pytest.approx(10.0)
    assert scrubbed[-1] == pytest.approx(50.0)
    place = QPointF(GUTTER + 500, 20)
    QApplication.sendEvent(
        widget,
        QWheelEvent(
            place, place, QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        ),
    )  # fmt: skip
    assert view.end - view.start < 100.0
    assert view.seconds(place.x(), widget.width()) == pytest.approx(50.0)


@pytest.mark.parametrize(("near", "different"), [(20, 3), (1000, 1)])
def test_pictures_along_one_keyframe_are_not_all_the_same(
    qtbot: QtBot, tmp_path: Path, near: int, different: int
) -> None:
    frames = [np.full((48, 64, 3), 4 * number, np.uint8) for number in range(60)]
    video = write_video(tmp_path / "one.mp4", frames, options={"x264-params": "keyint=250"})
    server = ThumbnailServer()
    made: dict[int, int] = {}
    server.thumbnail_ready.connect(
        lambda frame, one: made.update({frame: one.pixelColor(8, 8).value()})
    )
    try:
        server.open(ThumbnailSource(video, 0, None, None))
        server.ask([0, 20, 40], near)
        qtbot.waitUntil(lambda: len(made) == 3)
    finally:
        server.close()
    assert len(set(made.values())) == different
