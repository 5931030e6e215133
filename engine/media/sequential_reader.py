"""Reads many frames in order with one decoder, and damaged groups by themselves."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from av.video.frame import VideoFrame

from engine.media.decoding import Decoded, Decoder, GroupReader, Reopen
from engine.media.packets import PacketTable
from engine.media.picture_groups import Groups

Made = TypeVar("Made")

_LATE_AFTER = 16
_MOST_HELD = 32
_THREADS_BEHIND = 32


class SequentialReader:
    """Reads chosen frames of a stream in order.

    Belongs to one thread.

    Args:
        reopen: opens the stream anew.
        table: the stream's packets.
        groups: its groups.
        codec: name of its codec.
        damaged_groups: groups known to be damaged; what is found is added.
    """

    def __init__(
        self,
        reopen: Reopen,
        table: PacketTable,
        groups: Groups,
        codec: str,
        damaged_groups: set[int],
    ) -> None:
        self._reopen = reopen
        self._table = table
        self._groups = groups
        self._codec = codec
        self._lag = min(groups.lag, _MOST_HELD)
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
        self, wanted: Sequence[int], make: Callable[[VideoFrame], Made]
    ) -> Iterator[tuple[Decoded, Made | None]]:
        """Yields each wanted frame once, in order.

        Args:
            wanted: indices of frames, ascending.
            make: turns a decoded frame into what is wanted of it; called as soon as the frame
                comes out, so that no decoded picture is kept waiting.
        """
        at = 0
        while at < len(wanted):
            group = self._groups.of_entry(wanted[at])
            if group in self._damaged:
                decoded = self._read_carefully(wanted[at])
                yield decoded, None if decoded.frame is None else make(decoded.frame)
                at += 1
                continue
            for result in self._read_on(wanted, at, make):
                yield result
                at += 1

    def _read_carefully(self, entry: int) -> Decoded:
        if self._careful is None:
            self._careful = GroupReader(
                self._reopen, self._table, self._groups, self._codec, careful=True
            )
        return self._careful.read(entry, lambda _group, _decoded: None)

    def _read_on(
        self, wanted: Sequence[int], at: int, make: Callable[[VideoFrame], Made]
    ) -> Iterator[tuple[Decoded, Made | None]]:
        """Yields wanted frames from `at` on until the next one lies in a damaged group."""
        decoder, groups = self._decoder, self._groups
        chosen = wanted if isinstance(wanted, range) else frozenset(wanted)
        waiting: dict[int, tuple[Decoded, Made, int]] = {}
        count = overtaken = 0
        group = groups.of_entry(wanted[at])
        self._begin(group)
        while True:
            if not waiting and groups.begin(group) > decoder.cursor.next_ordinal:
                self._begin(group)
            fed = decoder.feed(len(self._table))
            for decoded in decoder.drain() if fed is None else fed:
                count += 1
                self._note_missing(decoded.entry)
                if decoded.damaged:
                    self._damaged.update(groups.spoilt_by(groups.of_packet(decoded.ordinal)))
                if decoded.entry in chosen and decoded.entry >= wanted[at] and decoded.frame:
                    waiting.setdefault(decoded.entry, (decoded, make(decoded.frame), count))
                    decoded.frame = None
                overtaken += decoded.entry > wanted[at] and wanted[at] not in waiting
            self._note_failures()
            while group not in self._damaged and wanted[at] in waiting:
                decoded, made, arrived = waiting[wanted[at]]
                if fed is not None and count - arrived < self._lag:
                    break
                del waiting[wanted[at]]
                yield decoded, made
                at, overtaken = at + 1, 0
                if at == len(wanted):
                    return
                group = groups.of_entry(wanted[at])
            if fed is None or overtaken > _LATE_AFTER + self._lag:
                self._damaged.update(groups.spoilt_by(group))
            if group in self._damaged:
                return

    def _note_missing(self, entry: int) -> None:
        """Blames the groups of frames that should have come by now, wanted or not."""
        self._recent.append(entry)
        if len(self._recent) <= self._lag:
            return
        oldest = self._recent.popleft()
        for absent in range(self._due, oldest):
            if absent not in self._recent:
                self._damaged.update(self._groups.spoilt_by(self._groups.of_entry(absent)))
        self._due = max(self._due, oldest + 1)

    def _begin(self, group: int) -> None:
        begin = self._groups.begin(group)
        self._due = self._groups.first_entry(group)
        self._recent.clear()
        self._decoder.go_to(begin, self._groups.undecodable(begin))

    def _note_failures(self) -> None:
        """Blames every group that may hold the packet at which the decoder failed."""
        # With threads a failure is told some packets after the one that caused it.
        for ordinal in self._decoder.failed:
            first = self._groups.of_packet(max(0, ordinal - _THREADS_BEHIND))
            for group in range(first, self._groups.of_packet(ordinal) + 1):
                self._damaged.update(self._groups.spoilt_by(group))
        self._decoder.failed.clear()
