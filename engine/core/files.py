"""Files written whole or not at all, what an error of the disk means, and things to be closed."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self

from engine.core.errors import BadInputError, ResourceError, SightlineError

_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


PRIVATE_FOLDER = 0o700
"""Rights of a new folder with evidence or findings in it: its owner's alone.

Whoever wants others to look into a case makes its folder before, with other rights.
"""


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Gives a name beside `path` to write to; what lies there afterwards takes the place of `path`.

    Where the block fails, nothing of it is left and `path` is what it was. Errors of the file
    system pass through as they are.

    Args:
        path: of the file that is wanted; its folder exists.
    """
    part = path.with_name(f".{secrets.token_hex(6)}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all; errors of the file system pass through as they are."""
    with atomic_path(path) as part:
        part.write_bytes(content)


class NotRegularFileError(OSError):
    """A path is a folder, a pipe or a device, whose opening or reading could wait for ever."""


def require_regular_file(path: Path) -> None:
    """Makes sure that opening a file cannot wait for ever, as for a pipe or a device.

    Raises:
        NotRegularFileError: it is no regular file.
        OSError: it is missing.
    """
    _require_regular(path.stat().st_mode, str(path))


def open_regular_file(path: Path) -> FileIO:
    """Opens a regular file for reading, without a buffer.

    Raises:
        NotRegularFileError: it is a folder, a pipe or a device.
        OSError: it cannot be read.
    """
    require_regular_file(path)
    # Whoever puts a pipe there in the meantime must not make the opening wait either.
    return FileIO(path, "rb", opener=_open_without_waiting)


def _open_without_waiting(path: str, flags: int) -> int:
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    try:
        _require_regular(os.fstat(descriptor).st_mode, path)
    except NotRegularFileError:
        os.close(descriptor)
        raise
    return descriptor


def _require_regular(mode: int, path: str) -> None:
    if not stat.S_ISREG(mode):
        raise NotRegularFileError(errno.EINVAL, "a folder, pipe or device, not a file", path)


def is_disk_full(error: OSError) -> bool:
    """Returns whether an error says that there is no room left."""
    return error.errno in _DISK_FULL


def reason_of(error: OSError) -> str:
    """Returns in lower case what the system says of an error."""
    return (error.strerror or str(error)).lower()


def write_error(error: OSError, where: Path) -> SightlineError:
    """Returns what an error of the disk means for a file that was to be written.

    Args:
        error: as it was raised.
        where: the file.
    """
    if is_disk_full(error):
        return ResourceError("the disk is full", where, "free space and run again")
    what = f"cannot be written ({reason_of(error)})"
    return BadInputError(what, where, "name a file in a folder you may write to")


@contextmanager
def translated_write_errors(where: Path) -> Iterator[None]:
    """Turns errors of the disk into what they mean for a file to be written.

    Raises:
        ResourceError: the disk is full.
        BadInputError: the file cannot be written for another reason.
    """
    try:
        yield
    except OSError as error:
        raise write_error(error, where) from error


class Closing:
    """Something that is closed when the block that opened it ends."""

    @abstractmethod
    def close(self) -> None:
        """Gives back what was opened; may be called twice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
