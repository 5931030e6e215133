"""Reads a pack that is offered as a folder, a zip or a tar; names in it never become paths."""

from __future__ import annotations

import gzip
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
from engine.packs.manifest_fields import MOST_BYTES
from engine.packs.manifest_schema import LARGEST_MANIFEST, MANIFEST, MOST_FILES, PackFile
from engine.packs.manifest_schema import parse_manifest as parse
from engine.packs.pack import check_plain, read_pack

MAKER = "ask the maker of the pack"

_STEP = 1 << 20
_MOST_MEMBERS = 2 * MOST_FILES
_MOST_HEADERS = 8 << 20
_MOST_RATIO = 20
_SPARE = 64 << 20
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_GZIP = b"\x1f\x8b"
_DAMAGED = (
    zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, RecursionError,
    NotImplementedError, ValueError,
)  # fmt: skip

Open = Callable[[], IO[bytes]]


@dataclass(frozen=True)
class Offer:
    """A pack that is offered.

    Attributes:
        name: of the pack.
        manifest: the bytes of its `pack.json`.
        files: what the manifest says of each other file, in the order they are best read in.
        opened: opens each of them.
    """

    name: str
    manifest: bytes
    files: Mapping[str, PackFile]
    opened: Mapping[str, Open]


@contextmanager
def offered(path: Path, cancel: CancelToken) -> Iterator[Offer]:
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
        opened = {name: partial(_file, path / name) for name in pack.files}
        yield Offer(pack.name, (path / MANIFEST).read_bytes(), pack.files, opened)
        return
    check_plain(path)
    try:
        with path.open("rb") as file:
            yield from _in_archive(file, path, cancel)
    except _DAMAGED as error:
        raise BadInputError(f"a damaged archive ({error})", path, MAKER) from error


def _file(path: Path) -> IO[bytes]:
    return path.open("rb")


def _in_archive(file: BinaryIO, path: Path, cancel: CancelToken) -> Iterator[Offer]:
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            yield _offer(_zipped(archive, path), path)
        return
    file.seek(0)
    packed = file.read(len(_GZIP)) == _GZIP
    file.seek(0)
    stream = cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if packed else file
    rationed = _Rationed(stream, cancel)
    try:
        tape = tarfile.TarFile(fileobj=cast("IO[bytes]", rationed))
    except tarfile.ReadError as error:
        what = "neither the folder of a pack nor a zip, .tar or .tar.gz of one"
        raise BadInputError(what, path, "name one, or unpack it and name the folder") from error
    with tape:
        offer = _offer(_taped(tape, path), path)
        rationed.left = 2 * MOST_BYTES
        yield offer


def _zipped(archive: zipfile.ZipFile, path: Path) -> Iterator[tuple[str, Open]]:
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


def _taped(tape: tarfile.TarFile, path: Path) -> Iterator[tuple[str, Open]]:
    """Yields the files of a tar in their order; to find the next one, one is read over."""
    left = _SPARE + _MOST_RATIO * path.stat().st_size
    for member in tape:
        where = f"{path}: {member.name}"
        if member.issym() or member.islnk():
            raise BadInputError("a link in a pack", where, MAKER)
        left -= member.size
        if member.size < 0 or left < 0:
            raise BadInputError("an archive that says it holds far more than it is", where, MAKER)
        if member.isdir():
            continue
        if not member.isreg() or member.issparse():
            raise BadInputError("a pack holds something else than files", where, MAKER)
        yield member.name, partial(_extracted, tape, member)


def _extracted(tape: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    file = tape.extractfile(member)
    assert file is not None
    return file


def _offer(members: Iterable[tuple[str, Open]], path: Path) -> Offer:
    """Finds the manifest among the files of an archive and compares the others with it."""
    listed: list[tuple[str, Open]] = []
    for one in members:
        listed.append(one)
        if len(listed) > _MOST_MEMBERS:
            raise BadInputError("an archive with too many files for a pack", path, MAKER)
    roots = [name for name, _open in listed if name.split("/")[-1] == MANIFEST]
    roots = [name.removesuffix(MANIFEST) for name in roots if name.count("/") <= 1]
    if len(roots) != 1:
        raise BadInputError("no pack: one pack.json is needed in the archive", path, MAKER)
    opened: dict[str, Open] = {}
    for name, opener in listed:
        inside = name.removeprefix(roots[0])
        if inside in opened:
            raise BadInputError("an archive that holds a file twice", f"{path}: {inside}", MAKER)
        opened[inside] = opener
    with opened.pop(MANIFEST)() as stream:
        data = stream.read(LARGEST_MANIFEST + 1)
    manifest, files = parse(data, path / MANIFEST)
    for name in sorted(opened.keys() - files.keys()):
        raise BadInputError("a file that the pack does not name", f"{path}: {name}", MAKER)
    for name in sorted(files.keys() - opened.keys()):
        raise BadInputError("a file of the pack is missing", f"{path}: {name}", MAKER)
    return Offer(manifest.name, data, {name: files[name] for name in opened}, opened)


class _Rationed:
    """What a tar is read from: a tar of a few bytes may ask for any amount of headers.

    Attributes:
        left: bytes that may still be read; what is read over does not count.
    """

    def __init__(self, stream: IO[bytes], cancel: CancelToken) -> None:
        self._stream = stream
        self._cancel = cancel
        self.left = _MOST_HEADERS

    def read(self, size: int = -1) -> bytes:
        """Reads as a file does.

        Raises:
            BadInputError: it is more than is left.
        """
        self._cancel.check()
        self.left -= size
        if size < 0 or self.left < 0:
            raise BadInputError("a tar with an absurd header", "", MAKER)
        return self._stream.read(size)

    def seek(self, place: int) -> int:
        """Goes there in steps, because what is packed has to be unpacked on the way."""
        here = self._stream.tell()
        while here + _STEP < place:
            self._cancel.check()
            before, here = here, self._stream.seek(_STEP, 1)
            if here == before:
                return here
        return self._stream.seek(place)

    def tell(self) -> int:
        """Returns the place."""
        return self._stream.tell()
