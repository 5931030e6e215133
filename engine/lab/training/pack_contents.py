"""What a pack contains, to write it anew with more in it."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from engine.packs.manifest_schema import Manifest
from engine.packs.pack import Pack


def manifest_of(pack: Pack) -> Manifest:
    """Returns the manifest of a pack without its files."""
    return Manifest(**{field.name: getattr(pack, field.name) for field in fields(Manifest)})


def copy_files(pack: Pack, folder: Path) -> dict[str, Path | bytes]:
    """Copies the files of a pack, whose folder is about to be replaced.

    Args:
        pack: the pack.
        folder: gets the copies.

    Returns:
        The copies by their path inside the pack, as `write_pack` takes them.

    Raises:
        BadInputError: a file of the pack is not what its manifest says.
    """
    files: dict[str, Path | bytes] = {}
    for name in pack.files:
        copy = folder / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(pack.file(name).read_bytes())
        files[name] = copy
    return files
