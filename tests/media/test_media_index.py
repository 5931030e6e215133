"""The index says when each frame is shown, and admits what it had to make up."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, Progress
from engine.core.stream import FrameIndex
from engine.media import open_source
from engine.media.display_times import display_times, frame_steps
from engine.media.packets import NO_TIME
from tests.clips import pattern, remux, write_video
from tests.media.conftest import COUNT, Clip

_MADE = {
    "raw_h264", "raw_open_h264", "raw_hevc", "raw_mjpeg", "raw_mpeg2", "h264_avi", "h264_asf",
    "mpeg4_avi", "mpeg_ps",
}  # fmt: skip


def index_of(pts: list[int], time_base: Fraction = Fraction(1, 1000)) -> FrameIndex:
    array = np.array(pts, np.int64)
    return FrameIndex(array, np.ones(len(pts), np.bool_), np.ones_like(array), time_base)


@pytest.mark.parametrize("name", ["constant", "open_gop", "variable", "vp9", "negative", "flv"])
def test_pts_are_the_files_own(name: str, clip: Clip) -> None:
    with av.open(str(clip(name))) as container:
        own = [frame.pts for frame in container.decode(video=0)]
    with open_source(clip(name)) as source:
        assert source.index.pts.tolist() == own
        assert not source.index.made


@pytest.mark.parametrize("name", sorted(_MADE))
def test_pts_that_the_file_lacks_are_made_and_marked(name: str, clip: Clip) -> None:
    with open_source(clip(name)) as source:
        index = source.index
        assert index.made
        assert len(index) == COUNT
        assert index.seconds(COUNT - 1) == pytest.approx((COUNT - 1) / 25, abs=0.002)
        assert not index.variable_rate


def test_a_stream_without_times_takes_the_rate_it_is_given(clip: Clip) -> None:
    with open_source(clip("raw_h264"), fps=12.5) as source:
        assert source.index.seconds(25) == 2.0
    with open_source(clip("constant"), fps=12.5) as source:
        assert source.index.seconds(25) == 1.0
    for fps in (0, -1, float("nan"), float("inf")):
        with pytest.raises(BadInputError, match="not a frame rate"):
            open_source(clip("raw_h264"), fps=fps)


def test_variable_rate_is_flagged_and_durations_follow_the_steps(clip: Clip) -> None:
    with open_source(clip("variable")) as source:
        assert source.index.variable_rate
        assert (np.diff(source.index.pts) == source.index.duration[:-1]).all()
    with open_source(clip("constant")) as source:
        assert not source.index.variable_rate
        assert source.index.duration_s == pytest.approx(COUNT / 25)


def test_dropped_frames_are_gaps(tmp_path: Path) -> None:
    pts = [*range(10), *range(15, 45)]
    path = write_video(tmp_path / "gap.mkv", pattern(COUNT), pts=pts)
    with open_source(path) as source:
        ((before, missing),) = source.index.gaps
        assert before == 9
        assert missing == pytest.approx(0.2)
        assert not source.index.variable_rate


def test_rotation_pixel_aspect_sound_and_interlacing_are_known(tmp_path: Path, clip: Clip) -> None:
    for degrees in (90, 180, 270):
        path = write_video(
            tmp_path / f"{degrees}.mp4",
            pattern(5),
            rotation=degrees,
            pixel_aspect=Fraction(16, 11),
            sound=True,
        )
        with open_source(path) as source:
            assert source.info.rotation == degrees
            assert source.info.pixel_aspect == Fraction(16, 11)
            assert source.info.sound
            assert (source.info.width, source.info.height) == (96, 64)
    with open_source(clip("constant")) as source:
        assert source.info.rotation == 0
        assert source.info.pixel_aspect == Fraction(1)
        assert not source.info.sound
        assert not source.info.interlaced
    with open_source(clip("interlaced")) as source:
        assert source.info.interlaced


def test_one_of_several_streams_can_be_chosen(tmp_path: Path) -> None:
    path = write_video(tmp_path / "two.mkv", pattern(12), streams=2, options={"crf": "5"})
    with open_source(path) as first, open_source(path, stream=1) as second:
        assert [stream.number for stream in first.info.streams] == [0, 1]
        assert (first.info.number, second.info.number) == (0, 1)
        upright, turned = first.frame(6).image, second.frame(6).image
        assert upright is not None
        assert turned is not None
        assert np.abs(upright[::-1].astype(int) - turned).mean() < 6
    with pytest.raises(BadInputError, match="no video stream 7"):
        open_source(path, stream=7)


def test_frames_that_an_edit_list_takes_out_are_no_frames(tmp_path: Path, clip: Clip) -> None:
    # A start before zero makes the MP4 writer hide what comes before zero.
    path = remux(clip("constant"), tmp_path / "edited.mp4", shift=-512 * 5)
    with open_source(path) as source, open_source(clip("constant")) as whole:
        hidden = source.index.discarded
        assert hidden == 5
        assert len(source.index) == COUNT - hidden
        for index in (0, 1, len(source.index) - 1):
            image, expected = source.frame(index).image, whole.frame(index + hidden).image
            assert image is not None
            assert expected is not None
            assert np.array_equal(image, expected)


def test_indexing_reports_and_can_be_cancelled(clip: Clip) -> None:
    reports: list[Progress] = []
    open_source(clip("constant"), progress=reports.append).close()
    assert reports[-1].done == reports[-1].total == clip("constant").stat().st_size
    token = CancelToken()
    token.cancel()
    with pytest.raises(Exception, match="cancelled"):
        open_source(clip("constant"), cancel=token)


def test_repeated_pts_are_counted_and_left_out(tmp_path: Path, clip: Clip) -> None:
    data = bytearray(clip("flv").read_bytes())
    tags = [
        at for at in range(len(data) - 11) if data[at : at + 1] == b"\x09" and _is_tag(data, at)
    ]
    third, fourth = tags[3], tags[4]
    data[fourth + 4 : fourth + 8] = data[third + 4 : third + 8]
    path = tmp_path / "repeated.flv"
    path.write_bytes(data)
    with open_source(path) as source:
        assert source.index.duplicates == 1
        assert len(source.index) == COUNT - 1
        assert (np.diff(source.index.pts) > 0).all()
        assert len(list(source.frames())) == COUNT - 1


def _is_tag(data: bytearray, at: int) -> bool:
    size = int.from_bytes(data[at + 1 : at + 4], "big")
    end = at + 11 + size
    return size > 5 and data[end : end + 4] == (size + 11).to_bytes(4, "big")


def test_a_clock_that_jumps_back_is_carried_on() -> None:
    pts = np.array([0, 40, 80, 120, 0, 40, 80], np.int64) + 5000
    pts[4:] -= 3000
    times = display_times(pts, pts, None, untimed=False, second=Fraction(1000), rate=Fraction(25))
    assert times.pts.tolist() == [5000, 5040, 5080, 5120, 5160, 5200, 5240]
    assert times.has_made_pts
    assert times.discontinuities == 1


def test_pts_between_known_ones_follow_the_display_order() -> None:
    none = NO_TIME
    pts = np.array([0, none, 40, none, 240, none], np.int64)
    order = np.array([0, 2, 3, 1, 5, 4])
    times = display_times(
        pts, np.full(6, none), order, untimed=False, second=Fraction(1000), rate=Fraction(25)
    )
    assert times.pts[order].tolist() == [0, 40, 90, 140, 190, 240]
    assert times.has_made_pts


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=30), st.integers(-(10**6), 10**6))
def test_nearest_is_the_nearest_and_the_earlier_of_two(gaps: list[int], start: int) -> None:
    index = index_of([start, *(start + sum(gaps[: i + 1]) for i in range(len(gaps)))])
    for i in range(len(index)):
        assert index.nearest(index.seconds(i)) == i
    for i in range(len(gaps)):
        middle = (index.seconds(i) + index.seconds(i + 1)) / 2
        assert index.nearest(round(middle, 4)) == i
    assert index.nearest_pts(start - 1) == 0


def test_a_tie_written_in_decimals_is_a_tie() -> None:
    index = index_of([0, 4, 8, 12], Fraction(1, 100))
    assert [index.nearest(seconds) for seconds in (0.02, 0.0201, 0.06, 0.1, 9.0, -1.0)] == [
        0, 1, 1, 2, 3, 0,
    ]  # fmt: skip


def test_a_single_frame_has_a_duration() -> None:
    only = frame_steps(np.array([7], np.int64), np.array([0], np.int64), Fraction(1, 25))
    assert only.duration.tolist() == [1]
    assert only.gaps == ()
