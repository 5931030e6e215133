"""Brings a pack in from a folder or an archive; nothing of it is used before all was checked."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from engine.core.errors import BadInputError, ResourceError
from engine.core.progress import CancelToken, Progress, ProgressCallback, silent
from engine.packs.manifest_schema import MANIFEST
from engine.packs.pack import Pack, read_pack, replacing_pack
from engine.packs.pack_archives import MAKER, PackArchive, open_pack_archive
from engine.packs.pack_folders import pack_folders, user_packs

_BLOCK_BYTES = 1 << 20  # Copied between two looks at the cancel token; some milliseconds.
_SPARE_BYTES = 64 << 20  # Left free on the disk, for the case and the system to go on with.


def import_pack(
    path: Path, cancel: CancelToken | None = None, progress: ProgressCallback = silent
) -> Pack:
    """Copies a pack into the user's folder of packs and checks it there.

    It takes its name only when every file has the hash its manifest says.

    Args:
        path: the folder of a pack, or a zip, .tar or .tar.gz of one.
        cancel: looked at between blocks.
        progress: gets the bytes copied so far.

    Returns:
        The pack in its new folder.

    Raises:
        BadInputError: it is no pack, something about it is unsound, or one of that name is there.
        ResourceError: there is no room for it.
        CancelledError: the user stopped; nothing of it stays.
    """
    cancel = cancel or CancelToken()
    with open_pack_archive(path, cancel) as archive:
        for folder in pack_folders():
            if (folder / archive.name).exists():
                shipped = folder != user_packs()
                remedy = "give yours another name" if shipped else "remove that folder first"
                what = f"a pack called {archive.name} is there already"
                raise BadInputError(what, folder / archive.name, remedy)
        target = user_packs() / archive.name
        _check_room(sum(file.size for file in archive.files.values()), target)
        with replacing_pack(target) as part:
            (part / MANIFEST).write_bytes(archive.manifest)
            _copy_all(archive, part, cancel, progress)
            read_pack(part).check(cancel)
    return read_pack(target)


def _copy_all(
    archive: PackArchive, part: Path, cancel: CancelToken, progress: ProgressCallback
) -> None:
    total, done = sum(file.size for file in archive.files.values()), 0
    for name, recorded in archive.files.items():
        target = part / name
        target.parent.mkdir(parents=True, exist_ok=True)
        digest, copied = hashlib.sha256(), 0
        with archive.openers[name]() as source, target.open("wb") as out:
            while block := source.read(_BLOCK_BYTES):
                cancel.check()
                copied += len(block)
                # A small archive can unpack to anything; it may not exceed what was announced.
                if copied > recorded.size:
                    raise BadInputError("a file larger than its pack says", name, MAKER)
                digest.update(block)
                out.write(block)
                progress(Progress("copying", done + copied, total, unit="bytes"))
        if copied != recorded.size or digest.hexdigest() != recorded.sha256:
            raise BadInputError("a file with another hash than its pack says", name, MAKER)
        done += copied


def _check_room(size: int, target: Path) -> None:
    folder = next(parent for parent in target.parents if parent.exists())
    if shutil.disk_usage(folder).free < size + _SPARE_BYTES:
        what = f"not enough room for a pack of {size:,} bytes"
        raise ResourceError(what, folder, "free some and import again")
