"""What a pack says of itself, read strictly and written reproducibly."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from engine.core.errors import BadInputError
from engine.packs.manifest_fields import (
    MOST_BYTES,
    Fields,
    is_inner_path,
    is_pack_name,
    parse_object,
)

FORMAT = 1
"""Version of the manifest that this program writes, and the newest that it reads."""

MANIFEST = "pack.json"
PROMPTS = "prompts.yaml"

MOST_FILES = 256
LARGEST_MANIFEST = 1 << 20
_MOST_ENTRIES = 64
_VERSION = re.compile(r"[0-9]+(?:\.[0-9]+){0,3}(?:[-+.][0-9A-Za-z.-]{1,40})?")
_KINDS = (".safetensors", ".gguf", ".yaml", ".json", ".md", ".txt", ".png")
_BARE = ("LICENSE", "LICENCE", "NOTICE", "COPYING")


@dataclass(frozen=True)
class Part:
    """One thing the pack is made of, whether it lies in it or is a base weight it names.

    Attributes:
        name: as `ahd`, `rae`, `adapter`, `vision backbone`, `text encoder`.
        licence: as an SPDX expression where there is one.
        provenance: who trained it on what, in words.
    """

    name: str
    licence: str
    provenance: str


@dataclass(frozen=True)
class BackboneUse:
    """The frozen backbone a pack was trained on; its base weights are not in the pack.

    Attributes:
        name: of the kind: `compact`, `qwen2.5-vl`, `open_clip`.
        folders: role -> name of a folder of base weights, as `vision` -> `mobilenetv2`.
        files: `folder/file` -> SHA-256 of every base weight the pack was trained on.
        options: further settings of the kind.
    """

    name: str
    folders: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str | int | float | bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Grid:
    """The grid of the heatmap.

    Attributes:
        stride: pixels of the picture to one cell.
        frames: T, frames of a window.
        steps: T', slices of the heatmap in a window.
    """

    stride: int
    frames: int
    steps: int


@dataclass(frozen=True)
class Memory:
    """What running the pack takes, in bytes, base weights and one window included.

    Attributes:
        cpu: of main memory without a GPU.
        gpu: of the GPU's memory; None when it was never run on one.
    """

    cpu: int
    gpu: int | None = None


@dataclass(frozen=True)
class Training:
    """How the trained parts came to be.

    Attributes:
        data: what they were trained on.
        command: makes them again.
        seeds: of everything drawn at random.
    """

    data: str
    command: str
    seeds: tuple[int, ...] = ()


@dataclass(frozen=True)
class Metric:
    """A figure with what it was measured on.

    Attributes:
        name: as `pixel_auc`.
        value: the figure.
        data: what it was measured on.
        command: measures it again; empty when there is none.
    """

    name: str
    value: float
    data: str
    command: str = ""


@dataclass(frozen=True)
class PackFile:
    """A file of a pack as its manifest records it.

    Attributes:
        sha256: in lower-case hexadecimal.
        size: in bytes.
    """

    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a pack says of itself.

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

    name: str
    version: str
    licence: str
    parts: tuple[Part, ...]
    backbone: BackboneUse
    grid: Grid
    languages: tuple[str, ...]
    memory: Memory
    training: Training
    sizes: Mapping[str, int] = field(default_factory=dict)
    metrics: tuple[Metric, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Returns plain JSON values, the format's version among them."""
        values = {one: getattr(self, one) for one in Manifest.__dataclass_fields__}
        plain = {"format": FORMAT}
        for name, value in values.items():
            plain[name] = _plain(value)
        return plain


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
    if len(data) > LARGEST_MANIFEST:
        raise BadInputError("a manifest of more than 1 MB", where, "ask the maker of the pack")
    fields = Fields(parse_object(data, where), where)
    found = fields.number("format", least=1)
    if found > FORMAT:
        what = f"a pack of format {found}, this program reads up to {FORMAT}"
        raise BadInputError(what, where, "update Sightline")
    name, version = fields.text("name"), fields.text("version")
    if not is_pack_name(name):
        raise fields.bad("name", "is no name of a pack (a-z, 0-9, dot, dash)")
    if not _VERSION.fullmatch(version):
        raise fields.bad("version", "is no version")
    manifest = Manifest(
        name=name,
        version=version,
        licence=fields.text("licence"),
        parts=tuple(
            Part(one.text("name"), one.text("licence"), one.text("provenance"))
            for one in fields.each("parts", _MOST_ENTRIES)
        ),
        backbone=_backbone(fields.inner("backbone")),
        grid=_grid(fields.inner("grid")),
        languages=fields.texts("languages", _MOST_ENTRIES),
        memory=_memory(fields.inner("memory")),
        training=_training(fields.inner("training")),
        sizes=_sizes(fields),
        metrics=tuple(
            Metric(
                one.text("name"), one.real("value"), one.text("data"),
                one.text("command", empty=True) if one.has("command") else "",
            )
            for one in fields.each("metrics", MOST_FILES)
        ),
    )  # fmt: skip
    if not manifest.parts or not manifest.languages:
        raise fields.bad("parts or languages", "are empty")
    return manifest, _files(fields)


def _backbone(fields: Fields) -> BackboneUse:
    folders = fields.mapping("folders", _MOST_ENTRIES)
    inner = fields.inner("folders")
    for role in folders:
        name = inner.text(role)
        if "/" in name or not is_inner_path(name):
            raise inner.bad(role, "is no name of a folder")
    hashes = fields.inner("files")
    files = {name: hashes.sha256(name) for name in fields.mapping("files", MOST_FILES)}
    for name in files:
        if not is_inner_path(name) or name.partition("/")[0] not in folders.values():
            raise hashes.bad(name, "lies in none of the folders")
    options = fields.mapping("options", _MOST_ENTRIES)
    inner = fields.inner("options")
    for name, value in options.items():
        if isinstance(value, str):
            inner.text(name, empty=True)
        elif not isinstance(value, bool):
            inner.real(name)
    return BackboneUse(fields.text("name"), folders, files, options)


def _grid(fields: Fields) -> Grid:
    frames = fields.number("frames", 1, 4096)
    steps = fields.number("steps", 1, frames)
    return Grid(fields.number("stride", 1, 256), frames, steps)


def _memory(fields: Fields) -> Memory:
    return Memory(fields.number("cpu"), fields.number("gpu") if fields.has("gpu") else None)


def _training(fields: Fields) -> Training:
    return Training(fields.text("data"), fields.text("command"), fields.numbers("seeds", 64))


def _sizes(fields: Fields) -> dict[str, int]:
    inner = fields.inner("sizes")
    return {name: inner.number(name) for name in fields.mapping("sizes", _MOST_ENTRIES)}


def _files(fields: Fields) -> dict[str, PackFile]:
    """Reads the list of files; names that a system could take for one another are refused."""
    named = fields.mapping("files", MOST_FILES)
    inner = fields.inner("files")
    files: dict[str, PackFile] = {}
    for name in named:
        refusal = _refusal(name)
        if refusal:
            raise inner.bad(_shown(name), refusal)
        one = inner.inner(name)
        files[name] = PackFile(one.sha256("sha256"), one.number("size"))
    if len({name.casefold() for name in files}) < len(files):
        raise fields.bad("files", "names two files that differ in case only")
    if sum(one.size for one in files.values()) > MOST_BYTES:
        raise fields.bad("files", "are larger than any pack")
    if PROMPTS not in files:
        raise fields.bad(f"files.{PROMPTS}", "is missing")
    return files


def _refusal(name: str) -> str:
    """Returns why a pack may not have a file of that name; empty when it may."""
    if not is_inner_path(name):
        return "is no plain path inside the pack"
    last = name.rpartition("/")[2]
    if name.casefold() == MANIFEST:
        return "cannot name itself"
    if not last.lower().endswith(_KINDS) and last.partition(".")[0] not in _BARE:
        return "is of a kind that packs may not hold; weights are .safetensors or .gguf, no pickles"
    return ""


def _shown(name: str) -> str:
    return name if len(name) <= 60 else name[:59] + "…"


def _plain(value: Any) -> Any:  # noqa: ANN401
    if hasattr(value, "__dataclass_fields__"):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
