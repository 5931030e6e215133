"""Reads untrusted archives: everything is checked before and while it is used."""

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

from engine.archive.archive_manifest import MANIFEST, ArchiveManifest, MemberFile
from engine.archive.member_names import check_distinct, distrust, fault_of, is_stored
from engine.core.errors import BadInputError, ResourceError
from engine.core.files import reason_of, require_regular_file, translated_write_errors
from engine.core.progress import CancelToken, Progress, ProgressCallback
from engine.export.output_files import read_blocks

_MAX_MANIFEST_BYTES = 256 << 20  # Bounds memory: enough to name over a million files.
_EXTRA_BYTES = 64 << 20
"""Bytes of disk that are needed beyond the files themselves, for the write-ahead log."""

_ENCRYPTED_FLAG = 0x1  # Bit 0 of the general purpose flags (ZIP application note, 4.4.4).
_DAMAGE_ERRORS = (
    zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, struct.error,
    zlib.error,
)  # fmt: skip


@dataclass(frozen=True)
class Archive:
    """An open archive whose names, sizes and manifest agree; its files are not read yet.

    Attributes:
        path: path of the archive.
        manifest: its manifest.
        manifest_sha256: SHA-256 of the bytes of the manifest.
    """

    path: Path
    manifest: ArchiveManifest
    manifest_sha256: str
    _zip: zipfile.ZipFile

    @property
    def size(self) -> int:
        """Size of all files in bytes."""
        return sum(file.size for file in self.manifest.files)

    def check_room(self, folder: Path) -> None:
        """Makes sure that the files fit on the disk of a folder.

        Raises:
            ResourceError: they do not fit.
        """
        with translated_write_errors(folder):
            free = shutil.disk_usage(folder).free
        needed = self.size + _EXTRA_BYTES
        if free < needed:
            sizes = f"{needed / 1e6:,.0f} MB are needed, {free / 1e6:,.0f} MB free"
            raise ResourceError(f"the disk has no room for it ({sizes})", folder, "free space")

    def extract(self, folder: Path, cancel: CancelToken, progress: ProgressCallback) -> None:
        """Writes all files into a folder and compares each with its hash.

        Raises:
            BadInputError: a file is not what the manifest says; it is named.
            ResourceError: the disk is full.
            CancelledError: the user stopped.
        """
        done = 0
        for file in self.manifest.files:
            target = folder.joinpath(*file.path.split("/"))
            with translated_write_errors(target), _damage(self.path, file.path):
                target.parent.mkdir(parents=True, exist_ok=True)
                for count in self._copy(file, target):
                    cancel.check()
                    done += count
                    progress(Progress("unpacking", done, self.size, unit="bytes"))

    def _copy(self, member: MemberFile, target: Path) -> Iterator[int]:
        digest, left = hashlib.sha256(), member.size
        with self._zip.open(member.path) as source, target.open("xb") as file:
            for block in read_blocks(source):
                left -= len(block)
                if left < 0:
                    break
                digest.update(block)
                file.write(block)
                yield len(block)
        if left or digest.hexdigest() != member.sha256:
            what = f"a file in the archive is not what its manifest says: {member.path}"
            raise distrust(what, self.path)


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Opens an archive and checks everything that can be checked without reading its files.

    Raises:
        BadInputError: it is no archive of a case, is damaged, or holds what no archive of
            Sightline holds: absolute paths, paths that lead out, links, compressed or encrypted
            files, names that clash, files that the manifest does not name.
    """
    try:
        require_regular_file(path)
        opened = zipfile.ZipFile(path)
    except FileNotFoundError as error:
        raise BadInputError("no such archive", path, "check the path") from error
    except OSError as error:
        what = f"cannot be read ({reason_of(error)})"
        raise BadInputError(what, path, "check the file") from error
    except _DAMAGE_ERRORS as error:
        raise BadInputError(f"not an archive ({error})", path, "give a .zip of archive") from error
    with opened:
        entries = opened.infolist()
        for entry in entries:
            if fault := _fault(entry):
                raise distrust(f"an archive with {fault}: {entry.orig_filename}", path)
        check_distinct([entry.filename for entry in entries], path)
        size = path.stat().st_size
        if sum(entry.file_size for entry in entries) > size:
            raise distrust("an archive that says it holds more than it is", path)
        manifest, sha256 = _manifest(opened, path)
        _compare(entries, manifest, path)
        yield Archive(path, manifest, sha256, opened)


def _fault(entry: zipfile.ZipInfo) -> str:
    """Returns why an entry cannot be of an archive of Sightline; empty when it can."""
    fault = fault_of(entry.orig_filename)
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "a link"
    if fault:
        return fault
    if kind not in (0, stat.S_IFREG) or entry.is_dir():
        return "something that is no file"
    if entry.flag_bits & _ENCRYPTED_FLAG:
        return "an encrypted file"
    if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
        return "a compressed file, which might grow without end"
    return ""


def _manifest(opened: zipfile.ZipFile, path: Path) -> tuple[ArchiveManifest, str]:
    try:
        info = opened.getinfo(MANIFEST)
    except KeyError:
        what = f"not an archive of a case, there is no {MANIFEST} in it"
        raise BadInputError(what, path, "give a .zip of archive") from None
    if info.file_size > _MAX_MANIFEST_BYTES:
        raise distrust("an archive with an absurd manifest", path)
    with _damage(path, MANIFEST):
        data = opened.read(info)
    return ArchiveManifest.decode(data, path), hashlib.sha256(data).hexdigest()


def _compare(entries: list[zipfile.ZipInfo], manifest: ArchiveManifest, path: Path) -> None:
    stored = {entry.filename: entry.file_size for entry in entries if entry.filename != MANIFEST}
    sizes = {file.path: file.size for file in manifest.files}
    if len(sizes) != len(manifest.files):
        raise distrust("a manifest that names a file twice", path)
    for name in sorted(stored.keys() ^ sizes.keys()):
        what = "a file the manifest does not name" if name in stored else "a file missing"
        raise distrust(f"an archive with {what}: {name}", path)
    for name, size in sizes.items():
        if stored[name] != size:
            raise distrust(f"an archive with a file of another size: {name}", path)
    for evidence in manifest.evidence:
        if evidence.held is not None and not is_stored(evidence.held, sizes):
            raise distrust(f"an archive without evidence it names: {evidence.name}", path)


@contextmanager
def _damage(path: Path, name: str) -> Iterator[None]:
    try:
        yield
    except _DAMAGE_ERRORS as error:
        raise distrust(f"an archive with a damaged file: {name}", path) from error
