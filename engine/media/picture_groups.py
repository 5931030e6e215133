"""Groups of pictures: where decoding must start so that a frame comes out exact."""

from __future__ import annotations

import numpy as np

from engine.media.packets import NO_ENTRY, PacketTable

_MAX_LAG = 32  # Frames: H.264 and HEVC reorder by 16 at most; twice that is a choice.


class PictureGroups:
    """The groups of pictures of a stream; a group is a keyframe's packet up to the next one's.

    A group is *open* when frames of it are shown before its keyframe (they are predicted from
    the group before) or when the keyframe is not one after which all that came before may be
    forgotten. Decoding an open group starts with the group before.

    Args:
        table: the stream's packets.
    """

    def __init__(self, table: PacketTable) -> None:
        keys = np.flatnonzero(table.key)
        self._starts = keys if len(keys) and keys[0] == 0 else np.insert(keys, 0, 0)
        self._count = len(table)
        self._entries = int(table.entry.max()) + 1
        frame_packets = np.flatnonzero(table.entry != NO_ENTRY)
        begins = np.zeros(len(table), np.int64)
        begins[self._starts] = 1
        self._of_packet = np.cumsum(begins) - 1
        self._packet = np.zeros(self._entries, np.int64)
        self._packet[table.entry[frame_packets]] = frame_packets
        self._of_entry = self._of_packet[self._packet]
        entries = np.where(table.entry == NO_ENTRY, self._entries, table.entry)
        self._lowest = lowest = np.minimum.reduceat(entries, self._starts)
        self._key_entry = entries[self._starts]
        coded = table.entry[frame_packets]
        lag = int((np.maximum.accumulate(coded) - coded).max())
        self.lag = min(lag, _MAX_LAG)
        """By how many frames one that is coded earlier may be shown later, at most."""
        self._open = (lowest < self._key_entry) | ~table.restart[self._starts]

    def __len__(self) -> int:
        return len(self._starts)

    def of_packet(self, ordinal: int) -> int:
        """Returns the group that a packet belongs to."""
        return int(self._of_packet[ordinal])

    def of_entry(self, entry: int) -> int:
        """Returns the group that a frame belongs to."""
        return int(self._of_entry[entry])

    def first_entry(self, group: int) -> int:
        """Returns the frame of a group that is shown first; the number of frames if it has none."""
        return int(self._lowest[group])

    def packet(self, entry: int) -> int:
        """Returns the packet that gives a frame."""
        return int(self._packet[entry])

    def decoding_start(self, group: int, earlier: int = 0) -> int:
        """Returns the packet from which a group is decoded.

        Args:
            group: the group.
            earlier: how many groups before the usual one.
        """
        return int(self._starts[max(0, group - int(self._open[group]) - earlier)])

    def start(self, group: int) -> int:
        """Returns the first packet of a group."""
        return int(self._starts[group])

    def end(self, group: int) -> int:
        """Returns the packet after a group's last one."""
        return int(self._starts[group + 1]) if group + 1 < len(self) else self._count

    def undecodable(self, begin: int) -> tuple[int, int]:
        """Returns which frames cannot be decoded when decoding begins at a group's start.

        Returns:
            (packet, entry): packets before that one whose frame comes before that entry. (0, 0)
            at the start of the stream, where it is unknown.
        """
        if begin == 0:
            return 0, 0
        group = self.of_packet(begin)
        return self.end(group), int(self._key_entry[group])

    def damaged_by(self, group: int) -> tuple[int, ...]:
        """Returns a damaged group and the one after it when that is decoded from this one."""
        if group + 1 < len(self) and self._open[group + 1]:
            return group, group + 1
        return (group,)

    def leads(self, entry: int, group: int) -> bool:
        """Whether a frame of a group is shown before the group's keyframe."""
        return entry < int(self._key_entry[group])
