"""The packets of a stream: a table of all of them, and a cursor that knows which one it reads."""

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

VideoPacket: TypeAlias = "Packet[VideoStream]"

_UNPACK = "mpeg4_unpack_bframes"
_GIVE_UP_AFTER = 16
_SEARCH = 1024
_STEP_OVER = 48


@dataclass(frozen=True, eq=False)
class PacketTable:
    """Every packet of a stream in decoding order; `ordinal` is the place in it.

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
        """Returns the ordinal of a packet just read; None when it cannot be told for certain.

        Args:
            packet: as the container gave it.
            expected: the ordinal it has when nothing went wrong; None after a seek.
        """
        pos = -1 if packet.pos is None else packet.pos
        if expected is not None and expected < len(self):
            timed = packet.dts is not None and packet.dts == self.dts[expected]
            placed = pos < 0 or pos == self.pos[expected]
            if packet.size == self.size[expected] and (timed or placed):
                return expected
        same = np.flatnonzero(self.size == packet.size)
        # Some containers give a packet another place after a seek; then its times must tell.
        if pos >= 0 and np.any(self.pos[same] == pos):
            same = same[self.pos[same] == pos]
        elif packet.dts is None and packet.pts is None:
            return None
        else:
            same = same[self.time_matches(same, packet)]
        if len(same) > 1:
            same = same[self.time_matches(same, packet)]
        return int(same[0]) if len(same) == 1 else None

    def time_matches(self, ordinals: NDArray[np.int64], packet: VideoPacket) -> NDArray[np.bool_]:
        """Returns which of the packets have the PTS and DTS of the one given, where it has any."""
        matches = np.ones(len(ordinals), np.bool_)
        for time, column in ((packet.pts, self.pts), (packet.dts, self.dts)):
            if time is not None:
                matches &= column[ordinals] == time
        return matches


def read_packets(opened: OpenStream, failed: Callable[[], None]) -> Iterator[VideoPacket]:
    """Reads the stream's packets from where the container stands, over damage where it can.

    Args:
        opened: the stream.
        failed: called whenever the container's reader gives up a stretch of the file.
    """
    failures = 0
    codec = opened.stream.codec_context.codec.canonical_name
    # Old AVI files pack a B-frame behind the picture that follows it, and an empty one after.
    unpack = BitStreamFilterContext(_UNPACK, opened.stream) if codec == "mpeg4" else None
    while failures < _GIVE_UP_AFTER:
        try:
            for packet in opened.container.demux(opened.stream):
                # Empty packets end the stream or stand for a frame that was dropped.
                if packet.size:
                    failures = 0
                    yield from (packet,) if unpack is None else unpack.filter(packet)
            return
        except (av.error.FFmpegError, OSError):
            failures += 1
            failed()


class PacketCursor:
    """Reads packets with their ordinals, from any ordinal on.

    A seek is trusted only when the packet it leads to is found in the table by its place in the
    file; otherwise an earlier place is tried, in the end the beginning.

    Args:
        reopen: opens the stream anew.
        table: the stream's packets.
    """

    def __init__(self, reopen: Callable[[], OpenStream], table: PacketTable) -> None:
        self._reopen = reopen
        self._table = table
        self._keys = np.flatnonzero(table.key)
        self.opened = reopen()
        self._packets = read_packets(self.opened, self._ignore)
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
        if self._skip_to(ordinal, limit=_STEP_OVER):
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
        self._packets = read_packets(self.opened, self._ignore)
        self._ready = None
        self._next = 0

    def read(self) -> tuple[int, VideoPacket] | None:
        """Returns the next packet that the table knows, with its ordinal; None at the end."""
        if self._ready is not None:
            found, self._ready = self._ready, None
        else:
            read = self._identify(self._next)
            if read is None:
                return None
            found = read
        self._next = found[0] + 1
        return found

    def put_back(self, ordinal: int, packet: VideoPacket) -> None:
        """Makes the packet just read the next one to be read again."""
        self._ready = (ordinal, packet)
        self._next = ordinal

    def _identify(self, expected: int | None) -> tuple[int, VideoPacket] | None:
        for tries, packet in enumerate(self._packets):
            ordinal = self._table.find(packet, expected)
            if ordinal is not None:
                return ordinal, packet
            if expected is None and tries >= _SEARCH:
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
        self._packets = read_packets(self.opened, self._ignore)
        self._ready = self._identify(None)
        if self._ready is None:
            return False
        self._next = self._ready[0]
        return True

    def _ignore(self) -> None:
        """Stretches that cannot be read were counted when the index was made."""
