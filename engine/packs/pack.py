"""Packs on disk: found, read, checked against their hashes, and written whole."""

from __future__ import annotations

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
    LARGEST_MANIFEST,
    MANIFEST,
    MOST_FILES,
    PROMPTS,
    BackboneUse,
    Grid,
    Manifest,
    Memory,
    Metric,
    PackFile,
    Part,
    Training,
    manifest_bytes,
    parse_manifest,
)
from engine.packs.pack_folders import pack_folders, weights_folders
from engine.packs.prompt_sets import PromptSet, load_prompts

__all__ = [
    "BackboneUse",
    "Grid",
    "Manifest",
    "Memory",
    "Metric",
    "Pack",
    "PackFile",
    "Part",
    "Training",
    "find_pack",
    "locate_pack",
    "read_pack",
    "write_pack",
]

_RESTORE = "import the pack again"
_LARGEST_HEADER = 100 << 20
_DEEPEST = 4
_SCRATCH = ".packing-"
_LEFT_S = 86_400.0


@dataclass(frozen=True, kw_only=True)
class Pack(Manifest):
    """A pack in a folder.

    Attributes:
        folder: where it lies.
        files: path inside the folder -> what the manifest records, without `pack.json`.
    """

    folder: Path
    files: Mapping[str, PackFile]

    @property
    def bytes(self) -> int:
        """What its files take on disk, without the base weights."""
        return sum(one.size for one in self.files.values())

    @property
    def missing_base(self) -> tuple[str, ...]:
        """Names of the folders of base weights that are not on this machine."""
        places = weights_folders()
        named = sorted(set(self.backbone.folders.values()))
        return tuple(one for one in named if not any((place / one).is_dir() for place in places))

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
        folder = self.backbone.folders.get(role)
        if folder is None:
            raise BadInputError(f"the pack {self.name} names no {role}", self.folder, _RESTORE)
        places = [one / folder for one in weights_folders()]
        found = next((one for one in places if one.is_dir()), None)
        if found is None:
            what = f"base weights {folder} of the pack {self.name} are missing"
            raise ResourceError(what, places[-1], "put their folder there")
        for name, sha256 in self.backbone.files.items():
            if not name.startswith(f"{folder}/"):
                continue
            path = found.parent / name
            if not path.is_file():
                raise ResourceError("base weights are missing", path, "put the file there")
            if hash_file(path)["sha256"] != sha256:
                what = f"base weights other than those {self.name} was trained on"
                raise BadInputError(what, path, "use the release that the pack names")
        return found

    def check(self, cancel: CancelToken | None = None, progress: ProgressCallback = silent) -> None:
        """Checks everything: each file, nothing beside them, and the prompts.

        Raises:
            BadInputError: something is wrong; the error names the first file that is.
        """
        for name in self.files:
            self.file(name, cancel, progress)
        self.prompts()


def read_pack(folder: Path) -> Pack:
    """Reads the pack in a folder; files are there and nothing beside them, hashes come later.

    Raises:
        BadInputError: the manifest is missing or unsound, a file is missing, the folder holds
            something else, a link or a special file.
    """
    path = folder / MANIFEST
    if not folder.is_dir() or not os.path.lexists(path):
        raise BadInputError("no pack: pack.json is missing", folder, "name the folder of a pack")
    check_plain(path)
    with path.open("rb") as file:
        manifest, files = parse_manifest(file.read(LARGEST_MANIFEST + 1), path)
    found = set(_names(folder))
    for name in sorted(found - files.keys() - {MANIFEST}):
        raise BadInputError("a file that the pack does not name", folder / name, "remove it")
    for name in sorted(files.keys() - found):
        raise BadInputError("a file of the pack is missing", folder / name, _RESTORE)
    if folder.parent in pack_folders() and folder.name != manifest.name:
        what = f"a pack called {manifest.name} in a folder called {folder.name}"
        raise BadInputError(what, folder, "rename the folder")
    return as_pack(manifest, folder, files)


def as_pack(manifest: Manifest, folder: Path, files: Mapping[str, PackFile]) -> Pack:
    """Returns a manifest with the folder and the files it speaks of."""
    values = {one: getattr(manifest, one) for one in Manifest.__dataclass_fields__}
    return Pack(**values, folder=folder, files=dict(files))


def locate_pack(name_or_folder: str | Path) -> Path:
    """Returns the folder of a pack, by its name or as it was given; nothing in it is read.

    Raises:
        ResourceError: there is none.
    """
    word = str(name_or_folder)
    if isinstance(name_or_folder, str) and is_pack_name(word):
        for place in pack_folders():
            if (place / word).is_dir():
                return place / word
    if Path(word).is_dir():
        return Path(word)
    raise ResourceError("no such pack", word, f"see {program()} packs list")


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
    with staged(folder) as part:
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
def staged(folder: Path) -> Iterator[Path]:
    """Gives an empty folder beside `folder` that takes its name at the end, or vanishes.

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


def _clear_leftovers(place: Path) -> None:
    """Removes what writes that were killed left behind, unless an older pack lies in it."""
    for left in place.glob(f"{_SCRATCH}*"):
        if time.time() - left.stat().st_mtime > _LEFT_S and not (left / "old").exists():
            shutil.rmtree(left, ignore_errors=True)


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
        sound = head.startswith(b"GGUF")
    else:
        length = int.from_bytes(head[:8], "little")
        sound = head[8:9] == b"{" and length <= min(_LARGEST_HEADER, path.stat().st_size - 8)
    if not sound:
        pickled = head.startswith((b"\x80", b"PK\x03\x04"))
        what = "a pickle under the name of weights" if pickled else "weights of another kind"
        raise BadInputError(what, path, "ask the maker of the pack for safetensors or GGUF")


def _names(folder: Path, before: str = "") -> Iterator[str]:
    """Yields the paths of all files below a folder; links and special files are refused."""
    with os.scandir(folder) as entries:
        for count, entry in enumerate(entries):
            if count > MOST_FILES:
                what = f"more than {MOST_FILES} files in a pack"
                raise BadInputError(what, folder, "name the folder of a pack")
            if entry.is_dir(follow_symlinks=False):
                if before.count("/") > _DEEPEST:
                    raise BadInputError("folders nested too deeply", entry.path, "remove them")
                yield from _names(Path(entry.path), f"{before}{entry.name}/")
            else:
                check_plain(Path(entry.path))
                yield before + entry.name
