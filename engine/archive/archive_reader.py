"""Reads an archive that nobody vouches for: everything is checked before and while it is used."""

from __future__ import annotations

import hashlib
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine.archive.archive_manifest import MANIFEST, HeldFile, Manifest
from engine.archive.member_names import check_distinct, fault_of
from engine.core.errors import BadInputError, ResourceError
from engine.core.progress import CancelToken, Progress, ProgressCallback
from engine.export.output_files import translated

_LARGEST_MANIFEST = 256 << 20
_BLOCK = 1 << 20
_ROOM = 64 << 20
"""Bytes of disk beyond the files themselves, for the database's own log."""

_DISTRUST = "do not trust it; ask for the archive again"
_ENCRYPTED = 0x1
_DAMAGED = (
    zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, struct.error,
    zlib.error,
)  # fmt: skip


@dataclass(frozen=True)
class Archive:
    """An archive whose names, sizes and manifest fit each other; its contents are not read yet.

    Attributes:
        path: the file.
        manifest: what it says about itself.
        manifest_sha256: of the manifest's bytes.
    """

    path: Path
    manifest: Manifest
    manifest_sha256: str
    _zip: zipfile.ZipFile

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(one.size for one in self.manifest.files)

    def check_room(self, folder: Path) -> None:
        """Makes sure that the files fit on a disk.

        Raises:
            ResourceError: they do not.
        """
        with translated(folder):
            free = shutil.disk_usage(folder).free
        if free < self.size + _ROOM:
            needed = f"{(self.size + _ROOM) / 1e6:,.0f} MB are needed, {free / 1e6:,.0f} MB free"
            raise ResourceError(f"the disk has no room for it ({needed})", folder, "free space")

    def extract(self, folder: Path, cancel: CancelToken, progress: ProgressCallback) -> None:
        """Writes all files below a folder and compares each with its hash.

        Raises:
            BadInputError: a file is not what the manifest says; it is named.
            ResourceError: the disk is full.
            CancelledError: the user stopped.
        """
        done = 0
        for one in self.manifest.files:
            target = folder.joinpath(*one.path.split("/"))
            with translated(target), _damage(self.path, one.path):
                target.parent.mkdir(parents=True, exist_ok=True)
                for count in self._copy(one, target):
                    cancel.check()
                    done += count
                    progress(Progress("unpacking", done, self.size, unit="bytes"))

    def _copy(self, one: HeldFile, target: Path) -> Iterator[int]:
        digest, left = hashlib.sha256(), one.size
        with self._zip.open(one.path) as source, target.open("xb") as file:
            while block := source.read(_BLOCK):
                left -= len(block)
                if left < 0:
                    break
                digest.update(block)
                file.write(block)
                yield len(block)
        if left or digest.hexdigest() != one.sha256:
            raise BadInputError(
                f"a file in the archive is not what its manifest says: {one.path}",
                self.path,
                _DISTRUST,
            )


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Opens an archive and checks everything that can be checked without reading its files.

    Raises:
        BadInputError: it is no archive of a case, is damaged, or holds what no archive of
            Sightline holds: absolute paths, paths that lead out, links, compressed or encrypted
            files, names that clash, files that the manifest does not name.
    """
    try:
        opened = zipfile.ZipFile(path)
    except FileNotFoundError as error:
        raise BadInputError("no such archive", path, "check the path") from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise BadInputError(f"cannot be read ({reason})", path, "check the file") from error
    except _DAMAGED as error:
        raise BadInputError(f"not an archive ({error})", path, "give a .zip of archive") from error
    with opened:
        entries = opened.infolist()
        for entry in entries:
            fault = _fault(entry)
            if fault:
                raise BadInputError(
                    f"an archive with {fault}: {entry.orig_filename}", path, _DISTRUST
                )
        check_distinct([entry.filename for entry in entries], path)
        size = path.stat().st_size
        if sum(entry.file_size for entry in entries) > size:
            raise BadInputError("an archive that says it holds more than it is", path, _DISTRUST)
        manifest, sha256 = _manifest(opened, path)
        _compare(entries, manifest, path)
        yield Archive(path, manifest, sha256, opened)


def _fault(entry: zipfile.ZipInfo) -> str:
    """Says why an entry is none of an archive of Sightline; empty when it may be one."""
    fault = fault_of(entry.orig_filename)
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "a link"
    if fault:
        return fault
    if kind not in (0, stat.S_IFREG) or entry.is_dir():
        return "something that is no file"
    if entry.flag_bits & _ENCRYPTED:
        return "an encrypted file"
    if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
        return "a compressed file, which might grow without end"
    return ""


def _manifest(opened: zipfile.ZipFile, path: Path) -> tuple[Manifest, str]:
    try:
        info = opened.getinfo(MANIFEST)
    except KeyError:
        raise BadInputError(
            f"not an archive of a case, there is no {MANIFEST} in it",
            path,
            "give a .zip of archive",
        ) from None
    if info.file_size > _LARGEST_MANIFEST:
        raise BadInputError("an archive with an absurd manifest", path, _DISTRUST)
    with _damage(path, MANIFEST):
        data = opened.read(info)
    return Manifest.decode(data, path), hashlib.sha256(data).hexdigest()


def _compare(entries: list[zipfile.ZipInfo], manifest: Manifest, path: Path) -> None:
    there = {entry.filename: entry.file_size for entry in entries if entry.filename != MANIFEST}
    said = {one.path: one.size for one in manifest.files}
    if len(said) != len(manifest.files):
        raise BadInputError("a manifest that names a file twice", path, _DISTRUST)
    for name in sorted(there.keys() ^ said.keys()):
        what = "a file the manifest does not name" if name in there else "a file missing"
        raise BadInputError(f"an archive with {what}: {name}", path, _DISTRUST)
    for name, size in said.items():
        if there[name] != size:
            raise BadInputError(f"an archive with a file of another size: {name}", path, _DISTRUST)
    for one in manifest.evidence:
        inside = one.held is None or any(
            name == one.held or name.startswith(f"{one.held}/") for name in said
        )
        if not inside:
            raise BadInputError(
                f"an archive without evidence it names: {one.name}", path, _DISTRUST
            )


@contextmanager
def _damage(path: Path, name: str) -> Iterator[None]:
    try:
        yield
    except _DAMAGED as error:
        raise BadInputError(f"an archive with a damaged file: {name}", path, _DISTRUST) from error
