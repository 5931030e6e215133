"""Brings a pack in from a folder or a zip; nothing of it is used before all of it was checked."""

from __future__ import annotations

import hashlib
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from engine.core.errors import BadInputError, ResourceError
from engine.core.progress import CancelToken, Progress, Report, silent
from engine.packs.description import LARGEST_MANIFEST, MANIFEST, MOST_FILES, PackFile
from engine.packs.description import parse_manifest as parse
from engine.packs.locations import pack_folders, user_packs
from engine.packs.manifest import Pack, check_plain, read_pack, staged

_BLOCK = 1 << 20
_SPARE = 64 << 20
_MOST_MEMBERS = 2 * MOST_FILES
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_MAKER = "ask the maker of the pack"


class _Opener(Protocol):
    def __call__(self, name: str) -> IO[bytes]: ...


@dataclass(frozen=True)
class _Offer:
    """A pack that is offered: what its manifest says, and how to read its files."""

    name: str
    manifest: bytes
    files: Mapping[str, PackFile]
    open: _Opener


def import_pack(path: Path, cancel: CancelToken | None = None, report: Report = silent) -> Pack:
    """Copies a pack into the user's folder of packs and checks it there.

    It takes its name only when every file has the hash its manifest says.

    Args:
        path: the folder of a pack, or a zip of one.
        cancel: looked at between blocks.
        report: told the bytes copied so far.

    Returns:
        The pack in its new place.

    Raises:
        BadInputError: it is no pack, something about it is unsound, or one of that name is there.
        ResourceError: there is no room for it.
        CancelledError: the user stopped; nothing of it stays.
    """
    with _offered(path) as offer:
        for place in pack_folders():
            if (place / offer.name).exists():
                shipped = place != user_packs()
                remedy = "give yours another name" if shipped else "remove that folder first"
                what = f"a pack called {offer.name} is there already"
                raise BadInputError(what, place / offer.name, remedy)
        target = user_packs() / offer.name
        _check_room(sum(one.size for one in offer.files.values()), target)
        with staged(target) as part:
            (part / MANIFEST).write_bytes(offer.manifest)
            _copy_all(offer, part, cancel or CancelToken(), report)
            read_pack(part).check(cancel)
    return read_pack(target)


@contextmanager
def _offered(path: Path) -> Iterator[_Offer]:
    if path.is_dir():
        pack = read_pack(path)
        data = (path / MANIFEST).read_bytes()
        yield _Offer(pack.name, data, pack.files, lambda name: (path / name).open("rb"))
        return
    check_plain(path)
    if not zipfile.is_zipfile(path):
        raise BadInputError("neither the folder of a pack nor a zip", path, "name one")
    try:
        with zipfile.ZipFile(path) as archive:
            yield _in_zip(archive, path)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise BadInputError(f"a damaged zip ({error})", path, _MAKER) from error


def _in_zip(archive: zipfile.ZipFile, path: Path) -> _Offer:
    """Reads the manifest of a zipped pack and compares the members with it, unpacking nothing."""
    members = [one for one in archive.infolist() if not one.is_dir()]
    if len(members) > _MOST_MEMBERS:
        raise BadInputError("a zip with too many files for a pack", path, _MAKER)
    roots = [one.filename for one in members if one.filename.split("/")[-1:] == [MANIFEST]]
    roots = [one.removesuffix(MANIFEST) for one in roots if one.count("/") <= 1]
    if len(roots) != 1:
        raise BadInputError("no pack: one pack.json is needed in the zip", path, _MAKER)
    root, by_name = roots[0], dict[str, zipfile.ZipInfo]()
    for member in members:
        _check_member(member, path)
        name = member.filename.removeprefix(root)
        if name in by_name:
            raise BadInputError("a zip that holds a file twice", f"{path}: {name}", _MAKER)
        by_name[name] = member
    with archive.open(by_name.pop(MANIFEST)) as stream:
        data = stream.read(LARGEST_MANIFEST + 1)
    manifest, files = parse(data, path / MANIFEST)
    for name in sorted(by_name.keys() - files.keys()):
        raise BadInputError("a file that the pack does not name", f"{path}: {name}", _MAKER)
    for name in sorted(files.keys() - by_name.keys()):
        raise BadInputError("a file of the pack is missing", f"{path}: {name}", _MAKER)
    return _Offer(manifest.name, data, files, lambda name: archive.open(by_name[name]))


def _check_member(member: zipfile.ZipInfo, path: Path) -> None:
    where = f"{path}: {member.filename}"
    if stat.S_ISLNK(member.external_attr >> 16):
        raise BadInputError("a link in a pack", where, _MAKER)
    if member.flag_bits & 1:
        raise BadInputError("an encrypted zip", where, "unpack it first and import the folder")
    if member.compress_type not in _METHODS:
        raise BadInputError("a zip packed in an unusual way", where, "unpack it and import that")


def _copy_all(offer: _Offer, part: Path, cancel: CancelToken, report: Report) -> None:
    total, done = sum(one.size for one in offer.files.values()), 0
    for name, recorded in offer.files.items():
        target = part / name
        target.parent.mkdir(parents=True, exist_ok=True)
        digest, copied = hashlib.sha256(), 0
        with offer.open(name) as source, target.open("wb") as out:
            while block := source.read(_BLOCK):
                cancel.check()
                copied += len(block)
                # A small zip can unpack to anything; it may not exceed what was announced.
                if copied > recorded.size:
                    raise BadInputError("a file larger than its pack says", name, _MAKER)
                digest.update(block)
                out.write(block)
                report(Progress("copying", done + copied, total, unit="bytes"))
        if copied != recorded.size or digest.hexdigest() != recorded.sha256:
            raise BadInputError("a file with another hash than its pack says", name, _MAKER)
        done += copied


def _check_room(size: int, target: Path) -> None:
    place = next(one for one in target.parents if one.exists())
    if shutil.disk_usage(place).free < size + _SPARE:
        what = f"not enough room for a pack of {size:,} bytes"
        raise ResourceError(what, place, "free some and import again")
