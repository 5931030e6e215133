"""All packs that are there, and what checking one found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from engine.core.errors import BadInputError, SightlineError
from engine.core.progress import CancelToken, ProgressCallback, silent
from engine.packs.manifest_schema import MANIFEST
from engine.packs.pack import Pack, locate_pack, read_pack
from engine.packs.pack_folders import pack_folders
from engine.packs.pack_memory import Machine, fits, said, this_machine


@dataclass(frozen=True)
class Listed:
    """A pack that is there, sound or not.

    Attributes:
        name: of its folder.
        folder: where it lies.
        shipped: whether it came with the program.
        pack: what its manifest says; None when that is unsound.
        error: why; None when there is none.
    """

    name: str
    folder: Path
    shipped: bool
    pack: Pack | None
    error: SightlineError | None

    def as_json(self, machine: Machine) -> dict[str, Any]:
        """Returns plain JSON values, with what the pack needs against what is there."""
        plain: dict[str, Any] = {
            "name": self.name,
            "folder": str(self.folder),
            "shipped": self.shipped,
            "error": None if self.error is None else self.error.line(),
        }
        if self.pack is not None:
            plain |= self.pack.as_json()
            plain["backbone"] = plain["backbone"]["name"]
            plain["bytes"] = self.pack.bytes
            plain["missing_base"] = list(self.pack.missing_base)
            plain["fits"] = fits(self.pack.memory, machine)
            plain["memory_text"] = said(self.pack.memory, machine)
        return plain


def list_packs() -> tuple[Listed, ...]:
    """Lists the packs in all folders, shipped ones first, each folder by name."""
    found: list[Listed] = []
    for shipped, place in zip((True, False), pack_folders(), strict=True):
        folders = sorted(place.iterdir()) if place.is_dir() else []
        for folder in folders:
            if folder.name.startswith(".") or not folder.is_dir():
                continue
            try:
                pack = read_pack(folder)
            except (SightlineError, OSError) as error:
                found.append(Listed(folder.name, folder, shipped, None, _as_ours(error, folder)))
            else:
                found.append(Listed(folder.name, folder, shipped, pack, None))
    return tuple(found)


def packs_json() -> dict[str, Any]:
    """Returns the packs in all folders and what this machine has for them, for JSON."""
    machine = this_machine()
    return {
        "packs": [one.as_json(machine) for one in list_packs()],
        "folders": [str(one) for one in pack_folders()],
        "memory": {"total": machine.total, "free": machine.free, "gpu": machine.gpu},
    }


@dataclass(frozen=True)
class CheckedFile:
    """A file of a pack, compared with the manifest.

    Attributes:
        name: path inside the pack.
        sha256: as recorded.
        error: what is wrong with it; None when it is as recorded.
    """

    name: str
    sha256: str
    error: str | None


@dataclass(frozen=True)
class CheckedPack:
    """What checking a pack found.

    Attributes:
        name: of the pack.
        version: None when the manifest is unsound.
        folder: where it lies.
        files: every file that the manifest names.
        problems: everything that is wrong, a line each; empty when nothing is.
    """

    name: str
    version: str | None
    folder: Path
    files: tuple[CheckedFile, ...]
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether the pack is as its manifest says and can be used."""
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return {
            "ok": self.ok,
            "name": self.name,
            "version": self.version,
            "folder": str(self.folder),
            "files": [
                {"name": one.name, "sha256": one.sha256, "ok": one.error is None}
                for one in self.files
            ],
            "problems": list(self.problems),
        }


def check_pack(
    name_or_folder: str | Path,
    cancel: CancelToken | None = None,
    progress: ProgressCallback = silent,
) -> CheckedPack:
    """Checks a pack completely: its files, its prompts, and the base weights it was trained on.

    Raises:
        ResourceError: there is no such pack.
        CancelledError: the user stopped.
    """
    folder = locate_pack(name_or_folder)
    try:
        pack = read_pack(folder)
    except BadInputError as error:
        return CheckedPack(folder.name, None, folder, (), (error.line(),))
    problems: list[str] = []
    files = []
    for name, recorded in pack.files.items():
        wrong = None
        try:
            pack.file(name, cancel, progress)
        except BadInputError as error:
            wrong = error.line()
            problems.append(wrong)
        files.append(CheckedFile(name, recorded.sha256, wrong))
    checks: list[Callable[[], object]] = [] if problems else [pack.prompts]
    checks += [partial(pack.base, role) for role in pack.backbone.folders]
    for check in checks:
        try:
            check()
        except SightlineError as error:
            problems.append(error.line())
    return CheckedPack(pack.name, pack.version, folder, tuple(files), tuple(problems))


def _as_ours(error: SightlineError | OSError, folder: Path) -> SightlineError:
    if isinstance(error, SightlineError):
        return error
    return BadInputError(f"cannot be read ({error.strerror})", folder / MANIFEST, "check it")
