"""A written clip has the frames and times it was given, or is not there at all."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from engine.core.errors import BadInputError, ResourceError
from engine.media import ClipWriter, open_source
from tests.clips import pattern


@pytest.mark.parametrize("size", [(96, 64), (95, 63), (1, 1)])
def test_frames_and_varying_times_come_back(size: tuple[int, int], tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    frames = pattern(15, size)
    pts = [1000 + i * 40 + (i % 4) * 7 for i in range(15)]
    with ClipWriter(path, size, Fraction(1, 1000)) as writer:
        for image, time in zip(frames, pts, strict=True):
            writer.write(image, time)
        assert not path.exists()
    assert list(tmp_path.iterdir()) == [path]
    with open_source(path) as source:
        times = [source.index.seconds(i) for i in range(15)]
        assert times == pytest.approx([(time - pts[0]) / 1000 for time in pts], abs=1e-9)
        assert source.info.width == size[0] + size[0] % 2
        for frame, image in zip(source.frames(pixels="rgb"), frames, strict=True):
            assert frame.image is not None
            decoded = frame.image[: size[1], : size[0]].astype(int)
            assert np.abs(decoded - image).mean() < 12


def test_a_time_base_of_any_kind_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    with ClipWriter(path, (32, 32), Fraction(1001, 30000)) as writer:
        for number, image in enumerate(pattern(6, (32, 32))):
            writer.write(image, number)
    with open_source(path) as source:
        assert source.index.seconds(5) == pytest.approx(5 * 1001 / 30000, abs=2e-5)


def test_an_error_leaves_nothing_and_an_older_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"older")
    writer = ClipWriter(path, (32, 32), Fraction(1, 25))
    writer.write(pattern(1, (32, 32))[0], 0)
    with pytest.raises(ZeroDivisionError), writer:
        _ = 1 / 0
    with pytest.raises(BadInputError, match="no frame"):
        ClipWriter(path, (32, 32), Fraction(1, 25)).close()
    assert path.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [path]


def test_wrong_frames_and_places_are_refused(tmp_path: Path) -> None:
    image = pattern(1, (32, 32))[0]
    with ClipWriter(tmp_path / "clip.mp4", (32, 32), Fraction(1, 25)) as writer:
        writer.write(image, 3)
        with pytest.raises(BadInputError, match="does not follow"):
            writer.write(image, 3)
        with pytest.raises(BadInputError, match="does not fit"):
            writer.write(image[:20], 4)
    with pytest.raises(ResourceError):
        ClipWriter(tmp_path / "missing" / "clip.mp4", (32, 32), Fraction(1, 25))
    with pytest.raises(BadInputError):
        ClipWriter(tmp_path / "none.mp4", (0, 32), Fraction(1, 25))
