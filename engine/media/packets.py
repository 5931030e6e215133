"""The packets of a stream: a table of all of them, and a cursor that reads them by number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import av
import numpy as np
from av.bitstream import BitStreamFilterContext
from av.packet import Packet
from av.video.stream import VideoStream
from numpy.typing import NDArray

from engine.media.container import BYTE_SEEK_FORMATS, OpenStream

NO_TIME = -(1 << 63)
"""FFmpeg's mark for a PTS or DTS that is not there."""

NO_ENTRY = -1
"""Stands for the frame of a packet that gives none."""

VideoPacket: TypeAlias = "Packet[VideoStream]"

_UNPACK = "mpeg4_unpack_bframes"
_MAX_FAILURES = 16  # Failures in a row after which the rest of a file is given up: a choice.
_MAX_SEARCH = 1024  # Packets read after a seek to find one that the table knows: a choice.
_MAX_SKIP = 48  # Packets that are read and dropped rather than sought past: a choice.


@dataclass(frozen=True, eq=False)
class PacketTable:
    """Every packet of a stream in decoding order; an `ordinal` is an index into it.

    Attributes:
        pts: int64 [m], as the file has them; NO_TIME where it has none.
        dts: int64 [m], likewise.
        pos: int64 [m], byte position in the file, -1 when unknown.
        size: int64 [m], bytes.
        key: bool [m], packets marked as keyframes.
        restart: bool [m], keyframes whose later frames need nothing that was coded before them.
        corrupt: bool [m], packets that the container's reader marked corrupt.
        entry: int64 [m], index of the frame that the packet gives; NO_ENTRY when none.
    """

    pts: NDArray[np.int64]
    dts: NDArray[np.int64]
    pos: NDArray[np.int64]
    size: NDArray[np.int64]
    key: NDArray[np.bool_]
    restart: NDArray[np.bool_]
    corrupt: NDArray[np.bool_]
    entry: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.pts)

    def time(self, ordinal: int) -> int:
        """Returns the earlier of a packet's PTS and DTS, what a container can be asked for."""
        known = [int(t) for t in (self.pts[ordinal], self.dts[ordinal]) if t != NO_TIME]
        return min(known, default=NO_TIME)

    def find(self, packet: VideoPacket, expected: int | None) -> int | None:
        """Returns the ordinal of a packet just read; None when it is not certain.

        Args:
            packet: as the container gave it.
            expected: the ordinal it has when nothing went wrong; None after a seek.
        """
        pos = -1 if packet.pos is None else packet.pos
        if expected is not None and expected < len(self):
            same_time = packet.dts is not None and packet.dts == self.dts[expected]
            same_pos = pos < 0 or pos == self.pos[expected]
            if packet.size == self.size[expected] and (same_time or same_pos):
                return expected
        candidates = np.flatnonzero(self.size == packet.size)
        # Some containers give a packet another position after a seek; then its times decide.
        if pos >= 0 and np.any(self.pos[candidates] == pos):
            candidates = candidates[self.pos[candidates] == pos]
        elif packet.dts is None and packet.pts is None:
            return None
        else:
            candidates = candidates[self._time_matches(candidates, packet)]
        if len(candidates) > 1:
            candidates = candidates[self._time_matches(candidates, packet)]
        return int(candidates[0]) if len(candidates) == 1 else None

    def _time_matches(self, ordinals: NDArray[np.int64], packet: VideoPacket) -> NDArray[np.bool_]:
        """Returns which of the packets have the PTS and DTS of the one given, where it has any."""
        matches = np.ones(len(ordinals), np.bool_)
        for time, column in ((packet.pts, self.pts), (packet.dts, self.dts)):
            if time is not None:
                matches &= column[ordinals] == time
        return matches


def read_packets(opened: OpenStream, on_failure: Callable[[], None]) -> Iterator[VideoPacket]:
    """Reads the stream's packets from where the container stands, over damage where it can.

    Args:
        opened: the stream.
        on_failure: called whenever the container's reader gives up a part of the file.
    """
    failures = 0
    codec = opened.stream.codec_context.codec.canonical_name
    # Old AVI files pack a B-frame behind the picture that follows it, and an empty one after.
    unpack = BitStreamFilterContext(_UNPACK, opened.stream) if codec == "mpeg4" else None
    while failures < _MAX_FAILURES:
        try:
            for packet in opened.container.demux(opened.stream):
                # Empty packets end the stream or stand for a frame that was dropped.
                if packet.size:
                    failures = 0
                    yield from (packet,) if unpack is None else unpack.filter(packet)
            return
        except (av.error.FFmpegError, OSError):
            failures += 1
            on_failure()


class PacketCursor:
    """Reads packets with their ordinals, from any ordinal on.

    A seek counts only when the packet it leads to is found in the table; otherwise an earlier
    position is tried, in the end the beginning.

    Args:
        reopen: opens the stream anew.
        table: the stream's packets.
    """

    def __init__(self, reopen: Callable[[], OpenStream], table: PacketTable) -> None:
        self._reopen = reopen
        self._table = table
        self._keys = np.flatnonzero(table.key)
        self.opened = reopen()
        self._packets = read_packets(self.opened, self._ignore_failure)
        self._ready: tuple[int, VideoPacket] | None = None
        self._next = 0

    def close(self) -> None:
        """Closes the file."""
        self.opened.close()

    @property
    def next_ordinal(self) -> int:
        """The ordinal that `read` is about to return."""
        return self._next

    def go_to(self, ordinal: int) -> None:
        """Makes `ordinal` the next packet to be read."""
        if self._skip_to(ordinal, limit=_MAX_SKIP):
            return
        before = self._keys[self._keys < ordinal]
        targets = [ordinal, *(int(before[-back]) for back in (1, 2, 8) if back <= len(before))]
        for target in targets:
            if self._jump(target) and self._skip_to(ordinal, limit=len(self._table)):
                return
        self.restart()
        self._skip_to(ordinal, limit=len(self._table))

    def restart(self) -> None:
        """Opens the file anew, with a new decoder, at its first packet."""
        self.opened.close()
        self.opened = self._reopen()
        self._packets = read_packets(self.opened, self._ignore_failure)
        self._ready = None
        self._next = 0

    def read(self) -> tuple[int, VideoPacket] | None:
        """Returns the next packet that the table knows, with its ordinal; None at the end."""
        result = self._ready or self._identify(self._next)
        self._ready = None
        if result is not None:
            self._next = result[0] + 1
        return result

    def put_back(self, ordinal: int, packet: VideoPacket) -> None:
        """Makes the packet just read the next one to be read again."""
        self._ready = (ordinal, packet)
        self._next = ordinal

    def _identify(self, expected: int | None) -> tuple[int, VideoPacket] | None:
        for tries, packet in enumerate(self._packets):
            ordinal = self._table.find(packet, expected)
            if ordinal is not None:
                return ordinal, packet
            if expected is None and tries >= _MAX_SEARCH:
                return None
        return None

    def _skip_to(self, ordinal: int, limit: int) -> bool:
        if not 0 <= ordinal - self._next <= limit:
            return False
        while self._next < ordinal:
            if self.read() is None:
                return False
        return self._next == ordinal

    def _jump(self, target: int) -> bool:
        container, stream = self.opened.container, self.opened.stream
        time, pos = self._table.time(target), int(self._table.pos[target])
        try:
            if container.format.name in BYTE_SEEK_FORMATS and pos >= 0:
                container.seek(pos, unsupported_byte_offset=True, stream=stream)
            elif time != NO_TIME:
                container.seek(time, stream=stream)
            else:
                return False
        except (av.error.FFmpegError, OSError):
            return False
        self._packets = read_packets(self.opened, self._ignore_failure)
        self._ready = self._identify(None)
        if self._ready is None:
            return False
        self._next = self._ready[0]
        return True

    def _ignore_failure(self) -> None:
        """Does nothing: parts that cannot be read were counted when the index was made."""
