"""The player shows the exact frame of a PTS, whatever was asked before."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QObject, QPointF, QRectF
from pytestqt.qtbot import QtBot

from desktop.player.frame_requests import FrameReply, FrameSource
from desktop.player.frame_server import FrameServer
from desktop.player.picture_geometry import PictureGeometry
from desktop.player.screen_images import to_image
from desktop.state.view_state import PictureSettings
from engine.core.errors import SightlineError
from engine.media import open_source
from tests.clips import pattern, write_video
from tests.desktop.driving import pixels


class Collected(QObject):
    """What a frame server said."""

    def __init__(self, server: FrameServer) -> None:
        super().__init__()
        self.replies: list[FrameReply] = []
        self.errors: list[SightlineError] = []
        self.opened = False
        server.replied.connect(self.replies.append)
        server.failed.connect(self.errors.append)
        server.opened.connect(lambda _source: setattr(self, "opened", True))

    def reply(self, request_id: int) -> FrameReply | None:
        return next((one for one in self.replies if one.request_id == request_id), None)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """A variable rate: two frames in three."""
    pts = [n for n in range(90) if n % 3]
    return write_video(
        tmp_path / "gate.mp4", pattern(60), pts=pts, time_base=Fraction(1, 25),
        options={"g": "20", "bf": "2"},
    )  # fmt: skip


def test_the_latest_request_wins_and_is_exact(qtbot: QtBot, video: Path) -> None:
    server = FrameServer()
    said = Collected(server)
    try:
        server.open(FrameSource(video))
        qtbot.waitUntil(lambda: said.opened)
        last = 0
        for frame in (3, 50, 7, 31, 12, 44):
            last = server.request(frame)
        qtbot.waitUntil(lambda: said.reply(last) is not None)
        reply = said.reply(last)
        assert reply is not None
        with open_source(video) as source:
            expected = source.frame(44)
        assert expected.image is not None
        assert (reply.index, reply.pts) == (44, expected.pts)
        assert pixels(reply.image) == expected.image.tobytes()
    finally:
        server.close()


def test_a_preview_says_that_it_is_one(qtbot: QtBot, video: Path) -> None:
    server = FrameServer()
    said = Collected(server)
    try:
        server.open(FrameSource(video))
        qtbot.waitUntil(lambda: said.opened)
        between = server.request(27, preview=True)
        qtbot.waitUntil(lambda: said.reply(between) is not None)
        on_keyframe = server.request(20, preview=True)
        qtbot.waitUntil(lambda: said.reply(on_keyframe) is not None)
        first, second = said.reply(between), said.reply(on_keyframe)
        assert first is not None
        assert second is not None
        assert (first.index, first.preview) == (20, True)
        assert (second.index, second.preview) == (20, False)
    finally:
        server.close()


def test_playing_every_frame_shows_every_frame(qtbot: QtBot, video: Path) -> None:
    server = FrameServer()
    said = Collected(server)
    server.replied.connect(lambda _reply: server.acknowledge())
    try:
        server.open(FrameSource(video))
        qtbot.waitUntil(lambda: said.opened)
        with qtbot.waitSignal(server.stopped, timeout=20_000):
            playing = server.play(0, 16.0, every_frame=True)
        shown = [one.index for one in said.replies if one.request_id == playing]
        assert shown == list(range(60))
    finally:
        server.close()


def test_a_file_that_cannot_be_opened_is_said_once(qtbot: QtBot, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"nothing like a video" * 100)
    server = FrameServer()
    said = Collected(server)
    try:
        server.open(FrameSource(broken))
        qtbot.waitUntil(lambda: bool(said.errors))
        assert len(said.errors) == 1
    finally:
        server.close()


def test_a_video_cut_short_plays_up_to_there(qtbot: QtBot, tmp_path: Path, video: Path) -> None:
    whole = write_video(tmp_path / "whole.mkv", pattern(60, (320, 240)), options={"g": "10"})
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    server = FrameServer()
    said = Collected(server)
    server.replied.connect(lambda _reply: server.acknowledge())
    try:
        server.open(FrameSource(cut))
        qtbot.waitUntil(lambda: said.opened or bool(said.errors))
        with qtbot.waitSignal(server.stopped, timeout=20_000):
            playing = server.play(0, 16.0, every_frame=True)
        shown = [one for one in said.replies if one.request_id == playing]
        assert 10 < len(shown) < 60
        assert [one.index for one in shown] == list(range(len(shown)))
    finally:
        server.close()


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_places_on_screen_lead_back_to_pixels(rotation: int) -> None:
    area = QRectF(0, 0, 800, 600)
    geometry = PictureGeometry(1920, 1080, rotation, 1.4).zoom_at(area, QPointF(300, 200), 3.0)
    there = geometry.transform(area).map(QPointF(1234, 321))
    back = geometry.to_pixels(area, there)
    assert (back.x(), back.y()) == pytest.approx((1234, 321))


def test_zooming_keeps_the_pixel_under_the_cursor() -> None:
    area, cursor = QRectF(0, 0, 800, 600), QPointF(610, 130)
    geometry = PictureGeometry(1920, 1080)
    for factor in (1.5, 2.0, 0.7):
        before = geometry.to_pixels(area, cursor)
        geometry = geometry.zoom_at(area, cursor, factor)
        after = geometry.to_pixels(area, cursor)
        assert (after.x(), after.y()) == pytest.approx((before.x(), before.y()))


def test_view_settings_leave_the_decoded_frame_alone() -> None:
    image = np.full((8, 8, 3), 100, np.uint8)
    brighter = to_image(image, PictureSettings(brightness=0.5))
    assert pixels(brighter) != image.tobytes()
    assert (image == 100).all()
    assert pixels(to_image(image, PictureSettings())) == image.tobytes()
