"""A kept index spares reading a file through, and never shows another file's frames."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from engine.media import IndexCache, open_source
from engine.media.source import Source

SAMPLE = Path(__file__).parents[2] / "resources" / "sample" / "sample.mp4"


def same_frames(source: Source, other: Source) -> bool:
    indices = (0, 7, len(source.index) - 1)
    pictures = [(source.frame(i).image, other.frame(i).image) for i in indices]
    return all(a is not None and b is not None and np.array_equal(a, b) for a, b in pictures)


def test_a_kept_index_gives_the_same_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    indexes = IndexCache(tmp_path / "indexes")
    with open_source(SAMPLE, indexes=indexes) as first:
        monkeypatch.setattr(
            "engine.media.video_file.index_stream", lambda *_: pytest.fail("read through again")
        )
        with open_source(SAMPLE, indexes=indexes) as second:
            assert np.array_equal(first.index.pts, second.index.pts)
            assert np.array_equal(first.index.keyframe, second.index.keyframe)
            assert first.index.time_base == second.index.time_base
            assert same_frames(first, second)


def test_threads_that_open_the_same_file_share_its_index(tmp_path: Path) -> None:
    with open_source(SAMPLE, indexes=IndexCache(tmp_path / "indexes")):
        pass
    indexes = IndexCache(tmp_path / "indexes")
    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(lambda _: indexes.load(SAMPLE, 0, None), range(2))
    assert first is not None
    assert first is second


def test_a_changed_file_is_read_through_again(tmp_path: Path) -> None:
    indexes = IndexCache(tmp_path / "indexes")
    video = tmp_path / "video.mp4"
    video.write_bytes(SAMPLE.read_bytes())
    with open_source(video, indexes=indexes):
        pass
    assert indexes.has(video, 0)
    assert indexes.load(video, 0, None) is not None
    video.touch()
    assert not indexes.has(video, 0)
    assert indexes.load(video, 0, None) is None


@pytest.mark.parametrize("damage", [b"", b"{}\n", b'{"gaps": [], "time_base": "0"}\nSLA1xx'])
def test_a_damaged_index_is_made_again(tmp_path: Path, damage: bytes) -> None:
    indexes = IndexCache(tmp_path / "indexes")
    with open_source(SAMPLE, indexes=indexes):
        pass
    (file,) = (tmp_path / "indexes").glob("*.index")
    file.write_bytes(damage)
    with open_source(SAMPLE, indexes=indexes) as source:
        assert len(source.index) > 10
    assert indexes.load(SAMPLE, 0, None) is not None


def test_a_folder_that_cannot_be_written_keeps_none(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with open_source(SAMPLE, indexes=IndexCache(blocked / "indexes")) as source:
        assert len(source.index) > 10


def test_the_analysis_reads_through_and_keeps(tmp_path: Path) -> None:
    folder = tmp_path / "indexes"
    with open_source(SAMPLE, indexes=IndexCache(folder, read=False)):
        pass
    assert IndexCache(folder).load(SAMPLE, 0, None) is not None
    assert IndexCache(folder, read=False).load(SAMPLE, 0, None) is None
