"""Folders of numbered images are evidence like any video."""

from __future__ import annotations

import struct
import zlib
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.core.errors import BadInputError, MediaError
from engine.media import open_source
from engine.media.image_file import read_image
from tests.clips import pattern


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, image in enumerate(pattern(12, (48, 32)), 1):
        Image.fromarray(image).save(tmp_path / f"frame{number}.png")
    (tmp_path / "notes.txt").write_text("not a frame")
    (tmp_path / ".hidden.png").write_bytes(b"x")
    (tmp_path / "folder.png").mkdir()
    return tmp_path


def test_images_are_read_in_the_order_of_their_numbers(folder: Path) -> None:
    with open_source(folder) as source:
        assert len(source.index) == 12
        for frame, image in zip(source.frames(pixels="rgb"), pattern(12, (48, 32)), strict=True):
            assert frame.image is not None
            assert np.array_equal(frame.image, image)
            again = source.frame(frame.index).image
            assert again is not None
            assert np.array_equal(again, image)
        assert source.index.made
        assert source.info.average_rate == 25
        assert source.index.seconds(10) == pytest.approx(0.4)
        assert (source.info.width, source.info.height) == (48, 32)


def test_a_frame_rate_gives_exact_whole_pts(folder: Path) -> None:
    with open_source(folder, fps=29.97) as source:
        assert source.info.time_base == Fraction(1001, 30000)
        assert source.index.pts.tolist() == list(range(12))
    with open_source(folder, fps=12.5) as source:
        assert source.index.seconds(5) == 0.4
        small = next(source.frames(4, size=(24, 16)))
        assert small.image is not None
        assert small.image.shape == (16, 24)
    with pytest.raises(BadInputError):
        open_source(folder, stream=1)


def test_every_kind_of_image_becomes_eight_bits(tmp_path: Path) -> None:
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    kinds = {
        "grey.png": Image.fromarray(ramp),
        "deep.png": Image.fromarray(ramp.astype(np.uint16) * 257),
        "deep.tif": Image.fromarray(ramp.astype(np.uint16) * 257),
        "alpha.png": Image.fromarray(np.dstack([ramp] * 3 + [ramp // 2])),
        "grey_alpha.png": Image.fromarray(np.dstack([ramp, ramp // 2])),
        "palette.png": Image.fromarray(ramp).convert("P"),
        "grey.bmp": Image.fromarray(ramp),
        "colour.tiff": Image.fromarray(np.dstack([ramp] * 3)),
    }
    for name, image in kinds.items():
        image.save(tmp_path / name)
        assert np.array_equal(read_image(tmp_path / name, "gray"), ramp), name
        assert np.array_equal(read_image(tmp_path / name, "rgb"), np.dstack([ramp] * 3)), name
    Image.fromarray(ramp > 99).save(tmp_path / "bilevel.png")
    assert np.array_equal(read_image(tmp_path / "bilevel.png", "gray"), (ramp > 99) * 255)
    Image.fromarray(ramp).convert("CMYK").save(tmp_path / "print.jpg")
    assert read_image(tmp_path / "print.jpg", "rgb").shape == (16, 16, 3)


def test_bad_images_are_damaged_frames(folder: Path) -> None:
    whole = (folder / "frame5.png").read_bytes()
    (folder / "frame5.png").write_bytes(whole[: len(whole) // 2])
    (folder / "frame6.png").write_bytes(b"")
    Image.fromarray(pattern(1, (24, 20))[0]).save(folder / "frame7.png")
    Image.fromarray(np.zeros((32, 48), np.float32)).save(folder / "frame8.tif")
    (folder / "frame8.png").unlink()
    with open_source(folder) as source:
        frames = list(source.frames(pixels="rgb"))
        assert [frame.index for frame in frames if frame.damaged] == [4, 5, 6, 7]
        assert [frame.index for frame in frames if frame.image is None] == [4, 5, 7]
        assert frames[6].image is not None
        assert frames[6].image.shape == (32, 48, 3)
        assert source.frame(5).damaged


def test_folders_without_a_usable_image_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="holds no images"):
        open_source(tmp_path)
    (tmp_path / "1.png").write_bytes(b"nothing")
    with pytest.raises(MediaError, match="none of the images"):
        open_source(tmp_path)


def test_a_decompression_bomb_is_not_unpacked(folder: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    (folder / "frame3.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(999)))
    )
    with pytest.raises((ValueError, Image.DecompressionBombError)):
        read_image(folder / "frame3.png", "gray")
    with open_source(folder) as source:
        assert source.frame(2).image is None
