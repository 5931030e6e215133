"""Decodes groups of pictures so that each frame is the same whichever way it was reached.

What a frame looks like is defined by decoding its group from the group's beginning with a fresh
decoder in a single thread. Where nothing is damaged, several threads and one decoder kept over
all groups give the same pixels and are used for speed. That decoder is a strict one that fails
at errors: with several threads a lenient one may hand on a damaged frame before it has noticed.
At the first failure the group is decoded again as defined.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import av
from av.video.frame import VideoFrame

from engine.media.container import SILENT_CODECS, SKIPPING_CODECS, OpenStream
from engine.media.packets import NO_ENTRY, PacketCursor, PacketTable, VideoPacket
from engine.media.picture_groups import PictureGroups

StreamOpener = Callable[[int, bool], OpenStream]
"""Opens the stream anew: with how many threads (0 for all), and whether strictly."""

_MAX_DRAINS = 64  # Times a drained decoder that fails is asked again: a choice, so that it ends.
_EARLIER_STARTS = (0, 1, 4)  # Groups earlier at which decoding is tried, a choice.


class DamageError(Exception):
    """Damage in a group that several threads decoded: it must be decoded again by itself."""


class PacketTag:
    """Travels through the decoder with a packet, so that its frame is known when it comes out."""

    __slots__ = ("ordinal",)

    def __init__(self, ordinal: int) -> None:
        self.ordinal = ordinal


@dataclass(eq=False)
class DecodedFrame:
    """A frame that came out of the decoder.

    Attributes:
        entry: its index in the stream.
        ordinal: its packet.
        frame: the decoded frame; None when the packet gave none.
        damaged: whether it is damaged or predicted from damage.
    """

    entry: int
    ordinal: int
    frame: VideoFrame | None
    damaged: bool = False


class Decoder:
    """Feeds packets to FFmpeg's decoder and identifies the frames that come out.

    Belongs to one thread.

    Args:
        reopen: opens the stream anew.
        table: the stream's packets.
    """

    def __init__(self, reopen: Callable[[], OpenStream], table: PacketTable) -> None:
        self._table = table
        self._skip = (0, 0)
        self._needs_restart = False
        self.cursor = PacketCursor(reopen, table)
        self.failed_ordinals: list[int] = []
        """Ordinals at which the decoder, or the file, failed since `go_to`."""

    def close(self) -> None:
        """Closes the file."""
        self.cursor.close()

    def go_to(self, ordinal: int, skip: tuple[int, int] = (0, 0)) -> None:
        """Starts at a packet with an empty decoder.

        Args:
            ordinal: the packet.
            skip: (packet, entry): packets before that one are not decoded when their frame
                comes before that entry.
        """
        if self._needs_restart:
            self.cursor.restart()
            self._needs_restart = False
        self.cursor.go_to(ordinal)
        self._context.flush_buffers()
        self.failed_ordinals.clear()
        self._skip = skip

    def start_anew(self, ordinal: int) -> None:
        """Starts at a packet with a decoder that has decoded nothing yet."""
        # Even a flushed decoder keeps old pictures in memory, and a damaged one shows them.
        self.cursor.restart()
        self.go_to(ordinal)

    def feed(self, end: int) -> list[DecodedFrame] | None:
        """Decodes the next packet; None when it would be `end` or later, or there is none."""
        expected = self.cursor.next_ordinal
        read = self.cursor.read() if expected < end else None
        if read is None:
            return None
        ordinal, packet = read
        if ordinal >= end:
            self.cursor.put_back(ordinal, packet)
            self.failed_ordinals.append(end - 1)
            return None
        if ordinal != expected:
            self.failed_ordinals.append(expected)
        if self._table.corrupt[ordinal]:
            self.failed_ordinals.append(ordinal)
        before, entry = self._skip
        if ordinal < before and NO_ENTRY < self._table.entry[ordinal] < entry:
            return []
        return self._decode(packet, ordinal)

    def drain(self) -> list[DecodedFrame]:
        """Returns the frames that are still in the decoder; it then needs `go_to`."""
        drained: list[DecodedFrame] = []
        for _ in range(_MAX_DRAINS):
            try:
                frames = self._context.decode(None)
            except av.error.EOFError:
                break
            except av.error.FFmpegError:
                self.failed_ordinals.append(self.cursor.next_ordinal - 1)
                self._needs_restart = True
                continue
            if not frames:
                break
            drained += self._identify(frames)
        self._context.flush_buffers()
        return drained

    @property
    def _context(self) -> av.VideoCodecContext:
        # A seek may have to open the file anew, which makes a new decoder.
        return self.cursor.opened.stream.codec_context

    def _decode(self, packet: VideoPacket, ordinal: int) -> list[DecodedFrame]:
        packet.opaque = PacketTag(ordinal)
        try:
            return self._identify(self._context.decode(packet))
        except (av.error.FFmpegError, ValueError, MemoryError):
            self.failed_ordinals.append(ordinal)
            self._needs_restart = True
            return []

    def _identify(self, frames: list[VideoFrame]) -> list[DecodedFrame]:
        identified = []
        for frame in frames:
            self._needs_restart = self._needs_restart or frame.is_corrupt
            tag = frame.opaque
            ordinal = tag.ordinal if isinstance(tag, PacketTag) else -1
            entry = int(self._table.entry[ordinal]) if ordinal >= 0 else NO_ENTRY
            if entry != NO_ENTRY:
                identified.append(DecodedFrame(entry, ordinal, frame, frame.is_corrupt))
        return identified


class GroupReader:
    """Reads frames by decoding their groups of pictures, each from its beginning.

    Reading forward within a group continues where the last call stopped.

    Args:
        reopen: opens the stream anew.
        table: the stream's packets.
        groups: its groups.
        codec: name of its codec.
        careful: decode in one thread and continue over damage; otherwise damage ends the reading.
    """

    def __init__(
        self,
        reopen: StreamOpener,
        table: PacketTable,
        groups: PictureGroups,
        codec: str,
        *,
        careful: bool,
    ) -> None:
        threads = 1 if careful else 0
        self._decoder = Decoder(lambda: reopen(threads, not careful), table)
        silent = careful and codec in SILENT_CODECS
        self._strict_decoder = Decoder(lambda: reopen(1, True), table) if silent else None
        self._may_skip = codec in SKIPPING_CODECS
        self._table = table
        self._groups = groups
        self._lag = groups.lag
        self._careful = careful
        self._earlier_by_group: dict[int, int] = {}
        self._group = -1
        self._max_entry = -1
        self._decoded_frames: Iterator[DecodedFrame] = iter(())

    def close(self) -> None:
        """Closes the file."""
        self._decoder.close()
        if self._strict_decoder is not None:
            self._strict_decoder.close()

    def read(self, entry: int, on_frame: Callable[[int, DecodedFrame], None]) -> DecodedFrame:
        """Returns a frame, decoding from the beginning of its group or from the last one read.

        Args:
            entry: index of the frame.
            on_frame: called with every frame that comes out on the way, and its group.

        Raises:
            DamageError: the group is damaged and this reader is not careful.
        """
        group = self._groups.of_entry(entry)
        if group != self._group or entry <= self._max_entry:
            self._decoded_frames = self._decode_group(group)
            self._group, self._max_entry = group, -1
        try:
            for decoded in self._decoded_frames:
                self._max_entry = max(self._max_entry, decoded.entry)
                on_frame(group, decoded)
                if decoded.entry == entry:
                    return decoded
        except DamageError:
            self._group = -1
            raise
        if not self._careful:
            self._group = -1
            raise DamageError
        self._max_entry = max(self._max_entry, entry)
        missing = DecodedFrame(entry, -1, None, True)
        on_frame(group, missing)
        return missing

    def _decode_group(self, group: int) -> Iterator[DecodedFrame]:
        if not self._careful:
            return self._decode_from(group, 0)
        if group not in self._earlier_by_group:
            self._earlier_by_group[group] = self._best_start(group)
        return self._decode_from(group, self._earlier_by_group[group])

    def _best_start(self, group: int) -> int:
        """Returns how many groups earlier decoding must start for the first frames to come."""
        start, end = self._groups.start(group), self._groups.end(group)
        entries = self._table.entry[start:end]
        entries = entries[entries != NO_ENTRY]
        if not len(entries) or group == 0:
            return 0
        first = int(entries.min())
        for earlier in _EARLIER_STARTS:
            if any(decoded.entry == first for decoded in self._decode_from(group, earlier)):
                return earlier
        return 0

    def _decode_from(self, group: int, earlier: int) -> Iterator[DecodedFrame]:
        """Decodes a group to its end; frames come out in the order in which they are shown."""
        groups, decoder = self._groups, self._decoder
        start, end = groups.start(group), groups.end(group)
        begin = groups.decoding_start(group, earlier)
        damage = self._failing_packets(begin, end)
        if self._careful:
            decoder.start_anew(begin)
        else:
            decoder.go_to(begin, groups.undecodable(begin))
        waiting: deque[DecodedFrame] = deque()
        entries: set[int] = set()
        due = groups.first_entry(group)
        while True:
            output = decoder.feed(end)
            for decoded in decoder.drain() if output is None else output:
                if decoded.damaged:
                    damage.append(decoded.ordinal)
                if decoded.damaged and not self._careful:
                    raise DamageError
                if decoded.ordinal >= start and decoded.entry not in entries:
                    entries.add(decoded.entry)
                    waiting.append(decoded)
            if decoder.failed_ordinals and not self._careful:
                raise DamageError
            while waiting and (
                output is None
                or len(waiting) > self._lag
                # A frame that is due need not wait for others that might come before it.
                or (not self._careful and waiting[0].entry == due)
            ):
                decoded = waiting.popleft()
                due = self._count_missing(due, decoded.entry, group, entries, damage)
                yield self._mark_damage(decoded, group, damage)
            if output is None:
                return

    def _count_missing(
        self, due: int, entry: int, group: int, entries: set[int], damage: list[int]
    ) -> int:
        """Counts frames that should have come before `entry` as damage; returns the next due."""
        for absent in range(due, entry):
            if absent in entries or self._groups.of_entry(absent) != group:
                continue
            if not self._careful:
                raise DamageError
            if not self._may_skip:
                damage.append(self._groups.packet(absent))
        return max(due, entry + 1)

    def _failing_packets(self, begin: int, end: int) -> list[int]:
        """Returns the packets at which a strict decoder fails."""
        if self._strict_decoder is None:
            return []
        self._strict_decoder.start_anew(begin)
        while self._strict_decoder.feed(end) is not None:
            pass
        failed = list(self._strict_decoder.failed_ordinals)
        self._strict_decoder.drain()
        return failed

    def _mark_damage(self, decoded: DecodedFrame, group: int, damage: list[int]) -> DecodedFrame:
        """Marks a frame that was decoded after damage which it may be predicted from."""
        start = self._groups.start(group)
        for ordinal in (*damage, *self._decoder.failed_ordinals):
            reaches = ordinal >= start or self._groups.leads(decoded.entry, group)
            if reaches and ordinal <= decoded.ordinal:
                decoded.damaged = True
        return decoded
