"""A cache of decoded frames that drops whole groups of pictures when it has too many bytes."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

EMPTY_FRAME_BYTES = 64
"""What a frame without a picture counts for: about the size of the object."""

Value = TypeVar("Value")


@dataclass
class _CachedValue(Generic[Value]):
    value: Value
    size: int


class GroupCache(Generic[Value]):
    """Keeps frames by group; the group used longest ago goes first, as a whole.

    A group that is over the bound by itself keeps the frames put last, so that memory stays
    bounded and a step back from the frame just reached needs no decoding.

    Args:
        max_bytes: bytes of all frames; one frame stays even if it is larger.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._groups: OrderedDict[int, OrderedDict[int, _CachedValue[Value]]] = OrderedDict()
        self._size = 0

    @property
    def size(self) -> int:
        """Bytes of all frames now."""
        return self._size

    def get(self, group: int, index: int) -> Value | None:
        """Returns a frame, None when it is not cached; its group counts as used."""
        frames = self._groups.get(group)
        if frames is None:
            return None
        self._groups.move_to_end(group)
        cached = frames.get(index)
        return None if cached is None else cached.value

    def put(self, group: int, index: int, value: Value, size: int) -> None:
        """Keeps a frame of `size` bytes; its group counts as used."""
        frames = self._groups.setdefault(group, OrderedDict())
        self._groups.move_to_end(group)
        before = frames.pop(index, None)
        self._size += size - (before.size if before else 0)
        frames[index] = _CachedValue(value, size)
        self._shrink()

    def clear(self) -> None:
        """Forgets everything."""
        self._groups.clear()
        self._size = 0

    def _shrink(self) -> None:
        while self._size > self._max_bytes and len(self._groups) > 1:
            _, frames = self._groups.popitem(last=False)
            self._size -= sum(cached.size for cached in frames.values())
        (current,) = self._groups.values() if len(self._groups) == 1 else (None,)
        while current is not None and self._size > self._max_bytes and len(current) > 1:
            _, cached = current.popitem(last=False)
            self._size -= cached.size
