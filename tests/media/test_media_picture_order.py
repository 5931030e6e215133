"""Pictures tell their order and which of them are the two fields of one frame."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.media import open_source
from engine.media.codecs.bitstream import BitReader, OrderCounter, nal_units
from engine.media.codecs.h264 import H264Reader
from engine.media.codecs.hevc import HevcReader
from engine.media.decoding import PacketTag
from tests.clips import pattern, write_video
from tests.media.conftest import COUNT, Clip


class BitWriter:
    def __init__(self) -> None:
        self.bits = ""

    def u(self, value: int, count: int) -> BitWriter:
        self.bits += f"{value:0{count}b}" if count else ""
        return self

    def ue(self, *values: int) -> BitWriter:
        for value in values:
            code = f"{value + 1:b}"
            self.bits += "0" * (len(code) - 1) + code
        return self

    def align(self) -> BitWriter:
        self.bits += "0" * (-len(self.bits) % 8)
        return self

    def raw(self, data: bytes) -> BitWriter:
        self.bits += "".join(f"{byte:08b}" for byte in data)
        return self

    def unit(self, header: int) -> bytes:
        self.u(1, 1).align()
        data = int(self.bits, 2).to_bytes(len(self.bits) // 8, "big")
        return b"\x00\x00\x00\x01" + bytes([header]) + escaped(data)


def escaped(data: bytes) -> bytes:
    """Puts in the bytes that keep a payload from looking like a start code."""
    return re.sub(rb"\x00\x00(?=[\x00-\x03])", b"\x00\x00\x03", data)


def field_stream(frames: int) -> bytes:
    """An H.264 stream of 32x32 frames, each field in an access unit of its own, uncompressed.

    Frame n has luma 20 + 2n in its upper field and 21 + 2n in its lower field.
    """
    sps = BitWriter().u(77, 8).u(0, 8).u(30, 8).ue(0, 0, 0, 4, 1).u(0, 1).ue(1, 0)
    sps.u(0, 1).u(0, 1).u(1, 1).u(0, 1).u(0, 1)
    pps = BitWriter().ue(0, 0).u(0, 2).ue(0, 0, 0).u(0, 3).ue(0, 0, 0).u(1, 1).u(0, 2)
    stream = sps.unit(0x67) + pps.unit(0x68)
    for frame in range(frames):
        for bottom in (0, 1):
            idr = frame == 0 and not bottom
            piece = BitWriter().ue(0, 7, 0).u(frame % 16, 4).u(1, 1).u(bottom, 1)
            if idr:
                piece.ue(0)
            piece.u(2 * frame + bottom, 8)
            piece.u(0, 2 if idr else 1).ue(0).ue(1)
            luma = 20 + 2 * frame + bottom
            for _ in range(2):
                piece.ue(25).align().raw(bytes([luma]) * 256 + bytes([128]) * 128)
            stream += piece.unit(0x65 if idr else 0x61)
    return stream


def test_two_fields_in_two_packets_are_one_frame(tmp_path: Path) -> None:
    path = tmp_path / "fields.h264"
    path.write_bytes(field_stream(9))
    with av.open(str(path)) as container:
        assert sum(bool(packet.size) for packet in container.demux(video=0)) == 18
        decoded = [frame.to_ndarray()[:32] for frame in container_frames(path)]
    assert len(decoded) == 9
    with open_source(path) as source:
        assert source.info.interlaced
        assert len(source.index) == 9
        assert source.index.seconds(8) == pytest.approx(8 / 25)
        for frame in (*source.frames(pixels="rgb"), *map(source.frame, (8, 3, 0, 5))):
            assert not frame.damaged
            assert frame.image is not None
            upper, lower = frame.image[0, 0, 0], frame.image[1, 0, 0]
            # Luma in the limited range, spread to 0..255.
            assert abs(int(upper) - (4 + 2 * frame.index) * 255 / 219) < 2
            assert abs(int(lower) - (5 + 2 * frame.index) * 255 / 219) < 2


def container_frames(path: Path) -> list[av.VideoFrame]:
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


@pytest.mark.parametrize("name", ["open_gop", "raw_open_h264", "raw_hevc", "interlaced"])
def test_the_order_read_from_headers_is_the_decoders(name: str, clip: Clip) -> None:
    with av.open(str(clip(name))) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        context.copy_opaque = True
        kind = H264Reader if context.name == "h264" else HevcReader
        reader = kind(context.extradata)
        read: list[tuple[int, int]] = []
        display_order: list[int] = []
        for packet in container.demux(stream):
            if packet.size:
                picture = reader.read(bytes(packet))
                assert picture is not None
                packet.opaque = PacketTag(len(read))
                read.append((picture.epoch, picture.order))
            tags = [frame.opaque for frame in context.decode(packet)]
            display_order += [tag.ordinal for tag in tags if isinstance(tag, PacketTag)]
    assert sorted(range(COUNT), key=read.__getitem__) == display_order


def test_b_frames_packed_behind_the_next_picture_are_unpacked(tmp_path: Path) -> None:
    options = {"bf": "1", "g": "12", "sc_threshold": "1000000000", "b_strategy": "0"}
    plain = write_video(tmp_path / "plain.avi", pattern(30), codec="mpeg4", options=options)
    packed = tmp_path / "packed.avi"
    with av.open(str(plain)) as source, av.open(str(packed), "w") as target:
        stream = source.streams.video[0]
        copied = target.add_stream_from_template(stream)
        data = [bytes(packet) for packet in source.demux(stream) if packet.size]
        for number, chunk in enumerate(pack(data)):
            packet = av.Packet(chunk)
            packet.pts = packet.dts = number
            packet.time_base, packet.stream = Fraction(1, 25), copied
            packet.is_keyframe = vop_type(chunk) == 0
            target.mux(packet)
    with open_source(plain) as expected, open_source(packed, cache_bytes=1) as source:
        assert len(source.index) == 30
        for frame, other in zip(expected.frames(), source.frames(), strict=True):
            assert not other.damaged
            assert frame.pict_type == other.pict_type
            assert frame.image is not None
            assert other.image is not None
            assert np.array_equal(frame.image, other.image)
            again = source.frame(other.index, "gray").image
            assert again is not None
            assert np.array_equal(again, other.image)


def vop_type(chunk: bytes) -> int:
    return chunk[chunk.index(b"\x00\x00\x01\xb6") + 4] >> 6


def pack(packets: list[bytes]) -> list[bytes]:
    """Puts each B-picture behind the picture before it, and an empty picture in its place."""
    empty = b"\x00\x00\x01\xb6" + int("0101000001001111", 2).to_bytes(2, "big")
    packed: list[bytes] = []
    for chunk in packets:
        if vop_type(chunk) == 2:
            packed[-1] += chunk
            packed.append(empty)
        else:
            packed.append(chunk)
    at = packed[0].index(b"\x00\x00\x01\xb6")
    packed[0] = packed[0][:at] + b"\x00\x00\x01\xb2DivX503b1393p\x00" + packed[0][at:]
    return packed


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=20))
def test_numbers_survive_writing_and_reading(values: list[int]) -> None:
    writer = BitWriter().ue(*values)
    writer.u(1, 1).align()
    reader = BitReader(escaped(int(writer.bits, 2).to_bytes(len(writer.bits) // 8, "big")))
    assert [reader.ue() for _ in values] == values


@given(st.binary(max_size=300), st.sampled_from(["h264", "hevc"]))
def test_no_bytes_make_the_readers_fail(data: bytes, codec: str) -> None:
    for extradata in (None, data, b"\x01" + data):
        reader = H264Reader(extradata) if codec == "h264" else HevcReader(extradata)
        reader.read(data)
        reader.read(b"\x00\x00\x01" + data)
        list(nal_units(data, 4))


def test_order_counts_go_on_over_their_wrap() -> None:
    count = OrderCounter()
    orders = np.array([0, 8, 4, 12, 20, 16, 28, 24, 36, 32])
    assert [count.unwrap(int(order) % 32, 5, True) for order in orders] == orders.tolist()
