"""Things of one kind by name, each imported only when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, TypeVar

T_co = TypeVar("T_co", covariant=True)


class Registry(Mapping[str, T_co]):
    """A table of names and of where each entry is defined.

    The table is written down, not scanned for, so that a bundled application has the same entries
    as the source tree. An entry is imported when it is looked up, which keeps a start quick and
    lets a lower layer name what lies above it.

    Args:
        table: `module:attribute` of each name, in the order in which entries are listed.
    """

    def __init__(self, table: Mapping[str, str]) -> None:
        self._table = dict(table)

    def __getitem__(self, name: str) -> T_co:
        module, _, attribute = self._table[name].partition(":")
        entry: Any = getattr(import_module(module), attribute)
        return entry  # type: ignore[no-any-return]

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)
