"""The packs that are there, and the results of checking one."""

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
from engine.packs.pack_memory import Machine, fits_machine, memory_text, this_machine


@dataclass(frozen=True)
class ListedPack:
    """A folder among the packs, whether a sound pack lies in it or not.

    Attributes:
        name: of the folder.
        folder: its path.
        shipped: whether it came with the program.
        pack: what its manifest says; None when that is unsound.
        error: why the pack cannot be read; None when it can be.
    """

    name: str
    folder: Path
    shipped: bool
    pack: Pack | None
    error: SightlineError | None

    def as_json(self, machine: Machine) -> dict[str, Any]:
        """Returns plain JSON values, with the memory of the pack compared with the machine's."""
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
            plain["fits"] = fits_machine(self.pack.memory, machine)
            plain["memory_text"] = memory_text(self.pack.memory, machine)
        return plain


def list_packs() -> tuple[ListedPack, ...]:
    """Lists the packs in all folders, shipped ones first, each folder by name."""
    packs: list[ListedPack] = []
    for shipped, parent in zip((True, False), pack_folders(), strict=True):
        folders = sorted(parent.iterdir()) if parent.is_dir() else []
        for folder in folders:
            if folder.name.startswith(".") or not folder.is_dir():
                continue
            try:
                pack = read_pack(folder)
            except (SightlineError, OSError) as error:
                packs.append(
                    ListedPack(folder.name, folder, shipped, None, _own_error(error, folder))
                )
            else:
                packs.append(ListedPack(folder.name, folder, shipped, pack, None))
    return tuple(packs)


def packs_json() -> dict[str, Any]:
    """Returns the packs in all folders and what this machine has for them, for JSON."""
    machine = this_machine()
    return {
        "packs": [pack.as_json(machine) for pack in list_packs()],
        "folders": [str(folder) for folder in pack_folders()],
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
    """The result of checking a pack.

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
                {"name": file.name, "sha256": file.sha256, "ok": file.error is None}
                for file in self.files
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
        problem = None
        try:
            pack.file(name, cancel, progress)
        except BadInputError as error:
            problem = error.line()
            problems.append(problem)
        files.append(CheckedFile(name, recorded.sha256, problem))
    checks: list[Callable[[], object]] = [] if problems else [pack.prompts]
    checks += [partial(pack.base, role) for role in pack.backbone.folders]
    for check in checks:
        try:
            check()
        except SightlineError as error:
            problems.append(error.line())
    return CheckedPack(pack.name, pack.version, folder, tuple(files), tuple(problems))


def _own_error(error: SightlineError | OSError, folder: Path) -> SightlineError:
    if isinstance(error, SightlineError):
        return error
    return BadInputError(f"cannot be read ({error.strerror})", folder / MANIFEST, "check it")
