"""A cache of decoded frames that keeps whole groups of pictures within a bound of bytes."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

Value = TypeVar("Value")


@dataclass
class _Kept(Generic[Value]):
    value: Value
    size: int


class GroupCache(Generic[Value]):
    """Keeps frames by group; the group used longest ago goes first, as a whole.

    A group that is over the bound by itself keeps the frames put last, so that memory stays
    bounded and a step back from the place just reached needs no decoding.

    Args:
        bound: bytes it may hold; one frame is kept even if it is larger.
    """

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._groups: OrderedDict[int, OrderedDict[int, _Kept[Value]]] = OrderedDict()
        self._size = 0

    @property
    def size(self) -> int:
        """Bytes held now."""
        return self._size

    def get(self, group: int, index: int) -> Value | None:
        """Returns a frame, None when it is not kept; its group counts as used."""
        frames = self._groups.get(group)
        if frames is None:
            return None
        self._groups.move_to_end(group)
        kept = frames.get(index)
        return None if kept is None else kept.value

    def put(self, group: int, index: int, value: Value, size: int) -> None:
        """Keeps a frame of `size` bytes; its group counts as used."""
        frames = self._groups.setdefault(group, OrderedDict())
        self._groups.move_to_end(group)
        before = frames.pop(index, None)
        self._size += size - (before.size if before else 0)
        frames[index] = _Kept(value, size)
        self._shrink()

    def clear(self) -> None:
        """Forgets everything."""
        self._groups.clear()
        self._size = 0

    def _shrink(self) -> None:
        while self._size > self._bound and len(self._groups) > 1:
            _, frames = self._groups.popitem(last=False)
            self._size -= sum(kept.size for kept in frames.values())
        (current,) = self._groups.values() if len(self._groups) == 1 else (None,)
        while current is not None and self._size > self._bound and len(current) > 1:
            _, kept = current.popitem(last=False)
            self._size -= kept.size
