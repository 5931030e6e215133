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
from engine.media.picture_groups import Groups

Reopen = Callable[[int, bool], OpenStream]
"""Opens the stream anew: with how many threads (0 for all), and whether strictly."""

_DRAIN_TRIES = 64
_MOST_HELD = 32
_EARLIER_STARTS = (0, 1, 4)


class DamageError(Exception):
    """Several threads met damage: the group must be decoded again by itself."""


class Mark:
    """What travels through the decoder with a packet, so that its frame can be told."""

    __slots__ = ("ordinal",)

    def __init__(self, ordinal: int) -> None:
        self.ordinal = ordinal


@dataclass(eq=False)
class Decoded:
    """A frame as the decoder gave it.

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
    """Feeds packets to FFmpeg's decoder and names the frames that come out.

    Belongs to one thread.

    Args:
        reopen: opens the stream anew.
        table: the stream's packets.
    """

    def __init__(self, reopen: Callable[[], OpenStream], table: PacketTable) -> None:
        self._table = table
        self._pass_over = (0, 0)
        self._harmed = False
        self.cursor = PacketCursor(reopen, table)
        self.failed: list[int] = []
        """Ordinals at which the decoder, or the file, failed since `go_to`."""

    def close(self) -> None:
        """Closes the file."""
        self.cursor.close()

    def go_to(self, ordinal: int, pass_over: tuple[int, int] = (0, 0)) -> None:
        """Starts afresh at a packet.

        Args:
            ordinal: the packet.
            pass_over: (packet, entry): packets before that one are not decoded when their frame
                comes before that entry.
        """
        if self._harmed:
            self.cursor.restart()
            self._harmed = False
        self.cursor.go_to(ordinal)
        self._context.flush_buffers()
        self.failed.clear()
        self._pass_over = pass_over

    def start_anew(self, ordinal: int) -> None:
        """Starts at a packet with a decoder that has decoded nothing yet."""
        # Even a flushed decoder keeps old pictures in memory, and a damaged one shows them.
        self.cursor.restart()
        self.go_to(ordinal)

    def feed(self, end: int) -> list[Decoded] | None:
        """Decodes the next packet; None when it would be `end` or later, or there is none."""
        expected = self.cursor.next_ordinal
        read = self.cursor.read() if expected < end else None
        if read is None:
            return None
        ordinal, packet = read
        if ordinal >= end:
            self.cursor.put_back(ordinal, packet)
            self.failed.append(end - 1)
            return None
        if ordinal != expected:
            self.failed.append(expected)
        if self._table.corrupt[ordinal]:
            self.failed.append(ordinal)
        before, entry = self._pass_over
        if ordinal < before and NO_ENTRY < self._table.entry[ordinal] < entry:
            return []
        return self._decode(packet, ordinal)

    def drain(self) -> list[Decoded]:
        """Returns the frames that the decoder still holds; it then needs `go_to`."""
        found: list[Decoded] = []
        for _ in range(_DRAIN_TRIES):
            try:
                frames = self._context.decode(None)
            except av.error.EOFError:
                break
            except av.error.FFmpegError:
                self.failed.append(self.cursor.next_ordinal - 1)
                self._harmed = True
                continue
            if not frames:
                break
            found += self._named(frames)
        self._context.flush_buffers()
        return found

    @property
    def _context(self) -> av.VideoCodecContext:
        # A seek may have to open the file anew, which makes a new decoder.
        return self.cursor.opened.stream.codec_context

    def _decode(self, packet: VideoPacket, ordinal: int) -> list[Decoded]:
        packet.opaque = Mark(ordinal)
        try:
            return self._named(self._context.decode(packet))
        except (av.error.FFmpegError, ValueError, MemoryError):
            self.failed.append(ordinal)
            self._harmed = True
            return []

    def _named(self, frames: list[VideoFrame]) -> list[Decoded]:
        found = []
        for frame in frames:
            self._harmed = self._harmed or frame.is_corrupt
            mark = frame.opaque
            ordinal = mark.ordinal if isinstance(mark, Mark) else -1
            entry = int(self._table.entry[ordinal]) if ordinal >= 0 else NO_ENTRY
            if entry != NO_ENTRY:
                found.append(Decoded(entry, ordinal, frame, frame.is_corrupt))
        return found


class GroupReader:
    """Reads frames by decoding their groups of pictures, each from its beginning.

    Going forward within a group goes on where the last call stopped.

    Args:
        reopen: opens the stream anew.
        table: the stream's packets.
        groups: its groups.
        codec: name of its codec.
        careful: decode in one thread and go on over damage; otherwise damage ends the reading.
    """

    def __init__(
        self,
        reopen: Reopen,
        table: PacketTable,
        groups: Groups,
        codec: str,
        *,
        careful: bool,
    ) -> None:
        threads = 1 if careful else 0
        self._decoder = Decoder(lambda: reopen(threads, not careful), table)
        silent = careful and codec in SILENT_CODECS
        self._scout = Decoder(lambda: reopen(1, True), table) if silent else None
        self._may_skip = codec in SKIPPING_CODECS
        self._table = table
        self._groups = groups
        self._lag = min(groups.lag, _MOST_HELD)
        self._careful = careful
        self._earlier: dict[int, int] = {}
        self._group = -1
        self._furthest = -1
        self._coming: Iterator[Decoded] = iter(())

    def close(self) -> None:
        """Closes the file."""
        self._decoder.close()
        if self._scout is not None:
            self._scout.close()

    def read(self, entry: int, keep: Callable[[int, Decoded], None]) -> Decoded:
        """Returns a frame, decoding from the beginning of its group or from the last one read.

        Args:
            entry: index of the frame.
            keep: told every frame that comes out on the way, with its group.

        Raises:
            DamageError: the group is damaged and this reader is not careful.
        """
        group = self._groups.of_entry(entry)
        if group != self._group or entry <= self._furthest:
            self._coming = self._decode_group(group)
            self._group, self._furthest = group, -1
        try:
            for decoded in self._coming:
                self._furthest = max(self._furthest, decoded.entry)
                keep(group, decoded)
                if decoded.entry == entry:
                    return decoded
        except DamageError:
            self._group = -1
            raise
        if not self._careful:
            self._group = -1
            raise DamageError
        self._furthest = max(self._furthest, entry)
        nothing = Decoded(entry, -1, None, True)
        keep(group, nothing)
        return nothing

    def _decode_group(self, group: int) -> Iterator[Decoded]:
        if not self._careful:
            return self._run(group, 0)
        if group not in self._earlier:
            self._earlier[group] = self._best_start(group)
        return self._run(group, self._earlier[group])

    def _best_start(self, group: int) -> int:
        """Returns how many groups earlier decoding must start for the first frames to come."""
        start, end = self._groups.start(group), self._groups.end(group)
        entries = self._table.entry[start:end]
        shown = entries[entries != NO_ENTRY]
        if not len(shown) or group == 0:
            return 0
        first = int(shown.min())
        for earlier in _EARLIER_STARTS:
            if any(decoded.entry == first for decoded in self._run(group, earlier)):
                return earlier
        return 0

    def _run(self, group: int, earlier: int) -> Iterator[Decoded]:
        """Decodes a group to its end; frames come out in the order in which they are shown."""
        groups, decoder = self._groups, self._decoder
        start, end = groups.start(group), groups.end(group)
        begin = groups.begin(group, earlier)
        damage = self._failing(begin, end)
        if self._careful:
            decoder.start_anew(begin)
        else:
            decoder.go_to(begin, groups.undecodable(begin))
        held: deque[Decoded] = deque()
        seen: set[int] = set()
        due = groups.first_entry(group)
        while True:
            fed = decoder.feed(end)
            arrived = decoder.drain() if fed is None else fed
            for decoded in arrived:
                if decoded.damaged:
                    damage.append(decoded.ordinal)
                if decoded.damaged and not self._careful:
                    raise DamageError
                if decoded.ordinal >= start and decoded.entry not in seen:
                    seen.add(decoded.entry)
                    held.append(decoded)
            if decoder.failed and not self._careful:
                raise DamageError
            while held and (
                fed is None
                or len(held) > self._lag
                # A frame whose turn it is need not wait for others that might come before it.
                or (not self._careful and held[0].entry == due)
            ):
                decoded = held.popleft()
                due = self._note_missing(due, decoded.entry, group, seen, damage)
                yield self._judged(decoded, group, damage)
            if fed is None:
                return

    def _note_missing(
        self, due: int, entry: int, group: int, seen: set[int], damage: list[int]
    ) -> int:
        """Counts frames that should have come before `entry` as damage; returns the next due."""
        for absent in range(due, entry):
            if absent in seen or self._groups.of_entry(absent) != group:
                continue
            if not self._careful:
                raise DamageError
            if not self._may_skip:
                damage.append(self._groups.packet(absent))
        return max(due, entry + 1)

    def _failing(self, begin: int, end: int) -> list[int]:
        """Returns the packets of a stretch at which a strict decoder fails."""
        if self._scout is None:
            return []
        self._scout.start_anew(begin)
        while self._scout.feed(end) is not None:
            pass
        failed = list(self._scout.failed)
        self._scout.drain()
        return failed

    def _judged(self, decoded: Decoded, group: int, damage: list[int]) -> Decoded:
        """Marks a frame that was decoded after damage which it may be predicted from."""
        start = self._groups.start(group)
        for ordinal in (*damage, *self._decoder.failed):
            reaches = ordinal >= start or self._groups.leads(decoded.entry, group)
            if reaches and ordinal <= decoded.ordinal:
                decoded.damaged = True
        return decoded
