"""Every way to a frame leads to the same pixels."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.core.errors import BadInputError
from engine.core.stream import Frame
from engine.media import Source, open_source
from tests.clips import write_video
from tests.media.conftest import CLIPS, COUNT, Clip

ALL = [*CLIPS, "negative"]
TINY_CACHE = 1

FrameSummary = tuple[int, int, bool, str, str]
Known = dict[str, tuple[Source, list[FrameSummary]]]


def summary(frame: Frame) -> FrameSummary:
    assert frame.image is not None
    digest = hashlib.sha256(frame.image.tobytes()).hexdigest()
    return frame.index, frame.pts, frame.damaged, frame.pict_type, digest


def plain_decode(path: Path) -> list[str]:
    """What PyAV gives when the whole file is decoded in a row."""
    with av.open(str(path)) as container:
        return [
            hashlib.sha256(frame.to_ndarray(format="rgb24").tobytes()).hexdigest()
            for frame in container.decode(video=0)
        ]


@pytest.mark.parametrize("name", ALL)
def test_sequential_reading_is_the_plain_decode(name: str, clip: Clip) -> None:
    with open_source(clip(name)) as source:
        frames = [summary(frame) for frame in source.frames(pixels="rgb")]
    assert [frame[0] for frame in frames] == list(range(COUNT))
    assert [frame[4] for frame in frames] == plain_decode(clip(name))
    assert not any(frame[2] for frame in frames)


@pytest.mark.parametrize("name", ALL)
def test_random_access_is_sequential_reading_even_without_a_cache(name: str, clip: Clip) -> None:
    with open_source(clip(name), cache_bytes=TINY_CACHE) as source:
        frames = [summary(frame) for frame in source.frames(pixels="rgb")]
        order = np.random.default_rng(1).permutation(COUNT)
        for index in order.tolist():
            assert summary(source.frame(index)) == frames[index]
        assert [summary(frame) for frame in source.frames(17, None, 5, pixels="rgb")] == frames[
            17::5
        ]


@pytest.mark.parametrize("name", ALL)
def test_picked_frames_are_those_of_sequential_reading(name: str, clip: Clip) -> None:
    with open_source(clip(name)) as source:
        frames = [summary(frame) for frame in source.frames(size=(48, 32))]
        order = np.random.default_rng(2).permutation(COUNT)[:12]
        assert [summary(source.pick(i, size=(48, 32))) for i in order.tolist()] == [
            frames[i] for i in order
        ]


@pytest.fixture(scope="module")
def known(clip: Clip) -> Iterator[Known]:
    sources = {}
    for name in ("open_gop_ts", "variable", "raw_open_h264", "long_gop", "mpeg_ps"):
        source = open_source(clip(name), cache_bytes=300_000)
        sources[name] = source, [summary(frame) for frame in source.frames(pixels="rgb")]
    yield sources
    for source, _ in sources.values():
        source.close()


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_order_of_access_gives_the_same_frames(
    data: st.DataObject,
    known: Known,
) -> None:
    source, frames = known[data.draw(st.sampled_from(sorted(known)))]
    for index in data.draw(st.lists(st.integers(0, COUNT - 1), max_size=8)):
        assert summary(source.frame(index)) == frames[index]
    start, step = data.draw(st.integers(0, COUNT)), data.draw(st.integers(1, 15))
    stop = data.draw(st.integers(0, COUNT + 3))
    part = [summary(frame) for frame in source.frames(start, stop, step, pixels="rgb")]
    assert part == frames[start:stop:step]


def test_two_iterations_and_random_access_do_not_disturb_each_other(clip: Clip) -> None:
    with open_source(clip("b_frames")) as source:
        expected = [summary(frame) for frame in source.frames()]
        both = []
        for frame, other in zip(source.frames(), source.frames(3), strict=False):
            source.frame(35 - frame.index % 30)
            both.append((summary(frame), summary(other)))
    assert both == list(zip(expected, expected[3:], strict=False))


def test_a_pts_finds_its_frame_and_times_between_find_the_nearest(clip: Clip) -> None:
    with open_source(clip("variable")) as source:
        for index, pts in enumerate(source.index.pts.tolist()):
            assert source.frame_at(pts).index == index
        first, second = source.index.pts[:2].tolist()
        assert source.frame_at((first + second) // 2).index == 0
        assert source.frame_at(-(10**12)).index == 0
        assert source.frame_at(10**12).index == COUNT - 1


def test_grey_is_full_range_luma_at_the_size_asked_for(tmp_path: Path) -> None:
    black, white = np.zeros((64, 96, 3), np.uint8), np.full((64, 96, 3), 255, np.uint8)
    path = write_video(tmp_path / "levels.mp4", [black, white], options={"crf": "1"})
    with open_source(path) as source:
        dark, bright = source.frames(size=(30, 20), pixels="gray")
        assert dark.image is not None
        assert bright.image is not None
        assert dark.image.shape == (20, 30)
        assert dark.image.max() <= 1
        assert bright.image.min() >= 254
        coloured = source.frame(1, "rgb").image
        assert coloured is not None
        assert coloured.shape == (64, 96, 3)


def test_an_image_belongs_to_the_caller(clip: Clip) -> None:
    with open_source(clip("constant")) as source:
        first = source.frame(5)
        before = summary(first)
        assert first.image is not None
        first.image[:] = 0
        assert summary(source.frame(5)) == before


def test_arguments_out_of_range_are_refused(clip: Clip) -> None:
    with open_source(clip("constant")) as source:
        assert list(source.frames(COUNT)) == []
        assert list(source.frames(30, 10)) == []
        with pytest.raises(BadInputError):
            source.frames(-1)
        with pytest.raises(BadInputError):
            source.frames(step=0)
        with pytest.raises(IndexError):
            source.frame(COUNT)
        with pytest.raises(IndexError):
            source.frame(-1)


def test_reading_leaves_the_evidence_and_its_folder_as_they_were(
    tmp_path: Path, clip: Clip
) -> None:
    path = tmp_path / "evidence.mp4"
    path.write_bytes(clip("open_gop").read_bytes())
    path.chmod(0o444)
    before = path.stat()
    with open_source(path) as source:
        list(source.frames())
        source.frame(20)
    after = path.stat()
    assert path.read_bytes() == clip("open_gop").read_bytes()
    assert (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    assert list(tmp_path.iterdir()) == [path]
