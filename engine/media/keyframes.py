"""Says from its first bytes whether a packet that is marked as a keyframe really is one.

A container that lost its table of frames (an AVI that was cut off) marks every packet as a
keyframe. Decoding that started at one of them would give a wrong picture without a word.
"""

from __future__ import annotations

HEAD = 4096
"""Bytes of a packet that are enough to tell."""

CHECKED_CODECS = frozenset({"mpeg4", "msmpeg4v2", "msmpeg4v3", "wmv1", "wmv2"})

_VOP = b"\x00\x00\x01\xb6"


def is_intra(codec: str, head: bytes) -> bool:
    """Returns False when a packet's picture is predicted from another, True otherwise.

    Args:
        codec: name of the codec; those outside `CHECKED_CODECS` are believed.
        head: the packet's first `HEAD` bytes.
    """
    if codec == "mpeg4":
        at = head.find(_VOP)
        return at < 0 or at + 4 >= len(head) or head[at + 4] >> 6 == 0
    if codec == "wmv2":
        return not head or head[0] >> 7 == 0
    if codec in CHECKED_CODECS:
        return not head or head[0] >> 6 == 0
    return True
