"""Reads many frames in order with one decoder, and damaged groups by themselves."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from av.video.frame import VideoFrame

from engine.media.decoding import DecodedFrame, Decoder, GroupReader, StreamOpener
from engine.media.packets import PacketTable
from engine.media.picture_groups import PictureGroups

Converted = TypeVar("Converted")

_MAX_OVERTAKING = 16  # Frames, beyond reordering, that may come before the next one: a choice.
_MAX_REPORT_DELAY = 32  # Packets: FFmpeg has 16 threads at most; twice that is a choice.


class SequentialReader:
    """Reads chosen frames of a stream in order.

    Belongs to one thread.

    Args:
        reopen: opens the stream anew.
        table: the stream's packets.
        groups: its groups.
        codec: name of its codec.
        damaged_groups: groups known to be damaged; those found while reading are added.
    """

    def __init__(
        self,
        reopen: StreamOpener,
        table: PacketTable,
        groups: PictureGroups,
        codec: str,
        damaged_groups: set[int],
    ) -> None:
        self._reopen = reopen
        self._table = table
        self._groups = groups
        self._codec = codec
        self._lag = groups.lag
        self._damaged = damaged_groups
        self._decoder = Decoder(lambda: reopen(0, True), table)
        self._careful: GroupReader | None = None
        self._recent: deque[int] = deque()
        self._due = 0

    def close(self) -> None:
        """Closes the file."""
        self._decoder.close()
        if self._careful is not None:
            self._careful.close()

    def read(
        self, indices: Sequence[int], convert: Callable[[VideoFrame], Converted]
    ) -> Iterator[tuple[DecodedFrame, Converted | None]]:
        """Yields each of the frames once, in order.

        Args:
            indices: of the frames, ascending.
            convert: turns a decoded frame into what the caller needs; called as soon as the frame
                comes out, so that no decoded picture is kept waiting.
        """
        position = 0
        while position < len(indices):
            group = self._groups.of_entry(indices[position])
            if group in self._damaged:
                decoded = self._read_carefully(indices[position])
                yield decoded, None if decoded.frame is None else convert(decoded.frame)
                position += 1
                continue
            for result in self._read_on(indices, position, convert):
                yield result
                position += 1

    def _read_carefully(self, entry: int) -> DecodedFrame:
        if self._careful is None:
            self._careful = GroupReader(
                self._reopen, self._table, self._groups, self._codec, careful=True
            )
        return self._careful.read(entry, lambda _group, _decoded: None)

    def _read_on(
        self, indices: Sequence[int], position: int, convert: Callable[[VideoFrame], Converted]
    ) -> Iterator[tuple[DecodedFrame, Converted | None]]:
        """Yields frames from `position` on until the next one is in a damaged group."""
        decoder, groups = self._decoder, self._groups
        requested = indices if isinstance(indices, range) else frozenset(indices)
        waiting: dict[int, tuple[DecodedFrame, Converted, int]] = {}
        count = overtaken = 0
        entry = indices[position]
        group = groups.of_entry(entry)
        self._start_at(group)
        while True:
            if not waiting and groups.decoding_start(group) > decoder.cursor.next_ordinal:
                self._start_at(group)
            output = decoder.feed(len(self._table))
            for decoded in decoder.drain() if output is None else output:
                count += 1
                self._mark_missing(decoded.entry)
                if decoded.damaged:
                    self._damaged.update(groups.damaged_by(groups.of_packet(decoded.ordinal)))
                if decoded.entry in requested and decoded.entry >= entry and decoded.frame:
                    waiting.setdefault(decoded.entry, (decoded, convert(decoded.frame), count))
                    decoded.frame = None
                overtaken += decoded.entry > entry and entry not in waiting
            self._mark_failures()
            while group not in self._damaged and entry in waiting:
                decoded, converted, arrived = waiting[entry]
                if output is not None and count - arrived < self._lag:
                    break
                del waiting[entry]
                yield decoded, converted
                position, overtaken = position + 1, 0
                if position == len(indices):
                    return
                entry = indices[position]
                group = groups.of_entry(entry)
            if output is None or overtaken > _MAX_OVERTAKING + self._lag:
                self._damaged.update(groups.damaged_by(group))
            if group in self._damaged:
                return

    def _mark_missing(self, entry: int) -> None:
        """Marks the groups of frames that should have come by now as damaged."""
        self._recent.append(entry)
        if len(self._recent) <= self._lag:
            return
        oldest = self._recent.popleft()
        for absent in range(self._due, oldest):
            if absent not in self._recent:
                self._damaged.update(self._groups.damaged_by(self._groups.of_entry(absent)))
        self._due = max(self._due, oldest + 1)

    def _start_at(self, group: int) -> None:
        begin = self._groups.decoding_start(group)
        self._due = self._groups.first_entry(group)
        self._recent.clear()
        self._decoder.go_to(begin, self._groups.undecodable(begin))

    def _mark_failures(self) -> None:
        """Marks every group that may contain the packet at which the decoder failed as damaged."""
        # With threads a failure is reported some packets after the one that caused it.
        for ordinal in self._decoder.failed_ordinals:
            first = self._groups.of_packet(max(0, ordinal - _MAX_REPORT_DELAY))
            for group in range(first, self._groups.of_packet(ordinal) + 1):
                self._damaged.update(self._groups.damaged_by(group))
        self._decoder.failed_ordinals.clear()
