"""Reads a pack archive: a folder, a zip or a tar; names in an archive never become paths."""

from __future__ import annotations

import gzip
import itertools
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, BinaryIO, cast

from engine.core.errors import BadInputError
from engine.core.progress import CancelToken
from engine.packs.manifest_fields import MAX_BYTES
from engine.packs.manifest_schema import (
    MANIFEST,
    MAX_FILES,
    MAX_MANIFEST_BYTES,
    PackFile,
    parse_manifest,
)
from engine.packs.pack import check_plain, read_pack

MAKER = "ask the maker of the pack"

_SEEK_STEP = 1 << 20  # Bytes unpacked between two looks at the cancel token; some milliseconds.
_MAX_MEMBERS = 2 * MAX_FILES  # Files and folders; a pack has fewer folders than files.
_MAX_HEADER_BYTES = 8 << 20  # Read of a tar to find its files; a thousand headers take 512 KB.
_MAX_RATIO = 20  # Bytes a tar may unpack to for each of its own; a choice, weights hardly shrink.
_SPARE_BYTES = 64 << 20  # Beyond that ratio, so that small archives of long texts pass; a choice.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_GZIP = b"\x1f\x8b"
_DAMAGE_ERRORS = (
    zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, RecursionError,
    NotImplementedError, ValueError,
)  # fmt: skip

Opener = Callable[[], IO[bytes]]


@dataclass(frozen=True)
class PackArchive:
    """A pack that has not been imported.

    Attributes:
        name: of the pack.
        manifest: the bytes of its `pack.json`.
        files: what the manifest says of each other file, in the order they are best read in.
        openers: open each of them.
    """

    name: str
    manifest: bytes
    files: Mapping[str, PackFile]
    openers: Mapping[str, Opener]


@contextmanager
def open_pack_archive(path: Path, cancel: CancelToken) -> Iterator[PackArchive]:
    """Opens a pack where it lies and compares the names of its files with its manifest.

    Args:
        path: the folder of a pack; or a zip, a tar or a tar in gzip of one.
        cancel: looked at between blocks.

    Raises:
        BadInputError: it is none of these, is damaged, or holds something else than the files
            of one pack; also while the files are read.
        CancelledError: the user stopped.
    """
    if path.is_dir():
        pack = read_pack(path)
        openers = {name: partial(_open_file, path / name) for name in pack.files}
        yield PackArchive(pack.name, (path / MANIFEST).read_bytes(), pack.files, openers)
        return
    check_plain(path)
    try:
        with path.open("rb") as file:
            yield from _open_packed(file, path, cancel)
    except _DAMAGE_ERRORS as error:
        raise BadInputError(f"a damaged archive ({error})", path, MAKER) from error


def _open_file(path: Path) -> IO[bytes]:
    return path.open("rb")


def _open_packed(file: BinaryIO, path: Path, cancel: CancelToken) -> Iterator[PackArchive]:
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as packed:
            yield _compare(_zip_members(packed, path), path)
        return
    file.seek(0)
    is_gzip = file.read(len(_GZIP)) == _GZIP
    file.seek(0)
    stream = cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if is_gzip else file
    limited = _LimitedReader(stream, cancel)
    try:
        tape = tarfile.TarFile(fileobj=cast("IO[bytes]", limited))
    except tarfile.ReadError as error:
        what = "neither the folder of a pack nor a zip, .tar or .tar.gz of one"
        raise BadInputError(what, path, "name one, or unpack it and name the folder") from error
    with tape:
        archive = _compare(_tar_members(tape, path), path)
        limited.remaining = 2 * MAX_BYTES
        yield archive


def _zip_members(archive: zipfile.ZipFile, path: Path) -> Iterator[tuple[str, Opener]]:
    for member in archive.infolist():
        if member.is_dir():
            continue
        where = f"{path}: {member.filename}"
        if stat.S_ISLNK(member.external_attr >> 16):
            raise BadInputError("a link in a pack", where, MAKER)
        if member.flag_bits & 1:
            raise BadInputError("an encrypted zip", where, "unpack it first and import the folder")
        if member.compress_type not in _METHODS:
            raise BadInputError("a zip packed in an unusual way", where, "unpack it, import that")
        yield member.filename, partial(archive.open, member)


def _tar_members(tape: tarfile.TarFile, path: Path) -> Iterator[tuple[str, Opener]]:
    """Yields the files of a tar in their order; to find the next one, one is read over."""
    remaining = _SPARE_BYTES + _MAX_RATIO * path.stat().st_size
    for member in tape:
        where = f"{path}: {member.name}"
        if member.issym() or member.islnk():
            raise BadInputError("a link in a pack", where, MAKER)
        remaining -= member.size
        if member.size < 0 or remaining < 0:
            raise BadInputError("an archive that says it holds far more than it is", where, MAKER)
        if member.isdir():
            continue
        if not member.isreg() or member.issparse():
            raise BadInputError("a pack holds something else than files", where, MAKER)
        yield member.name, partial(_extract, tape, member)


def _extract(tape: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    file = tape.extractfile(member)
    assert file is not None
    return file


def _compare(members: Iterable[tuple[str, Opener]], path: Path) -> PackArchive:
    """Finds the manifest among the files of an archive and compares the others with it."""
    openers_by_name = list(itertools.islice(members, _MAX_MEMBERS + 1))
    if len(openers_by_name) > _MAX_MEMBERS:
        raise BadInputError("an archive with too many files for a pack", path, MAKER)
    roots = [name for name, _opener in openers_by_name if name.split("/")[-1] == MANIFEST]
    roots = [name.removesuffix(MANIFEST) for name in roots if name.count("/") <= 1]
    if len(roots) != 1:
        raise BadInputError("no pack: one pack.json is needed in the archive", path, MAKER)
    openers: dict[str, Opener] = {}
    for name, opener in openers_by_name:
        inner_path = name.removeprefix(roots[0])
        if inner_path in openers:
            where = f"{path}: {inner_path}"
            raise BadInputError("an archive that holds a file twice", where, MAKER)
        openers[inner_path] = opener
    with openers.pop(MANIFEST)() as stream:
        data = stream.read(MAX_MANIFEST_BYTES + 1)
    manifest, files = parse_manifest(data, path / MANIFEST)
    for name in sorted(openers.keys() - files.keys()):
        raise BadInputError("a file that the pack does not name", f"{path}: {name}", MAKER)
    for name in sorted(files.keys() - openers.keys()):
        raise BadInputError("a file of the pack is missing", f"{path}: {name}", MAKER)
    return PackArchive(manifest.name, data, {name: files[name] for name in openers}, openers)


class _LimitedReader:
    """A file that gives out a limited amount: a tar of a few bytes may ask for any size of header.

    Attributes:
        remaining: bytes that may still be read; what is read over does not count.
    """

    def __init__(self, stream: IO[bytes], cancel: CancelToken) -> None:
        self._stream = stream
        self._cancel = cancel
        self.remaining = _MAX_HEADER_BYTES

    def read(self, size: int = -1) -> bytes:
        """Reads as a file does.

        Raises:
            BadInputError: it is more than remains.
        """
        self._cancel.check()
        self.remaining -= size
        if size < 0 or self.remaining < 0:
            raise BadInputError("a tar with an absurd header", "", MAKER)
        return self._stream.read(size)

    def seek(self, offset: int) -> int:
        """Goes to an offset in steps, because what is packed has to be unpacked on the way."""
        current = self._stream.tell()
        while current + _SEEK_STEP < offset:
            self._cancel.check()
            before, current = current, self._stream.seek(_SEEK_STEP, 1)
            if current == before:
                return current
        return self._stream.seek(offset)

    def tell(self) -> int:
        """Returns the offset."""
        return self._stream.tell()
