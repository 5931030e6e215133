"""Damage is reported as damage, ends nothing, and looks the same from every side."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from engine.core.stream import Frame
from engine.media import Source, open_source
from tests.clips import pattern, remux, write_video
from tests.media.conftest import COUNT, Clip


def damage(path: Path, target: Path, seed: int, places: int = 4) -> Path:
    """Overwrites a few places in the later two thirds of a file."""
    data = bytearray(path.read_bytes())
    random = np.random.default_rng(seed)
    for at in random.integers(len(data) // 3, len(data) * 9 // 10, places).tolist():
        data[at : at + 16] = random.bytes(16)
    target.write_bytes(data)
    return target


def same(frame: Frame, other: Frame) -> bool:
    if frame.image is None or other.image is None:
        return frame.image is other.image and frame.damaged and other.damaged
    return frame.damaged == other.damaged and np.array_equal(frame.image, other.image)


def check_both_ways(source: Source) -> list[Frame]:
    frames = list(source.frames(pixels="rgb"))
    assert [frame.index for frame in frames] == list(range(len(source.index)))
    for index in np.random.default_rng(0).permutation(len(frames)).tolist():
        assert same(source.frame(index), frames[index]), index
    return frames


@pytest.mark.parametrize(
    "name", ["constant", "open_gop_ts", "raw_h264", "mpeg4_avi", "vp9", "mpeg_ps", "open_gop_mkv"]
)
@pytest.mark.parametrize("seed", [1, 2])
def test_damaged_files_read_the_same_both_ways(
    name: str, seed: int, clip: Clip, tmp_path: Path
) -> None:
    path = damage(clip(name), tmp_path / clip(name).name, seed)
    with open_source(path, cache_bytes=200_000) as source:
        assert len(source.index) > COUNT // 3
        check_both_ways(source)


@pytest.mark.parametrize(
    "name", ["open_gop_ts", "b_frames", "raw_h264", "open_gop_mkv", "h264_avi"]
)
def test_truncated_files_give_what_is_left(name: str, clip: Clip, tmp_path: Path) -> None:
    whole = clip(name)
    if name == "b_frames":
        whole = tmp_path / "faststart.mp4"
        write_video(whole, pattern(COUNT), container_options={"movflags": "faststart"})
    data = whole.read_bytes()
    path = tmp_path / f"cut{whole.suffix}"
    path.write_bytes(data[: len(data) * 2 // 3])
    with open_source(path) as source:
        frames = check_both_ways(source)
        assert len(frames) >= 3
        assert not frames[0].damaged
        if name == "b_frames":
            assert source.index.missing > 0


def test_a_lost_packet_marks_frames_until_the_next_keyframe(clip: Clip, tmp_path: Path) -> None:
    data = bytearray(clip("constant").read_bytes())
    with av.open(str(clip("constant"))) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        assert [i for i, packet in enumerate(packets) if packet.is_keyframe] == [0, 12, 24, 36]
        at, size = packets[14].pos, packets[14].size
    assert at is not None
    data[at + 4 : at + size] = b"\x2a" * (size - 4)
    path = tmp_path / "lost.mp4"
    path.write_bytes(data)
    with open_source(path) as source:
        frames = check_both_ways(source)
    assert not any(frame.damaged for frame in frames[:14])
    assert all(frame.damaged for frame in frames[14:24])
    assert not any(frame.damaged for frame in frames[24:])


def test_a_stream_that_starts_between_keyframes_begins_with_damage(
    clip: Clip, tmp_path: Path
) -> None:
    path = remux(clip("constant"), tmp_path / "middle.ts", keep=slice(5, None))
    with open_source(path) as source:
        frames = check_both_ways(source)
        assert len(frames) == COUNT - 5
        assert all(frame.damaged for frame in frames[:7])
        assert not any(frame.damaged for frame in frames[7:])


def test_a_frame_of_another_size_is_scaled_and_damaged(tmp_path: Path) -> None:
    large = write_video(tmp_path / "large.ts", pattern(10, (128, 96)))
    small = write_video(tmp_path / "small.ts", pattern(10, (64, 48)))
    path = tmp_path / "both.ts"
    path.write_bytes(large.read_bytes() + small.read_bytes())
    with open_source(path) as source:
        assert (source.info.width, source.info.height) == (128, 96)
        frames = check_both_ways(source)
        assert len(frames) == 20
        shapes = {frame.image.shape for frame in frames if frame.image is not None}
        assert shapes == {(96, 128, 3)}
        # The last frames before the join may count as damaged: the counter of packets jumps there.
        assert not any(frame.damaged for frame in frames[:6])
        assert all(frame.damaged for frame in frames[10:])
        assert source.index.made
        assert source.index.discontinuities == 1


def test_an_avi_that_lost_its_table_still_knows_its_keyframes(clip: Clip, tmp_path: Path) -> None:
    data = clip("msmpeg4_avi").read_bytes()
    path = tmp_path / "cut.avi"
    path.write_bytes(data[: len(data) * 8 // 10])
    with open_source(path) as source, open_source(clip("msmpeg4_avi")) as whole:
        frames = check_both_ways(source)
        for frame in frames[:-1]:
            assert same(frame, whole.frame(frame.index))
        assert not source.index.keyframe.all()
