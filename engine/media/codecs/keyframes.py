"""Finds out from a packet's first bytes what kind of picture it contains.

A container that lost its table of frames (an AVI that was cut off) marks every packet as a
keyframe. Decoding that started at one of them would give a wrong picture without a word.
"""

from __future__ import annotations

HEAD_BYTES = 4096
"""Bytes of a packet that are searched for the start of its picture, a choice."""

CHECKED_CODECS = frozenset({"mpeg4", "msmpeg4v2", "msmpeg4v3", "wmv1", "wmv2"})

_VOP = b"\x00\x00\x01\xb6"
_B_PICTURE = 2  # vop_coding_type of a picture predicted from both sides (ISO/IEC 14496-2).


def is_intra(codec: str, head: bytes) -> bool:
    """Returns False when a packet's picture is predicted from another, True otherwise.

    Args:
        codec: name of the codec; for those outside `CHECKED_CODECS` the result is True.
        head: the packet's first `HEAD_BYTES` bytes.
    """
    if codec == "mpeg4":
        return _mpeg4_type(head) in (0, None)
    if codec == "wmv2":
        return not head or head[0] >> 7 == 0
    if codec in CHECKED_CODECS:
        return not head or head[0] >> 6 == 0
    return True


def is_b_picture(codec: str, head: bytes) -> bool:
    """Returns whether a packet contains an MPEG-4 B-picture; those of other codecs have times.

    Args:
        codec: name of the codec.
        head: the packet's first `HEAD_BYTES` bytes.
    """
    return codec == "mpeg4" and _mpeg4_type(head) == _B_PICTURE


def _mpeg4_type(head: bytes) -> int | None:
    """Returns vop_coding_type (ISO/IEC 14496-2, 6.2.5): 0 I, 1 P, 2 B, 3 S."""
    start = head.find(_VOP)
    return head[start + 4] >> 6 if 0 <= start < len(head) - 4 else None
