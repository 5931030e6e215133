"""Makes the index of a stream from its packets alone, without decoding."""

from __future__ import annotations

import array
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import MediaError
from engine.core.progress import CancelToken, Progress, Report
from engine.core.stream import FrameIndex, StreamInfo
from engine.media.bitstream import Picture
from engine.media.container import RAW_FORMATS, OpenStream
from engine.media.h264 import H264Reader
from engine.media.hevc import HevcReader
from engine.media.keyframes import CHECKED_CODECS, HEAD, is_intra
from engine.media.packets import NO_ENTRY, NO_TIME, PacketTable, VideoPacket, read_packets
from engine.media.times import display_times, steps

_TIMED_CONTAINERS = frozenset({"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "flv"})
_LOOK_EVERY = 512


@dataclass
class _Scan:
    """Columns of the table while it grows, and what is said about the packets on the way."""

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
    silent: bytearray = field(default_factory=bytearray)
    discarded: int = 0
    unreadable: int = 0
    unread_pictures: int = 0

    def add(self, packet: VideoPacket, key: bool, picture: Picture | None, looked: bool) -> None:
        self.pts.append(NO_TIME if packet.pts is None else packet.pts)
        self.dts.append(NO_TIME if packet.dts is None else packet.dts)
        self.pos.append(-1 if packet.pos is None else packet.pos)
        self.size.append(packet.size)
        self.duration.append(packet.duration or 0)
        self.key.append(key)
        self.restart.append(key and (picture is None or picture.clean))
        self.corrupt.append(packet.is_corrupt)
        second = picture is not None and picture.second_field
        self.silent.append(packet.is_discard or second)
        self.discarded += packet.is_discard
        self.epoch.append(picture.epoch if picture else 0)
        self.order.append(picture.order if picture else 0)
        self.unread_pictures += looked and picture is None

    def failed(self) -> None:
        self.unreadable += 1


def index_stream(
    opened: OpenStream,
    info: StreamInfo,
    path: Path,
    fps: Fraction | None,
    cancel: CancelToken,
    report: Report,
) -> tuple[FrameIndex, PacketTable]:
    """Reads every packet of a freshly opened stream and orders its frames by PTS.

    Args:
        opened: the stream, not read from yet.
        info: what its headers say.
        path: the file, for messages and progress.
        fps: frame rate for a stream without any times; None takes the headers' or 25.
        cancel: looked at between packets.
        report: told the bytes read so far.

    Raises:
        MediaError: there is no packet, or the packets are encrypted.
        CancelledError: the user stopped.
    """
    scan, coded_order = _scan(opened, info, path, cancel, report)
    if not len(scan.pts):
        raise MediaError("the video stream has no frames", path, "export it again")
    raw = opened.container.format.name in RAW_FORMATS
    shown = np.frombuffer(scan.silent, np.uint8) == 0
    if not shown.any():
        raise MediaError("the edit list leaves no frame to show", path, "export it again")
    order = None
    if not coded_order and scan.unread_pictures == 0 and info.codec in ("h264", "hevc"):
        order = np.lexsort((_column(scan.order)[shown], _column(scan.epoch)[shown]))
    rate = fps or info.average_rate or Fraction(25)
    times = display_times(
        pts=_column(scan.pts)[shown],
        dts=_column(scan.dts)[shown],
        order=order,
        untimed=raw,
        second=1 / info.time_base,
        rate=rate,
    )
    time_base = 1 / rate if times.by_rate else info.time_base
    unique, entry_of_shown = np.unique(times.pts, return_inverse=True)
    entry = np.full(len(shown), NO_ENTRY, np.int64)
    entry[shown] = entry_of_shown
    first = np.full(len(unique), -1, np.int64)
    # Of packets that repeat a PTS the first counts; the others give no frame.
    ordinals = np.flatnonzero(shown)[::-1]
    first[entry[ordinals]] = ordinals
    repeats = shown.copy()
    repeats[first] = False
    entry[repeats] = NO_ENTRY
    table = PacketTable(
        pts=_column(scan.pts),
        dts=_column(scan.dts),
        pos=_column(scan.pos),
        size=_column(scan.size),
        key=_flags(scan.key),
        restart=_flags(scan.restart),
        corrupt=_flags(scan.corrupt),
        entry=entry,
    )
    stated = np.zeros(1, np.int64) if times.by_rate else _column(scan.duration)[first]
    rhythm = steps(unique, stated, time_base)
    promised = opened.stream.frames
    index = FrameIndex(
        pts=unique,
        keyframe=table.key[first],
        duration=rhythm.duration,
        time_base=time_base,
        made=times.made,
        duplicates=int(repeats.sum()),
        gaps=rhythm.gaps,
        variable_rate=rhythm.variable,
        missing=max(0, promised - len(shown)),
        discarded=scan.discarded,
        discontinuities=times.discontinuities,
        unreadable=scan.unreadable,
    )
    return index, table


def _scan(
    opened: OpenStream, info: StreamInfo, path: Path, cancel: CancelToken, report: Report
) -> tuple[_Scan, bool]:
    scan = _Scan()
    extradata = opened.stream.codec_context.extradata
    pictures: H264Reader | HevcReader | None = None
    if info.codec == "h264":
        pictures = H264Reader(extradata)
    elif info.codec == "hevc":
        pictures = HevcReader(extradata)
    untimed = opened.container.format.name not in _TIMED_CONTAINERS
    total = path.stat().st_size
    for count, packet in enumerate(read_packets(opened, scan.failed)):
        if count % _LOOK_EVERY == 0:
            cancel.check()
            report(Progress("indexing", min(total, max(0, packet.pos or 0)), total, unit="bytes"))
            if packet.has_sidedata("encryption_info"):
                raise MediaError("the video is encrypted", path, "export it without protection")
        picture = None
        looked = pictures is not None and (
            untimed or packet.is_keyframe or pictures.may_have_fields
        )
        if looked and pictures is not None:
            picture = pictures.read(bytes(packet))
        key = packet.is_keyframe
        if key and picture is not None:
            # A recovery point may be a predicted picture; decoding can start there all the same.
            key = picture.intra or not untimed
        elif key and info.codec in CHECKED_CODECS:
            key = is_intra(info.codec, bytes(memoryview(packet)[:HEAD]))
        scan.add(packet, key, picture, looked)
    report(Progress("indexing", total, total, unit="bytes"))
    return scan, pictures is None or pictures.coded_order


def _column(values: array.array[int]) -> NDArray[np.int64]:
    return np.frombuffer(values, np.int64) if len(values) else np.zeros(0, np.int64)


def _flags(values: bytearray) -> NDArray[np.bool_]:
    return np.frombuffer(values, np.uint8).astype(np.bool_)
