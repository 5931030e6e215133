"""Packs on disk: finding, reading, checking against their hashes, and writing whole."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine.core.build import program
from engine.core.errors import BadInputError, ResourceError
from engine.core.progress import CancelToken, ProgressCallback, silent
from engine.media.hashing import hash_file
from engine.packs.manifest_fields import is_pack_name
from engine.packs.manifest_schema import (
    MANIFEST,
    MAX_FILES,
    MAX_MANIFEST_BYTES,
    PROMPTS,
    Manifest,
    PackFile,
    manifest_bytes,
    parse_manifest,
)
from engine.packs.pack_folders import pack_folders, weights_folders
from engine.packs.prompt_sets import PromptSet, load_prompts

_RESTORE = "import the pack again"
_MAX_HEADER_BYTES = 100 << 20  # The limit of the safetensors format itself for its header.
_MAX_FOLDER_DEPTH = 4  # Folders inside one another; as many parts as a path in a manifest may have.
_SCRATCH = ".packing-"
_LEFTOVER_AGE_S = 86_400.0  # A scratch folder a day old is no longer written to by anything.


@dataclass(frozen=True, kw_only=True)
class Pack(Manifest):
    """A pack in a folder.

    Attributes:
        folder: its path.
        files: path inside the folder -> what the manifest records, without `pack.json`.
        manifest_sha256: hash of `pack.json`, which holds the hashes of all other files.
    """

    folder: Path
    files: Mapping[str, PackFile]
    manifest_sha256: str

    @property
    def bytes(self) -> int:
        """Bytes that the files of the pack take on disk, without the base weights."""
        return sum(file.size for file in self.files.values())

    @property
    def missing_base(self) -> tuple[str, ...]:
        """Names of the folders of base weights that are not on this machine."""
        parents = weights_folders()
        names = sorted(set(self.backbone.folders.values()))
        return tuple(name for name in names if not any((one / name).is_dir() for one in parents))

    def file(
        self, name: str, cancel: CancelToken | None = None, progress: ProgressCallback = silent
    ) -> Path:
        """Returns the path of a file, after hashing it.

        Raises:
            BadInputError: the manifest does not name it, or it is missing, a link, of another
                size or hash, or weights that are not what their name says.
        """
        if name not in self.files:
            raise BadInputError(f"the pack {self.name} has no file {name}", self.folder, _RESTORE)
        recorded, path = self.files[name], self.folder / name
        check_plain(path)
        if path.stat().st_size != recorded.size:
            raise BadInputError("a file of another size than its pack says", path, _RESTORE)
        if hash_file(path, cancel=cancel, progress=progress)["sha256"] != recorded.sha256:
            raise BadInputError("a file with another hash than its pack says", path, _RESTORE)
        check_weights(path)
        return path

    def prompts(self) -> PromptSet:
        """Returns the pack's own prompt set.

        Raises:
            BadInputError: the file is not what the manifest says, or is no prompt set.
        """
        return load_prompts(self.file(PROMPTS))

    def base(self, role: str) -> Path:
        """Returns the folder of base weights that plays a role, after hashing what it must hold.

        Raises:
            BadInputError: the pack has no such role, or a file has another hash.
            ResourceError: the folder or a file is missing.
        """
        folder_name = self.backbone.folders.get(role)
        if folder_name is None:
            raise BadInputError(f"the pack {self.name} names no {role}", self.folder, _RESTORE)
        candidates = [parent / folder_name for parent in weights_folders()]
        folder = next((candidate for candidate in candidates if candidate.is_dir()), None)
        if folder is None:
            what = f"base weights {folder_name} of the pack {self.name} are missing"
            raise ResourceError(what, candidates[-1], "put their folder there")
        for name, sha256 in self.backbone.files.items():
            if not name.startswith(f"{folder_name}/"):
                continue
            path = folder.parent / name
            if not path.is_file():
                raise ResourceError("base weights are missing", path, "put the file there")
            if hash_file(path)["sha256"] != sha256:
                what = f"base weights other than those {self.name} was trained on"
                raise BadInputError(what, path, "use the release that the pack names")
        return folder

    def check(self, cancel: CancelToken | None = None, progress: ProgressCallback = silent) -> None:
        """Checks everything: each file, nothing beside them, and the prompts.

        Raises:
            BadInputError: something is wrong; the error names the first file that is.
        """
        for name in self.files:
            self.file(name, cancel, progress)
        self.prompts()


def read_pack(folder: Path) -> Pack:
    """Reads the pack in a folder and compares the names of the files there; hashes come later.

    Raises:
        BadInputError: the manifest is missing or unsound, a file is missing, the folder holds
            something else, a link or a special file.
    """
    path = folder / MANIFEST
    if not folder.is_dir() or not os.path.lexists(path):
        raise BadInputError("no pack: pack.json is missing", folder, "name the folder of a pack")
    check_plain(path)
    with path.open("rb") as file:
        data = file.read(MAX_MANIFEST_BYTES + 1)
    manifest, files = parse_manifest(data, path)
    names = set(_file_names(folder))
    for name in sorted(names - files.keys() - {MANIFEST}):
        raise BadInputError("a file that the pack does not name", folder / name, "remove it")
    for name in sorted(files.keys() - names):
        raise BadInputError("a file of the pack is missing", folder / name, _RESTORE)
    if folder.parent in pack_folders() and folder.name != manifest.name:
        what = f"a pack called {manifest.name} in a folder called {folder.name}"
        raise BadInputError(what, folder, "rename the folder")
    values = {name: getattr(manifest, name) for name in Manifest.__dataclass_fields__}
    digest = hashlib.sha256(data).hexdigest()
    return Pack(**values, folder=folder, files=files, manifest_sha256=digest)


def locate_pack(name_or_folder: str | Path) -> Path:
    """Returns the folder of a pack, by its name or as it was given; nothing in it is read.

    Raises:
        ResourceError: there is none.
    """
    text = str(name_or_folder)
    if isinstance(name_or_folder, str) and is_pack_name(text):
        for parent in pack_folders():
            if (parent / text).is_dir():
                return parent / text
    if Path(text).is_dir():
        return Path(text)
    raise ResourceError("no such pack", text, f"see {program()} packs list")


def find_pack(name_or_folder: str | Path) -> Pack:
    """Finds a pack by its name, or reads the one in a folder.

    Raises:
        BadInputError: there is one, but it is unsound.
        ResourceError: there is none.
    """
    return read_pack(locate_pack(name_or_folder))


def write_pack(folder: Path, manifest: Manifest, files: Mapping[str, Path | bytes]) -> Pack:
    """Writes a pack; it appears whole, in place of an older one, or not at all.

    Args:
        folder: becomes the pack; nothing, an empty folder or a pack lies there now.
        manifest: what the pack says of itself.
        files: path inside the pack -> a file to copy, or its bytes; `prompts.yaml` among them.

    Returns:
        The pack, read back and checked.

    Raises:
        BadInputError: the manifest or a file is unsound, or the folder holds something else.
    """
    with replacing_pack(folder) as part:
        recorded = {}
        for name, source in files.items():
            path = part / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(source, bytes):
                path.write_bytes(source)
            else:
                shutil.copyfile(source, path)
            recorded[name] = PackFile(hash_file(path)["sha256"], path.stat().st_size)
        (part / MANIFEST).write_bytes(manifest_bytes(manifest, recorded))
        read_pack(part).check()
    return read_pack(folder)


@contextmanager
def replacing_pack(folder: Path) -> Iterator[Path]:
    """Yields an empty folder beside `folder`, which takes its place at the end or vanishes.

    Raises:
        BadInputError: `folder` holds something that is no pack.
    """
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MANIFEST).is_file():
        raise BadInputError("a folder that holds something else", folder, "name another folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    _clear_leftovers(folder.parent)
    scratch = Path(tempfile.mkdtemp(dir=folder.parent, prefix=_SCRATCH))
    part, old = scratch / "new", scratch / "old"
    try:
        part.mkdir()
        yield part
        if folder.exists():
            folder.rename(old)
        try:
            part.rename(folder)
        except OSError:
            if old.exists():
                old.rename(folder)
            raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _clear_leftovers(parent: Path) -> None:
    """Removes scratch folders of writes that were killed, unless an older pack lies in one."""
    for leftover in parent.glob(f"{_SCRATCH}*"):
        age = time.time() - leftover.stat().st_mtime
        if age > _LEFTOVER_AGE_S and not (leftover / "old").exists():
            shutil.rmtree(leftover, ignore_errors=True)


def check_plain(path: Path) -> None:
    """Makes sure that a path is a regular file and no link.

    Raises:
        BadInputError: it is missing, a link, a folder or a special file.
    """
    try:
        mode = path.lstat().st_mode
    except OSError as error:
        what = f"a file of the pack cannot be read ({error.strerror})"
        raise BadInputError(what, path, _RESTORE) from error
    if stat.S_ISLNK(mode):
        raise BadInputError("a link in a pack", path, "put the file itself there")
    if not stat.S_ISREG(mode):
        raise BadInputError("a pack holds something else than files", path, "remove it")


def check_weights(path: Path) -> None:
    """Makes sure that weights are what their name says, before anything else reads them.

    Raises:
        BadInputError: a `.safetensors` or `.gguf` file is something else, as a pickle.
    """
    if path.suffix.lower() not in (".safetensors", ".gguf"):
        return
    with path.open("rb") as file:
        head = file.read(16)
    if path.suffix.lower() == ".gguf":
        is_sound = head.startswith(b"GGUF")
    else:
        length = int.from_bytes(head[:8], "little")
        is_sound = head[8:9] == b"{" and length <= min(_MAX_HEADER_BYTES, path.stat().st_size - 8)
    if not is_sound:
        is_pickle = head.startswith((b"\x80", b"PK\x03\x04"))
        what = "a pickle under the name of weights" if is_pickle else "weights of another kind"
        raise BadInputError(what, path, "ask the maker of the pack for safetensors or GGUF")


def _file_names(folder: Path, before: str = "") -> Iterator[str]:
    """Yields the paths of all files below a folder; links and special files are refused."""
    with os.scandir(folder) as entries:
        for count, entry in enumerate(entries):
            if count > MAX_FILES:
                what = f"more than {MAX_FILES} files in a pack"
                raise BadInputError(what, folder, "name the folder of a pack")
            if entry.is_dir(follow_symlinks=False):
                if before.count("/") > _MAX_FOLDER_DEPTH:
                    raise BadInputError("folders nested too deeply", entry.path, "remove them")
                yield from _file_names(Path(entry.path), f"{before}{entry.name}/")
            else:
                check_plain(Path(entry.path))
                yield before + entry.name
