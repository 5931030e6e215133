"""Makes the index of a stream from its packets alone, without decoding."""

from __future__ import annotations

import array
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import MediaError
from engine.core.progress import CancelToken, Progress, ProgressCallback
from engine.core.stream import FrameIndex, StreamInfo
from engine.media.codecs.bitstream import PictureOrder
from engine.media.codecs.h264 import H264Reader
from engine.media.codecs.hevc import HevcReader
from engine.media.codecs.keyframes import CHECKED_CODECS, HEAD_BYTES, is_b_picture, is_intra
from engine.media.container import RAW_FORMATS, OpenStream
from engine.media.display_times import DisplayTimes, display_times, frame_steps
from engine.media.packets import NO_ENTRY, NO_TIME, PacketTable, VideoPacket, read_packets

_TIMED_CONTAINERS = frozenset({"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "flv"})
"""Formats that give every frame a time of its own, which is taken as it is."""

_DOUBTFUL_TABLES = frozenset({"avi", "asf"})
"""Formats whose tables of keyframes are often wrong, so that pictures are looked at."""

_CHECK_INTERVAL = 512  # Packets between two checks for a stop, a choice.


@dataclass
class _PacketScan:
    """Columns of the packet table while it grows, and counts of packets."""

    pts: array.array[int] = field(default_factory=lambda: array.array("q"))
    dts: array.array[int] = field(default_factory=lambda: array.array("q"))
    pos: array.array[int] = field(default_factory=lambda: array.array("q"))
    size: array.array[int] = field(default_factory=lambda: array.array("q"))
    duration: array.array[int] = field(default_factory=lambda: array.array("q"))
    epoch: array.array[int] = field(default_factory=lambda: array.array("q"))
    order: array.array[int] = field(default_factory=lambda: array.array("q"))
    key: bytearray = field(default_factory=bytearray)
    restart: bytearray = field(default_factory=bytearray)
    corrupt: bytearray = field(default_factory=bytearray)
    frameless: bytearray = field(default_factory=bytearray)
    discarded: int = 0
    unreadable: int = 0
    read_orders: int = 0
    is_ordered: bool = False
    """Whether the headers of the pictures state their display order."""

    def add(self, packet: VideoPacket, key: bool, picture: PictureOrder | None) -> None:
        self.pts.append(NO_TIME if packet.pts is None else packet.pts)
        self.dts.append(NO_TIME if packet.dts is None else packet.dts)
        self.pos.append(-1 if packet.pos is None else packet.pos)
        self.size.append(packet.size)
        self.duration.append(packet.duration or 0)
        self.key.append(key)
        self.restart.append(key and (picture is None or picture.restart))
        self.corrupt.append(packet.is_corrupt)
        second = picture is not None and picture.second_field
        self.frameless.append(packet.is_discard or second)
        self.discarded += packet.is_discard
        self.read_orders += picture is not None
        # A picture whose header cannot be read is assumed to follow the one before.
        self.epoch.append(picture.epoch if picture else self.epoch[-1] if self.epoch else 0)
        self.order.append(picture.order if picture else self.order[-1] if self.order else 0)

    def count_failure(self) -> None:
        self.unreadable += 1

    def table(self, entry: NDArray[np.int64]) -> PacketTable:
        return PacketTable(
            pts=_column(self.pts),
            dts=_column(self.dts),
            pos=_column(self.pos),
            size=_column(self.size),
            key=_bool_column(self.key),
            restart=_bool_column(self.restart),
            corrupt=_bool_column(self.corrupt),
            entry=entry,
        )


def index_stream(
    opened: OpenStream,
    info: StreamInfo,
    path: Path,
    fps: Fraction | None,
    cancel: CancelToken,
    progress: ProgressCallback,
) -> tuple[FrameIndex, PacketTable]:
    """Reads every packet of a freshly opened stream and orders its frames by PTS.

    Args:
        opened: the stream, not read from yet.
        info: what is known from its headers.
        path: the file, for messages and progress.
        fps: frame rate for a stream without any times; None takes the headers' or 25.
        cancel: checked between packets.
        progress: called with the bytes read so far.

    Raises:
        MediaError: there is no packet, or the packets are encrypted.
        CancelledError: the user stopped.
    """
    scan = _scan_packets(opened, info, path, cancel, progress)
    has_frame = _packets_with_frame(scan, path)
    rate = fps or info.average_rate or Fraction(25)
    untimed = opened.container.format.name in RAW_FORMATS
    times = _display_times(scan, has_frame, untimed, info.time_base, rate)
    time_base = 1 / rate if times.by_rate else info.time_base
    pts, entry, first = _number_frames(times.pts, has_frame)
    stated = np.zeros(len(pts), np.int64) if times.by_rate else _column(scan.duration)[first]
    steps = frame_steps(pts, stated, time_base)
    table = scan.table(entry)
    index = FrameIndex(
        pts=pts,
        keyframe=table.key[first],
        duration=steps.duration,
        time_base=time_base,
        made=times.has_made_pts,
        duplicates=int(has_frame.sum()) - len(pts),
        gaps=steps.gaps,
        variable_rate=steps.variable,
        missing=max(0, opened.stream.frames - len(has_frame)),
        discarded=scan.discarded,
        discontinuities=times.discontinuities,
        unreadable=scan.unreadable,
    )
    return index, table


def _display_times(
    scan: _PacketScan,
    has_frame: NDArray[np.bool_],
    untimed: bool,
    time_base: Fraction,
    rate: Fraction,
) -> DisplayTimes:
    order = None
    if scan.is_ordered:
        order = np.lexsort((_column(scan.order)[has_frame], _column(scan.epoch)[has_frame]))
    return display_times(
        pts=_column(scan.pts)[has_frame],
        dts=_column(scan.dts)[has_frame],
        order=order,
        untimed=untimed,
        second=1 / time_base,
        rate=rate,
    )


def _packets_with_frame(scan: _PacketScan, path: Path) -> NDArray[np.bool_]:
    """Returns which packets give a frame, bool [m].

    Raises:
        MediaError: none does.
    """
    if not len(scan.pts):
        raise MediaError("the video stream has no frames", path, "export it again")
    has_frame: NDArray[np.bool_] = np.frombuffer(scan.frameless, np.uint8) == 0
    if not has_frame.any():
        raise MediaError("the edit list leaves no frame to show", path, "export it again")
    return has_frame


def _number_frames(
    pts: NDArray[np.int64], has_frame: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Numbers the frames by PTS; of packets that repeat a PTS the first counts.

    Args:
        pts: int64 [s], of the packets that give a frame, in decoding order.
        has_frame: bool [m], which packets those are.

    Returns:
        PTS of each frame [n], frame of each packet [m] (NO_ENTRY for none), packet of each
        frame [n]; all int64.
    """
    unique, first, number = np.unique(pts, return_index=True, return_inverse=True)
    ordinals = np.flatnonzero(has_frame)
    entry = np.full(len(has_frame), NO_ENTRY, np.int64)
    entry[ordinals[first]] = number[first]
    return unique, entry, ordinals[first]


def _scan_packets(
    opened: OpenStream,
    info: StreamInfo,
    path: Path,
    cancel: CancelToken,
    progress: ProgressCallback,
) -> _PacketScan:
    scan = _PacketScan()
    reader = _order_reader(info.codec, opened.stream.codec_context.extradata)
    container = opened.container.format.name
    read_all = container not in _TIMED_CONTAINERS
    total = path.stat().st_size
    for count, packet in enumerate(read_packets(opened, scan.count_failure)):
        if count % _CHECK_INTERVAL == 0:
            cancel.check()
            progress(Progress("indexing", min(total, max(0, packet.pos or 0)), total, unit="bytes"))
            if packet.has_sidedata("encryption_info"):
                raise MediaError("the video is encrypted", path, "export it without protection")
        picture, key = None, packet.is_keyframe
        if reader is not None and (read_all or key or reader.may_have_fields):
            picture = reader.read(bytes(packet))
        if picture is not None:
            # A second field begins no group: its frame began with the packet before.
            doubtful = container in _DOUBTFUL_TABLES and not picture.intra
            key = key and not picture.second_field and not doubtful
        elif info.codec in CHECKED_CODECS:
            head = bytes(memoryview(packet)[:HEAD_BYTES])
            key = key and is_intra(info.codec, head)
            if packet.pts is None and is_b_picture(info.codec, head):
                packet.pts = packet.dts
        scan.add(packet, key, picture)
    progress(Progress("indexing", total, total, unit="bytes"))
    if reader is not None and read_all and not reader.coded_order:
        scan.is_ordered = 2 * scan.read_orders > len(scan.pts)
    return scan


def _order_reader(codec: str, extradata: bytes | None) -> H264Reader | HevcReader | None:
    if codec == "h264":
        return H264Reader(extradata)
    return HevcReader(extradata) if codec == "hevc" else None


def _column(values: array.array[int]) -> NDArray[np.int64]:
    return np.frombuffer(values, np.int64) if len(values) else np.zeros(0, np.int64)


def _bool_column(values: bytearray) -> NDArray[np.bool_]:
    return np.frombuffer(values, np.uint8).astype(np.bool_)
