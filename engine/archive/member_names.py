"""Checks names in archives: they are relative and mean the same file on every system."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath, PureWindowsPath

from engine.core.errors import BadInputError

_FORBIDDEN = frozenset('<>:"|?*\\')
# Bytes of one part of a path on ext4, and length of a path on Linux (PATH_MAX).
_MAX_PART_BYTES, _MAX_PATH_LENGTH = 255, 4096


def fault_of(name: str) -> str:
    """Returns why a name is not allowed in an archive; empty when it is.

    A name is a path with `/` between its parts. What is a drive, a device, a stream or the parent
    folder on one system is refused on all, so that an archive means the same everywhere.
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
    if len(name) > _MAX_PATH_LENGTH or any(len(part.encode()) > _MAX_PART_BYTES for part in parts):
        return "a name that is too long"
    if any(part.endswith((".", " ")) or PureWindowsPath(part).is_reserved() for part in parts):
        return "a name that is reserved on Windows"
    return ""


def usable_name(name: str) -> str:
    """Returns a file name that is allowed in an archive: characters that are not become `_`."""
    usable = "".join(
        char if char.isprintable() and char not in _FORBIDDEN else "_" for char in name
    )
    usable = usable.replace("/", "_").rstrip(". ")[-200:] or "_"
    while len(usable.encode()) > _MAX_PART_BYTES:
        usable = usable[1:]
    return usable if not fault_of(usable) else f"_{usable}"


def distrust(what: str, where: object) -> BadInputError:
    """Returns the error about an archive that Sightline cannot have written."""
    return BadInputError(what, where, "do not trust it; ask for the archive again")


def is_stored(path: str, names: Iterable[str]) -> bool:
    """Returns whether a path names one of these files, or a folder that holds some of them."""
    return any(name == path or name.startswith(f"{path}/") for name in names)


def check_distinct(names: Iterable[str], where: object) -> None:
    """Makes sure that no two names are one file on any system, and none is a folder of another.

    Raises:
        BadInputError: two names clash; both are named.
    """
    known: dict[str, str] = {}
    for name in names:
        if (other := known.get(fold_name(name))) is not None:
            what = "a name that stands twice" if other == name else f"a name that clashes, {other}"
            raise BadInputError(f"an archive with {what}: {name}", where, "do not trust it")
        known[fold_name(name)] = name
    for name in known.values():
        for folder in PurePosixPath(name).parents:
            if (other := known.get(fold_name(str(folder)))) is not None:
                raise BadInputError(
                    f"an archive with a file that is also a folder: {other}, {name}",
                    where,
                    "do not trust it",
                )


def fold_name(name: str) -> str:
    """Returns a name as a file system sees it that ignores case and Unicode composition."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
