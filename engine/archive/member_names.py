"""Names that may stand in an archive: relative, plain, and the same file on every system."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath, PureWindowsPath

from engine.core.errors import BadInputError

_FORBIDDEN = frozenset('<>:"|?*\\')
_LONGEST_PART, _LONGEST = 255, 4096


def fault_of(name: str) -> str:
    """Says why a name may not stand in an archive; empty when it may.

    A name is a path with `/` between its parts. What one system takes for a drive, a device, a
    stream or the folder above is refused on all, so that an archive means the same everywhere.
    """
    parts = name.split("/")
    if name.startswith(("/", "\\")) or PureWindowsPath(name).drive:
        return "an absolute path"
    if ".." in parts or ".." in name.split("\\"):
        return "a path that leads out of the archive"
    if "" in parts or "." in parts:
        return "a path with an empty part"
    if not all(char.isprintable() and char not in _FORBIDDEN for char in name):
        return "a name with a character that not every system allows"
    if len(name) > _LONGEST or any(len(part.encode()) > _LONGEST_PART for part in parts):
        return "a name that is too long"
    if any(part.endswith((".", " ")) or PureWindowsPath(part).is_reserved() for part in parts):
        return "a name that is reserved on Windows"
    return ""


def usable_name(name: str) -> str:
    """Returns a file's name as an archive may hold it: what not every system allows is `_`."""
    shown = "".join(char if char.isprintable() and char not in _FORBIDDEN else "_" for char in name)
    shown = shown.replace("/", "_").rstrip(". ")[-200:] or "_"
    while len(shown.encode()) > _LONGEST_PART:
        shown = shown[1:]
    return shown if not fault_of(shown) else f"_{shown}"


def check_distinct(names: Iterable[str], where: object) -> None:
    """Makes sure that no two names are one file on any system, and none is a folder of another.

    Raises:
        BadInputError: two names clash; both are named.
    """
    known: dict[str, str] = {}
    for name in names:
        if (other := known.get(folded(name))) is not None:
            what = "a name that stands twice" if other == name else f"a name that clashes, {other}"
            raise BadInputError(f"an archive with {what}: {name}", where, "do not trust it")
        known[folded(name)] = name
    for name in known.values():
        for folder in PurePosixPath(name).parents:
            if (other := known.get(folded(str(folder)))) is not None:
                raise BadInputError(
                    f"an archive with a file that is also a folder: {other}, {name}",
                    where,
                    "do not trust it",
                )


def folded(name: str) -> str:
    """Returns what a file system that tells neither case nor composition apart sees."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
