"""Hashes of evidence, and a cheap fingerprint that tells whether it must be hashed again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.core.errors import BadInputError, MediaError
from engine.core.files import open_regular_file
from engine.core.progress import CancelToken, Progress, ProgressCallback, silent
from engine.media.image_folder import image_files

ALGORITHMS = ("sha256", "md5", "sha1")
"""SHA-256 proves integrity; the other two only compare with old lists."""

_BLOCK_BYTES = 4 << 20  # Read and hashed at a time, a choice; between blocks a stop is noticed.


@dataclass(frozen=True)
class Fingerprint:
    """What changes when evidence is changed carelessly; proves nothing.

    Attributes:
        size: bytes; of all images together for a folder.
        mtime_ns: time of the last change in nanoseconds; the latest image's for a folder.
        files: how many files there are.
    """

    size: int
    mtime_ns: int
    files: int


def fingerprint(path: Path) -> Fingerprint:
    """Returns the fingerprint of a file or of a folder of images.

    Raises:
        MediaError: it is missing, or the folder has no images.
    """
    files = image_files(path) if path.is_dir() else [path]
    try:
        states = [file.stat() for file in files]
    except OSError as error:
        raise MediaError(f"cannot be looked at ({error.strerror})", path, "check it") from error
    return Fingerprint(
        size=sum(state.st_size for state in states),
        mtime_ns=max(state.st_mtime_ns for state in states),
        files=len(states),
    )


def hash_file(
    path: Path,
    algorithms: Sequence[str] = ("sha256",),
    cancel: CancelToken | None = None,
    progress: ProgressCallback = silent,
) -> dict[str, str]:
    """Hashes a file with several algorithms in one reading.

    Args:
        path: the file.
        algorithms: of `ALGORITHMS`.
        cancel: checked between blocks.
        progress: called with the bytes read so far.

    Returns:
        Algorithm -> hash in lower-case hexadecimal.

    Raises:
        BadInputError: an algorithm is not known.
        MediaError: the file cannot be read.
        CancelledError: the user stopped.
    """
    token = cancel or CancelToken()
    hashes = _hashers(algorithms)
    block = bytearray(_BLOCK_BYTES)
    view = memoryview(block)
    done = 0
    try:
        with open_regular_file(path) as file:
            total = os.fstat(file.fileno()).st_size
            while count := file.readinto(block):
                token.check()
                for hasher in hashes.values():
                    hasher.update(view[:count])
                done += count
                progress(Progress("hashing", done, max(total, done), unit="bytes"))
    except OSError as error:
        raise MediaError(f"cannot be read ({error.strerror})", path, "check the file") from error
    return {name: hasher.hexdigest() for name, hasher in hashes.items()}


def hash_evidence(
    path: Path,
    algorithms: Sequence[str] = ("sha256",),
    cancel: CancelToken | None = None,
    progress: ProgressCallback = silent,
) -> dict[str, str]:
    """Hashes a video file, or a folder of images as one.

    A folder's hash is the hash of a list with one line for each image, in the order in which
    they are shown: the SHA-256 of the file in lower-case hexadecimal, two spaces, the file's
    name in UTF-8, a line feed. A name with a backslash or a line end is escaped, and its line
    begins with a backslash, so that no name can stand for two lines. It is what `sha256sum` prints
    for the files in that order. Other files in the folder do not count.

    Args:
        path: the file or folder.
        algorithms: of `ALGORITHMS`.
        cancel: checked between blocks.
        progress: called with the bytes, or for a folder the images, done so far.

    Returns:
        Algorithm -> hash in lower-case hexadecimal.

    Raises:
        BadInputError: an algorithm is not known.
        MediaError: something cannot be read, or the folder has no images.
        CancelledError: the user stopped.
    """
    if not path.is_dir():
        return hash_file(path, algorithms, cancel, progress)
    hashes = _hashers(algorithms)
    files = image_files(path)
    for done, file in enumerate(files, 1):
        digest = hash_file(file, ("sha256",), cancel)["sha256"]
        line = _checksum_line(digest, os.fsencode(file.name))
        for hasher in hashes.values():
            hasher.update(line)
        progress(Progress("hashing", done, len(files), unit="images"))
    return {name: hasher.hexdigest() for name, hasher in hashes.items()}


def _checksum_line(digest: str, name: bytes) -> bytes:
    escaped = name.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    mark = b"" if escaped == name else b"\\"
    return mark + digest.encode() + b"  " + escaped + b"\n"


def _hashers(algorithms: Sequence[str]) -> dict[str, hashlib._Hash]:
    unknown = [name for name in algorithms if name not in ALGORITHMS]
    if unknown or not algorithms:
        known = ", ".join(ALGORITHMS)
        raise BadInputError("unknown hash algorithm", ", ".join(unknown), f"choose of: {known}")
    return {name: hashlib.new(name, usedforsecurity=name == "sha256") for name in algorithms}
