"""The manifest of a pack, read strictly and written reproducibly."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from engine.core.errors import BadInputError
from engine.core.json_input import (
    NestedTooDeeplyError,
    Rule,
    max_entries,
    parse_json,
    read_json,
    within,
)
from engine.packs.manifest_fields import (
    MAX_BYTES,
    MAX_ENTRIES,
    Count,
    FolderName,
    Line,
    Option,
    PackName,
    Sha256,
    Text,
    Version,
    is_inner_path,
)

FORMAT = 1
"""Version of the manifest that this program writes, and the newest that it reads."""

MANIFEST = "pack.json"
PROMPTS = "prompts.yaml"

MAX_FILES = 256
"""Files of a pack, far more than any has; bounds how long listing a folder may take."""

MAX_MANIFEST_BYTES = 1 << 20
"""Size of a manifest; those of this program have some kilobytes."""

_SUFFIXES = (".safetensors", ".gguf", ".yaml", ".json", ".md", ".txt", ".png")
_NAMES_WITHOUT_SUFFIX = ("LICENSE", "LICENCE", "NOTICE", "COPYING")
_RESTORE = "restore the pack or ask its maker"


@dataclass(frozen=True)
class Part:
    """One component of a pack: a file in it, or base weights that it names.

    Attributes:
        name: as `ahd`, `rae`, `adapter`, `vision backbone`, `text encoder`.
        licence: as an SPDX expression where there is one.
        provenance: who trained it on what, in words.
    """

    name: Line
    licence: Line
    provenance: Line


@dataclass(frozen=True)
class BackboneUse:
    """The frozen backbone a pack was trained on; its base weights are not in the pack.

    Attributes:
        name: of the kind, one of `engine.tvad.backbones.registry.BACKBONES`.
        folders: role -> name of a folder of base weights, as `vision` -> `mobilenetv2`.
        files: `folder/file` -> SHA-256 of every base weight the pack was trained on.
        options: further settings of the kind.
    """

    name: Line
    folders: Annotated[Mapping[str, FolderName], max_entries(MAX_ENTRIES)]
    files: Annotated[Mapping[str, Sha256], max_entries(MAX_FILES)]
    options: Annotated[Mapping[str, Option], max_entries(MAX_ENTRIES)]


@dataclass(frozen=True)
class HeatmapGrid:
    """The grid of the heatmap.

    Attributes:
        stride: pixels of the frame to one cell, at most 256.
        frames: T, frames of a window, at most 4096.
        steps: T', slices of the heatmap in a window, at most one a frame.
    """

    stride: Annotated[int, within(1, 256)]
    frames: Annotated[int, within(1, 4096)]
    steps: int


@dataclass(frozen=True)
class Memory:
    """The memory that running the pack takes, in bytes, with base weights and one window.

    Attributes:
        cpu: of main memory without a GPU.
        gpu: of the GPU's memory; None when it was never run on one.
    """

    cpu: Count
    gpu: Count | None = None


@dataclass(frozen=True)
class Training:
    """The training of the trained parts.

    Attributes:
        data: what they were trained on.
        command: trains them again.
        seeds: of everything drawn at random.
    """

    data: Line
    command: Line
    seeds: Annotated[tuple[Count, ...], max_entries(MAX_ENTRIES)]


@dataclass(frozen=True)
class Metric:
    """A figure with what it was measured on.

    Attributes:
        name: as `pixel_auc`.
        value: the figure.
        data: what it was measured on.
        command: measures it again; empty when there is none.
    """

    name: Line
    value: float
    data: Line
    command: Annotated[Text, Rule(lambda text: "" if text is None else text, before=True)] = ""


@dataclass(frozen=True)
class PackFile:
    """A file of a pack as its manifest records it.

    Attributes:
        sha256: in lower-case hexadecimal.
        size: in bytes.
    """

    sha256: Sha256
    size: Count


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The manifest of a pack.

    Attributes:
        name: of the pack and of its folder once imported.
        version: of the pack, as `1.0.0`.
        licence: of the pack as a whole.
        parts: everything it is made of, with licence and provenance.
        backbone: what it was trained on.
        grid: of the heatmap.
        languages: of prompts and answers, as `en`.
        sizes: name -> number, as `trained_parameters`.
        memory: what it takes.
        training: how it came to be.
        metrics: what was measured.
    """

    name: PackName
    version: Version
    licence: Line
    parts: Annotated[tuple[Part, ...], max_entries(MAX_ENTRIES)]
    backbone: BackboneUse
    grid: HeatmapGrid
    languages: Annotated[tuple[Line, ...], max_entries(MAX_ENTRIES)]
    memory: Memory
    training: Training
    sizes: Annotated[Mapping[str, Count], max_entries(MAX_ENTRIES)]
    metrics: Annotated[tuple[Metric, ...], max_entries(MAX_FILES)]

    def as_json(self) -> dict[str, Any]:
        """Returns plain JSON values, the format's version among them."""
        fields = {name: _plain(getattr(self, name)) for name in Manifest.__dataclass_fields__}
        return {"format": FORMAT, **fields}


def manifest_bytes(manifest: Manifest, files: Mapping[str, PackFile]) -> bytes:
    """Returns the text of `pack.json`: equal manifests give equal bytes."""
    values = manifest.as_json()
    values["files"] = {name: asdict(files[name]) for name in sorted(files)}
    return (json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def parse_manifest(data: bytes, where: Path) -> tuple[Manifest, dict[str, PackFile]]:
    """Reads a manifest that nobody vouches for.

    Args:
        data: the bytes of `pack.json`.
        where: its path, for errors.

    Returns:
        The manifest and the files it names, without `pack.json` itself.

    Raises:
        BadInputError: something in it is missing or not what it must be, or its format is newer
            than this program; the error names it.
    """
    if len(data) > MAX_MANIFEST_BYTES:
        raise BadInputError("a manifest of more than 1 MB", where, "ask the maker of the pack")
    values = _parse_object(data, where)
    try:
        newest = read_json(_FormatOnly, values).format
        if newest > FORMAT:
            what = f"a pack of format {newest}, this program reads up to {FORMAT}"
            raise BadInputError(what, where, "update Sightline")
        manifest = read_json(Manifest, values)
        files = read_json(_FilesOnly, values).files
        _check_backbone(manifest.backbone)
        _check_files(files)
        if not 1 <= manifest.grid.steps <= manifest.grid.frames:
            raise ValueError(f"grid.steps is not within 1 and {manifest.grid.frames}")
        if not manifest.parts or not manifest.languages:
            raise ValueError("parts or languages are empty")
    except ValueError as error:
        raise BadInputError(str(error), where, _RESTORE) from error
    return manifest, dict(files)


@dataclass(frozen=True)
class _FormatOnly:
    """The version of a manifest, which is read first: a newer one may be of any other form."""

    format: Annotated[int, within(1, MAX_BYTES)]


@dataclass(frozen=True)
class _FilesOnly:
    """The files that a manifest names."""

    files: Annotated[Mapping[str, PackFile], max_entries(MAX_FILES)]


def _parse_object(data: bytes, where: Path) -> dict[str, Any]:
    try:
        values = parse_json(data.decode("utf-8"))
    except NestedTooDeeplyError as error:
        raise BadInputError("a manifest nested too deeply", where, _RESTORE) from error
    except ValueError as error:
        raise BadInputError(f"a manifest that is no JSON ({error})", where, _RESTORE) from error
    if not isinstance(values, dict):
        raise BadInputError("a manifest that is no object", where, _RESTORE)
    return values


def _check_backbone(backbone: BackboneUse) -> None:
    for name in backbone.files:
        if not is_inner_path(name) or name.partition("/")[0] not in backbone.folders.values():
            raise ValueError(f"backbone.files.{name} lies in none of the folders")


def _check_files(files: Mapping[str, PackFile]) -> None:
    """Refuses files that a pack may not have, and names a system could take for one another."""
    for name in files:
        if refusal := _refusal(name):
            raise ValueError(f"files.{name if len(name) <= 60 else name[:59] + '…'} {refusal}")
    if len({name.casefold() for name in files}) < len(files):
        raise ValueError("files names two files that differ in case only")
    if sum(file.size for file in files.values()) > MAX_BYTES:
        raise ValueError("files are larger than any pack")
    if PROMPTS not in files:
        raise ValueError(f"files.{PROMPTS} is missing")


def _refusal(name: str) -> str:
    """Returns why a pack may not have a file of that name; empty when it may."""
    if not is_inner_path(name):
        return "is no plain path inside the pack"
    last = name.rpartition("/")[2]
    if name.casefold() == MANIFEST:
        return "cannot name itself"
    if not (last.lower().endswith(_SUFFIXES) or last.partition(".")[0] in _NAMES_WITHOUT_SUFFIX):
        return "is of a kind that packs may not hold; weights are .safetensors or .gguf, no pickles"
    return ""


def _plain(value: Any) -> Any:  # noqa: ANN401
    if hasattr(value, "__dataclass_fields__"):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
