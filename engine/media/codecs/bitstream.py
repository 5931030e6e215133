"""Bits, NAL units and picture order counts, which H.264 and HEVC have in common.

Some files carry no PTS (raw streams, AVI, many program streams). Then only the pictures
themselves tell in which order they are shown: by their picture order count (ITU-T H.264 8.2.1,
H.265 8.3.1). H.264 may also carry the two fields of a frame as two packets.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

SLICE_HEAD_BYTES = 64
"""Bytes of a NAL unit that are read for a slice or a picture parameter set.

The fields up to the picture order count take at most 40 bytes, 60 with emulation prevention.
"""


class BitReader:
    """Reads bits of a NAL unit's payload, most significant first; zeros after its end.

    Args:
        payload: bytes after the NAL header, emulation prevention still in.
    """

    def __init__(self, payload: bytes) -> None:
        unescaped = payload.replace(b"\x00\x00\x03", b"\x00\x00")
        self._length = 8 * len(unescaped)
        self._value = int.from_bytes(unescaped, "big")
        self._position = 0

    def bits(self, count: int) -> int:
        """Returns the next `count` bits as an unsigned number."""
        self._position += count
        shift = self._length - self._position
        value = self._value >> shift if shift >= 0 else self._value << -shift
        return value & ((1 << count) - 1)

    def flag(self) -> bool:
        """Returns the next bit."""
        return bool(self.bits(1))

    def ue(self) -> int:
        """Returns an unsigned Exp-Golomb number (H.264 9.1).

        Raises:
            ValueError: more than 32 leading zeros, which no valid stream has.
        """
        zeros = 0
        while not self.bits(1):
            zeros += 1
            if zeros > 32:
                raise ValueError("not an Exp-Golomb number")
        return (1 << zeros) - 1 + self.bits(zeros)

    def se(self) -> int:
        """Returns a signed Exp-Golomb number (H.264 9.1.1)."""
        code = self.ue()
        return (code + 1) // 2 if code % 2 else -(code // 2)


@dataclass(frozen=True)
class PictureOrder:
    """What the first slice of a packet says about its picture and the order it is shown in.

    Attributes:
        restart: pictures shown after this one need nothing that was coded before it.
        intra: the picture is predicted from no other.
        epoch: how often the order count restarted so far; orders before `order`.
        order: picture order count within its epoch.
        second_field: the packet is the second field of the frame in the packet before.
    """

    restart: bool
    intra: bool
    epoch: int
    order: int
    second_field: bool = False


def nal_units(packet: bytes, length_size: int) -> Iterator[bytes]:
    """Cuts a packet into NAL units.

    Args:
        packet: one access unit.
        length_size: bytes of the length before each unit; 0 for start codes (Annex B).
    """
    if length_size:
        offset = 0
        while offset + length_size <= len(packet):
            size = int.from_bytes(packet[offset : offset + length_size], "big")
            offset += length_size
            yield packet[offset : offset + size]
            offset += size
        return
    start = packet.find(b"\x00\x00\x01")
    while start >= 0:
        end = packet.find(b"\x00\x00\x01", start + 3)
        unit = packet[start + 3 : end if end >= 0 else len(packet)]
        if unit:
            yield unit
        start = end


class OrderCounter:
    """Unwraps the low bits of picture order counts (H.264 8.2.1.1, H.265 8.3.1)."""

    def __init__(self) -> None:
        self.epoch = 0
        self._high = 0
        self._low = 0

    def restart(self) -> None:
        """Starts counting again at a picture that needs nothing from before it."""
        self.epoch += 1
        self._high = self._low = 0

    def unwrap(self, low: int, bits: int, reference: bool) -> int:
        """Returns the full count of a picture from its `bits` low bits.

        Args:
            low: the low bits as the slice has them.
            bits: number of low bits.
            reference: whether later pictures count from this one.
        """
        size = 1 << bits
        high = self._high
        if low < self._low and self._low - low >= size // 2:
            high += size
        elif low > self._low and low - self._low > size // 2:
            high -= size
        if reference:
            self._high, self._low = high, low
        return high + low
