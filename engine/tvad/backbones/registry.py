"""Opens the backbone that a pack was trained on, or one in a folder of the user's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import torch

from engine.core.errors import BadInputError
from engine.packs.pack import Pack
from engine.tvad.backbones.backbone import Backbone
from engine.tvad.backbones.compact import load_compact
from engine.tvad.backbones.open_clip_vit import load_open_clip
from engine.tvad.backbones.qwen import load_qwen

ROLES: Mapping[str, tuple[str, ...]] = {
    "compact": ("vision", "text"),
    "qwen2.5-vl": ("model",),
    "open_clip": ("model",),
}
"""Kind of backbone -> the roles its folders of base weights play in a pack."""


def open_backbone(pack: Pack, device: str = "cpu") -> Backbone:
    """Opens the backbone of a pack; its base weights are hashed first.

    Raises:
        BadInputError: the pack names a kind that this program lacks, or the base weights are
            others than it was trained on.
        ResourceError: base weights are missing.
    """
    name = pack.backbone.name
    if name not in ROLES:
        remedy = f"known are {', '.join(ROLES)}"
        raise BadInputError(f"unknown backbone {name} of the pack {pack.name}", pack.folder, remedy)
    folders = [pack.base(role) for role in ROLES[name]]
    return load_backbone(name, folders[0].parent if name == "compact" else folders[0], device)


def single_threaded(load: Callable[[], Backbone]) -> Backbone:
    """Loads a backbone and gives torch one thread from then on.

    For one of several processes; what it gives then does not depend on how many there are.
    """
    torch.set_num_threads(1)
    return load()


def load_backbone(name: str, folder: Path, device: str = "cpu") -> Backbone:
    """Loads a backbone by its kind.

    Args:
        name: `compact`, `qwen2.5-vl` or `open_clip`.
        folder: of its weights; for compact the folder that holds both encoders' folders.
        device: of torch.

    Raises:
        BadInputError: there is no such kind, or the folder is not what it claims.
        ResourceError: a file is missing, or there is no memory for it.
    """
    loaders: dict[str, Callable[[Path, str], Backbone]] = {
        "compact": load_compact,
        "qwen2.5-vl": load_qwen,
        "open_clip": load_open_clip,
    }
    if name not in loaders:
        raise BadInputError("unknown backbone", name, f"known are {', '.join(loaders)}")
    return loaders[name](folder, device)
