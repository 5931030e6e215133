"""Comparing the files of a built application with those that were built."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from engine.core.build import MANIFEST, Build
from engine.core.progress import CancelToken
from engine.media import hash_file


def differences(build: Build, cancel: CancelToken) -> Iterator[tuple[str, str]]:
    """Compares every file with the manifest; one that nobody built counts as a difference too.

    Args:
        build: the application.
        cancel: looked at between files.

    Yields:
        Path inside the application's folder, and what is wrong with it.

    Raises:
        CancelledError: the user stopped.
    """
    files = {name: path for name, path in _files(build.folder) if path.name != MANIFEST}
    for name, sha256 in build.files.items():
        cancel.check()
        path = files.pop(name, None)
        if path is None:
            yield name, "is missing"
        elif hash_file(path)["sha256"] != sha256:
            yield name, "has changed"
    for name in files:
        yield name, "does not belong to the program"


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path
