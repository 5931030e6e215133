from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.errors import CancelledError, MediaError
from engine.core.progress import CancelToken
from engine.core.settings import AnalysisSettings, MotionSettings
from engine.core.stream import Frame
from engine.media.pixel_converter import Pixels
from engine.media.source import Size
from engine.motion.chunk_reader import ChunkReader, ReadChunk
from engine.pipeline.stream_measurement import measure_stream
from tests.pipeline.pipeline_material import MadeSource, numbered, plan_of

COUNT = 150
STRIDED = AnalysisSettings(stride=3, motion=MotionSettings(chunk_seconds=1.0))


def read(
    source: MadeSource, first: int = 0, context: int = 2, stride: bool = False
) -> list[ReadChunk]:
    plan = plan_of(source, STRIDED) if stride else plan_of(source)
    with closing(ChunkReader(source, plan, context).read(first, CancelToken())) as chunks:
        return list(chunks)


def assert_same(chunk: ReadChunk, other: ReadChunk) -> None:
    assert chunk.number == other.number
    assert np.array_equal(chunk.damaged, other.damaged)
    for name in ("pictures", "seconds", "around", "own"):
        arrays = getattr(chunk.pictures, name), getattr(other.pictures, name)
        assert np.array_equal(*arrays), (chunk.number, name)
    assert (chunk.pictures.lead, chunk.pictures.tail) == (other.pictures.lead, other.pictures.tail)


def test_chunks_hold_their_frames_with_context() -> None:
    chunks = read(MadeSource(numbered(COUNT)))
    assert [chunk.number for chunk in chunks] == [0, 1, 2, 3, 4]
    for chunk in chunks:
        start, stop = chunk.number * 32, min(COUNT, chunk.number * 32 + 32)
        pictures = chunk.pictures
        begin, end = max(0, start - 3), min(COUNT, stop + 2)
        assert pictures.pictures[:, 0, 0].tolist() == list(range(begin, end))
        assert pictures.seconds == pytest.approx(np.arange(begin, end) / 25)
        assert (pictures.lead, pictures.tail) == (start - begin, end - stop)
        assert len(chunk.damaged) == stop - start


def test_a_stride_reads_only_what_is_analysed() -> None:
    source = MadeSource(numbered(COUNT))
    chunks = read(source, stride=True)
    assert chunks[0].pictures.pictures[:, 0, 0].tolist() == list(range(0, 34 * 3, 3))
    assert {i % 3 for i in source.read} == {0}


def test_a_context_longer_than_a_chunk() -> None:
    chunks = read(MadeSource(numbered(COUNT)), context=40)
    assert chunks[2].pictures.pictures[:, 0, 0].tolist() == list(range(64 - 41, 96 + 40))


def test_one_frame_is_a_chunk() -> None:
    (chunk,) = read(MadeSource(numbered(1)))
    assert chunk.pictures.pictures.shape == (1, 16, 16)
    assert (chunk.pictures.lead, chunk.pictures.tail) == (0, 0)


def test_the_footage_is_read_once_but_for_the_background() -> None:
    source = MadeSource(numbered(COUNT), keyframes=1000)
    read(source)
    assert set(source.read) == set(range(COUNT))
    assert len(source.read) == COUNT + 1


bad = st.sets(st.integers(0, COUNT - 1), max_size=60)


@settings(max_examples=60, deadline=None)
@given(damaged=bad, absent=bad, context=st.integers(1, 40), stride=st.booleans())
def test_any_first_chunk_gives_the_same_chunks(
    damaged: set[int], absent: set[int], context: int, stride: bool
) -> None:
    def made() -> MadeSource:
        return MadeSource(numbered(COUNT), damaged=sorted(damaged), absent=sorted(absent))

    whole = read(made(), 0, context, stride)
    for first in range(1, len(whole)):
        for chunk, other in zip(read(made(), first, context, stride), whole[first:], strict=True):
            assert_same(chunk, other)


@pytest.mark.parametrize("stretch", [range(30, 36), range(25, 97), range(0, 40), range(60, COUNT)])
@pytest.mark.parametrize("absent", [False, True])
def test_a_damaged_stretch_over_a_border_is_the_same_from_anywhere(
    stretch: range, absent: bool
) -> None:
    def made() -> MadeSource:
        pictures = numbered(COUNT)
        if absent:
            return MadeSource(pictures, absent=stretch)
        return MadeSource(pictures, damaged=stretch)

    whole = read(made())
    for first in range(1, len(whole)):
        for chunk, other in zip(read(made(), first), whole[first:], strict=True):
            assert_same(chunk, other)
    assert sum(int(chunk.damaged.sum()) for chunk in whole) == len(stretch)


def test_the_picture_before_stands_in_for_a_damaged_one() -> None:
    (first, *_) = read(MadeSource(numbered(COUNT), damaged=[10, 11], absent=[12, 20]))
    first_pictures = first.pictures.pictures[:, 0, 0]
    assert first_pictures[8:15].tolist() == [8, 9, 9, 9, 9, 13, 14]
    assert first_pictures[20] == 19
    assert np.flatnonzero(first.damaged).tolist() == [10, 11, 12, 20]


def test_a_picture_that_stands_in_keeps_its_time() -> None:
    """Otherwise whoever walked on while frames were lost would seem to jump."""
    (first, *_) = read(MadeSource(numbered(COUNT), damaged=range(10, 20)))
    assert first.pictures.seconds[9:21] == pytest.approx([9 / 25] * 11 + [20 / 25])


def test_at_the_start_the_next_sound_picture_stands_in() -> None:
    (first, *_) = read(MadeSource(numbered(COUNT), damaged=[0, 2], absent=[1]))
    assert first.pictures.pictures[:5, 0, 0].tolist() == [3, 3, 3, 3, 4]


@pytest.mark.parametrize("absent", [False, True])
def test_all_frames_damaged_gives_black_pictures_that_count(absent: bool) -> None:
    every = range(COUNT)
    pictures = numbered(COUNT)
    source = MadeSource(pictures, absent=every) if absent else MadeSource(pictures, damaged=every)
    chunks = read(source)
    assert not any(chunk.pictures.pictures.any() for chunk in chunks)
    assert all(chunk.damaged.all() for chunk in chunks)


def test_a_damaged_picture_is_no_background() -> None:
    """Frames 0, 12, … are keyframes; of those around the second chunk all but two are bad."""
    source = MadeSource(numbered(COUNT), damaged=range(0, COUNT, 12))
    assert not any(len(chunk.pictures.around) for chunk in read(source))


def test_lost_frames_do_not_look_like_speed() -> None:
    """A square walks at 25 px/s; after a second of lost frames it is 25 px on."""
    pictures = np.full((COUNT, 64, 160), 90, np.uint8)
    pictures += np.kron(
        np.random.default_rng(0).integers(0, 40, (16, 40), dtype=np.uint8),
        np.ones((4, 4), np.uint8),
    )
    for i in range(COUNT):
        pictures[i, 20:44, max(0, i - 24) : i] = 220
    source = MadeSource(pictures, damaged=range(70, 95))
    plan = plan_of(source)
    speeds = [
        np.hypot(chunk.maps.vx, chunk.maps.vy).max((1, 2)) / 2
        for chunk in measure_stream(source, plan, AnalysisSettings().motion, CancelToken())
    ]
    assert np.concatenate(speeds).max() < 75


class BrokenSource(MadeSource):
    """A medium that is pulled out while it is read."""

    def _iterate(self, indices: range, size: Size, pixels: Pixels) -> Iterator[Frame]:
        for frame in super()._iterate(indices, size, pixels):
            if frame.index >= 70:
                raise MediaError("cannot be read (Input/output error)", self.path, "check it")
            yield frame


def test_an_error_of_the_medium_reaches_the_caller_after_what_was_read() -> None:
    source = BrokenSource(numbered(COUNT), keyframes=1000)
    chunks = ChunkReader(source, plan_of(source), 2).read(0, CancelToken())
    assert next(chunks).number == 0
    with closing(chunks), pytest.raises(MediaError, match="Input/output"):
        list(chunks)


class EndlessSource(MadeSource):
    """Frames that are asked for only until somebody wishes to stop."""

    token: CancelToken

    def _iterate(self, indices: range, size: Size, pixels: Pixels) -> Iterator[Frame]:
        for frame in super()._iterate(indices, size, pixels):
            if len(self.read) == 20:
                self.token.cancel()
            assert len(self.read) < 100_000
            yield frame


def test_a_wish_to_stop_ends_reading_within_a_chunk() -> None:
    source = EndlessSource(np.zeros((400_000, 1, 1), np.uint8).repeat(8, 1).repeat(8, 2))
    source.token = CancelToken()
    plan = plan_of(source)
    huge = type(plan)(plan.grid, plan.frames, plan.pts, plan.seconds, plan.rate, len(plan))
    chunks = ChunkReader(source, huge, 2).read(0, source.token)
    with closing(chunks), pytest.raises(CancelledError):
        next(chunks)
    assert len(source.read) < 100_000


def test_the_first_pictures_are_those_of_the_first_chunk() -> None:
    source = MadeSource(numbered(COUNT), absent=[0, 5])
    pictures = ChunkReader(source, plan_of(source), 2).first_pictures(8)
    assert pictures[:, 0, 0].tolist() == [1, 1, 2, 3, 4, 4, 6, 7]


def frames_of(source: MadeSource) -> list[Frame]:
    return list(source.frames(size=(16, 16)))


def test_the_made_source_says_what_is_damaged() -> None:
    frames = frames_of(MadeSource(numbered(4), damaged=[1], absent=[2]))
    assert [frame.damaged for frame in frames] == [False, True, True, False]
    assert [frame.image is None for frame in frames] == [False, False, True, False]
