"""Display order of HEVC pictures, from their headers alone."""

from __future__ import annotations

from dataclasses import dataclass

from engine.media.codecs.bitstream import (
    SLICE_HEAD_BYTES,
    BitReader,
    OrderCounter,
    PictureOrder,
    nal_units,
)

# Values of nal_unit_type (H.265 table 7-1).
_SPS, _PPS = 33, 34  # Sequence and picture parameter sets.
_IDR = (19, 20)  # Instantaneous decoding refresh: no picture before it is needed.
_BLA = (16, 17, 18)  # Broken link access: the order count restarts as well.
_LEADING = range(6, 10)
_FIRST_IRAP, _LAST_IRAP = 16, 23  # Pictures at which decoding may start.
_LAST_SLICE = 31  # All types up to this one are slices.


@dataclass(frozen=True)
class _Pps:
    sps: int
    output_flag: bool
    extra_bits: int


class HevcReader:
    """Follows the packets of one HEVC stream in decoding order.

    Args:
        extradata: the container's header of the stream (hvcC or Annex B); None when it has none.
    """

    coded_order = False
    may_have_fields = False

    def __init__(self, extradata: bytes | None) -> None:
        self._order_bits: dict[int, int] = {}
        self._separate: dict[int, bool] = {}
        self._pps: dict[int, _Pps] = {}
        self._length_size = 0
        self._counter = OrderCounter()
        if extradata and extradata[0] == 1 and len(extradata) > 22:
            self._length_size = (extradata[21] & 3) + 1
            self._read_hvcc(extradata)
        elif extradata:
            for unit in nal_units(extradata, 0):
                self._read_set(unit)

    def read(self, packet: bytes) -> PictureOrder | None:
        """Returns what a packet's first slice says about its order; None when none can be read."""
        for unit in nal_units(packet, self._length_size):
            if len(unit) < 3:
                continue
            kind = unit[0] >> 1 & 63
            if kind <= _LAST_SLICE:
                try:
                    return self._read_slice(unit, kind)
                except ValueError:
                    return None
            self._read_set(unit)
        return None

    def _read_slice(self, unit: bytes, kind: int) -> PictureOrder | None:
        bits = BitReader(unit[2:SLICE_HEAD_BYTES])
        if not bits.flag():
            return None
        irap = _FIRST_IRAP <= kind <= _LAST_IRAP
        if irap:
            bits.flag()
        pps = self._pps.get(bits.ue())
        if pps is None or pps.sps not in self._order_bits:
            return None
        restart = kind in _IDR or kind in _BLA
        if restart:
            self._counter.restart()
        low = 0
        if kind not in _IDR:
            bits.bits(pps.extra_bits)
            bits.ue()
            if pps.output_flag:
                bits.flag()
            if self._separate[pps.sps]:
                bits.bits(2)
            low = bits.bits(self._order_bits[pps.sps])
        # Sub-layer pictures that nothing refers to have even numbers below 16.
        lowest_layer = unit[1] & 7 == 1
        counted = lowest_layer and kind not in _LEADING and not (kind < 16 and kind % 2 == 0)
        order = self._counter.unwrap(low, self._order_bits[pps.sps], counted)
        return PictureOrder(irap, irap, self._counter.epoch, order)

    def _read_hvcc(self, extradata: bytes) -> None:
        offset = 23
        for _ in range(extradata[22]):
            count = int.from_bytes(extradata[offset + 1 : offset + 3], "big")
            offset += 3
            for _ in range(count):
                size = int.from_bytes(extradata[offset : offset + 2], "big")
                self._read_set(extradata[offset + 2 : offset + 2 + size])
                offset += 2 + size
                if offset > len(extradata):
                    return

    def _read_set(self, unit: bytes) -> None:
        # A damaged parameter set is left out: its slices are then not understood either.
        try:
            kind = unit[0] >> 1 & 63 if len(unit) > 2 else 0
            if kind == _SPS:
                self._read_sps(unit)
            elif kind == _PPS:
                bits = BitReader(unit[2:SLICE_HEAD_BYTES])
                number, sps = bits.ue(), bits.ue()
                bits.flag()
                self._pps[number] = _Pps(sps, bits.flag(), bits.bits(3))
        except ValueError:
            return

    def _read_sps(self, unit: bytes) -> None:
        """Reads a sequence parameter set as far as slices need it (H.265 7.3.2.2.1)."""
        bits = BitReader(unit[2:])
        bits.bits(4)
        layers = bits.bits(3)
        bits.flag()
        _skip_profile(bits, layers)
        number = bits.ue()
        chroma = bits.ue()
        self._separate[number] = chroma == 3 and bits.flag()
        bits.ue()
        bits.ue()
        if bits.flag():
            for _ in range(4):
                bits.ue()
        bits.ue()
        bits.ue()
        self._order_bits[number] = min(bits.ue() + 4, 16)


def _skip_profile(bits: BitReader, layers: int) -> None:
    """Skips profile_tier_level (H.265 7.3.3)."""
    bits.bits(88)
    bits.bits(8)
    present = [(bits.flag(), bits.flag()) for _ in range(layers)]
    if layers:
        for _ in range(layers, 8):
            bits.bits(2)
    for profile, level in present:
        bits.bits(88 * profile + 8 * level)
