"""Display order and field pairs of H.264 pictures, from their headers alone."""

from __future__ import annotations

from dataclasses import dataclass

from engine.media.codecs.bitstream import (
    SLICE_HEAD_BYTES,
    BitReader,
    OrderCounter,
    PictureOrder,
    nal_units,
)

_SLICE, _IDR, _SPS, _PPS = 1, 5, 7, 8  # nal_unit_type (H.264 table 7-1).
_INTRA_SLICES = (2, 4)  # slice_type modulo 5 of I and SI slices (H.264 table 7-6).
_HIGH_PROFILES = frozenset({44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244})
"""profile_idc of parameter sets that state a chroma format (H.264 7.3.2.1.1)."""


@dataclass(frozen=True)
class _Sps:
    frame_num_bits: int
    order_type: int
    order_bits: int
    separate_planes: bool
    frames_only: bool


@dataclass(frozen=True)
class _SliceHeader:
    idr: bool
    intra: bool
    reference: bool
    frame_num: int
    field: bool
    bottom: bool
    order_low: int
    sps: _Sps


class H264Reader:
    """Follows the packets of one H.264 stream in decoding order.

    Args:
        extradata: the container's header of the stream (avcC or Annex B); None when it has none.
    """

    def __init__(self, extradata: bytes | None) -> None:
        self._sps: dict[int, _Sps] = {}
        self._pps: dict[int, int] = {}
        self._length_size = 0
        self._counter = OrderCounter()
        self._first_field: _SliceHeader | None = None
        if extradata and extradata[0] == 1 and len(extradata) > 6:
            self._length_size = (extradata[4] & 3) + 1
            self._read_avcc(extradata)
        elif extradata:
            for unit in nal_units(extradata, 0):
                self._read_set(unit)

    @property
    def may_have_fields(self) -> bool:
        """Whether the stream's headers allow a field in a packet of its own."""
        return any(not sps.frames_only for sps in self._sps.values())

    def read(self, packet: bytes) -> PictureOrder | None:
        """Returns what a packet's slices say about its order; None when none can be read."""
        try:
            slices = self._read_slices(packet)
        except ValueError:
            return None
        if not slices:
            return None
        first = slices[0]
        pair = self._first_field
        second = (
            pair is not None
            and first.field
            and first.bottom != pair.bottom
            and first.frame_num == pair.frame_num
            and not (first.idr and not pair.idr)
        )
        complete = second or not first.field or any(s.bottom != first.bottom for s in slices[1:])
        self._first_field = None if complete else first
        if first.idr and not second:
            self._counter.restart()
        order = 0
        if first.sps.order_type == 0:
            order = self._counter.unwrap(first.order_low, first.sps.order_bits, first.reference)
        return PictureOrder(first.idr, first.intra, self._counter.epoch, order, second)

    @property
    def coded_order(self) -> bool:
        """Whether the stream says that pictures are shown in the order in which they are coded."""
        return bool(self._sps) and all(sps.order_type != 0 for sps in self._sps.values())

    def _read_slices(self, packet: bytes) -> list[_SliceHeader]:
        slices: list[_SliceHeader] = []
        for unit in nal_units(packet, self._length_size):
            if not unit:
                continue
            kind = unit[0] & 31
            if kind in (_SPS, _PPS):
                self._read_set(unit)
            elif kind in (_SLICE, _IDR):
                header = self._read_slice(unit)
                if header is not None:
                    slices.append(header)
                # Only a field's packet may hide the other field behind its first slice.
                if header is None or not header.field:
                    break
        return slices

    def _read_slice(self, unit: bytes) -> _SliceHeader | None:
        bits = BitReader(unit[1:SLICE_HEAD_BYTES])
        bits.ue()
        intra = bits.ue() % 5 in _INTRA_SLICES
        sps = self._sps.get(self._pps.get(bits.ue(), 0))
        if sps is None:
            return None
        if sps.separate_planes:
            bits.bits(2)
        frame_num = bits.bits(sps.frame_num_bits)
        field = not sps.frames_only and bits.flag()
        bottom = field and bits.flag()
        idr = unit[0] & 31 == _IDR
        if idr:
            bits.ue()
        low = bits.bits(sps.order_bits) if sps.order_type == 0 else 0
        return _SliceHeader(idr, intra, bool(unit[0] & 0x60), frame_num, field, bottom, low, sps)

    def _read_avcc(self, extradata: bytes) -> None:
        offset = 5
        for mask in (31, 255):
            count = extradata[offset] & mask if offset < len(extradata) else 0
            offset += 1
            for _ in range(count):
                size = int.from_bytes(extradata[offset : offset + 2], "big")
                self._read_set(extradata[offset + 2 : offset + 2 + size])
                offset += 2 + size

    def _read_set(self, unit: bytes) -> None:
        # A damaged parameter set is left out: its slices are then not understood either.
        try:
            if unit and unit[0] & 31 == _SPS:
                number, sps = _read_sps(unit)
                self._sps[number] = sps
            elif unit and unit[0] & 31 == _PPS:
                bits = BitReader(unit[1:SLICE_HEAD_BYTES])
                number = bits.ue()
                self._pps[number] = bits.ue()
        except ValueError:
            return


def _read_sps(unit: bytes) -> tuple[int, _Sps]:
    """Reads a sequence parameter set as far as slices need it (H.264 7.3.2.1.1)."""
    bits = BitReader(unit[1:])
    profile = bits.bits(8)
    bits.bits(16)
    number = bits.ue()
    separate = False
    if profile in _HIGH_PROFILES:
        chroma = bits.ue()
        separate = chroma == 3 and bits.flag()
        bits.ue()
        bits.ue()
        bits.flag()
        if bits.flag():
            for index in range(8 if chroma != 3 else 12):
                if bits.flag():
                    _skip_scaling_list(bits, 16 if index < 6 else 64)
    frame_num_bits = bits.ue() + 4
    order_type = bits.ue()
    order_bits = 0
    if order_type == 0:
        order_bits = bits.ue() + 4
    elif order_type == 1:
        bits.flag()
        bits.se()
        bits.se()
        for _ in range(min(bits.ue(), 255)):
            bits.se()
    bits.ue()
    bits.flag()
    bits.ue()
    bits.ue()
    return number, _Sps(frame_num_bits, order_type, order_bits, separate, bits.flag())


def _skip_scaling_list(bits: BitReader, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.se()) % 256
        last = following or last
