"""The kinds of backbones, and opening the one that a pack was trained on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engine.core.errors import BadInputError
from engine.core.registry import Registry

if TYPE_CHECKING:
    # They need torch or PyAV, which take long to import; a help text needs only the table's names.
    from engine.packs.pack import Pack
    from engine.tvad.backbones.backbone import Backbone
    from engine.tvad.backbones.backbone_kind import BackboneKind

BACKBONES: Registry[BackboneKind] = Registry(
    {
        "compact": "engine.tvad.backbones.compact:KIND",
        "qwen2.5-vl": "engine.tvad.backbones.qwen:KIND",
        "open_clip": "engine.tvad.backbones.open_clip_vit:KIND",
    }
)
"""Name of a kind, as packs write it -> the kind. A new one is a line here and a module."""


def kind_of(pack: Pack) -> BackboneKind:
    """Returns the kind of backbone that a pack was trained on.

    Raises:
        BadInputError: the pack names a kind that this program lacks.
    """
    name = pack.backbone.name
    if name not in BACKBONES:
        remedy = f"known are {', '.join(BACKBONES)}"
        raise BadInputError(f"unknown backbone {name} of the pack {pack.name}", pack.folder, remedy)
    return BACKBONES[name]


def weights_folder(pack: Pack) -> Path:
    """Returns the folder from which the backbone of a pack is loaded; its files are hashed first.

    Raises:
        BadInputError: the pack names a kind that this program lacks, or the base weights are
            others than it was trained on.
        ResourceError: base weights are missing.
    """
    folders = [pack.base(role) for role in kind_of(pack).roles]
    return folders[0] if len(folders) == 1 else folders[0].parent


def open_backbone(pack: Pack, device: str = "cpu") -> Backbone:
    """Opens the backbone of a pack; its base weights are hashed first.

    Raises:
        BadInputError: the pack names a kind that this program lacks, or the base weights are
            others than it was trained on.
        ResourceError: base weights are missing.
    """
    return load_backbone(pack.backbone.name, weights_folder(pack), device)


def load_backbone(name: str, folder: Path, device: str = "cpu") -> Backbone:
    """Loads a backbone by its kind.

    Args:
        name: one of `BACKBONES`.
        folder: of its weights; for a kind with several folders the one that holds them.
        device: of torch.

    Raises:
        BadInputError: there is no such kind, or the folder is not what it claims.
        ResourceError: a file is missing, or there is no memory for it.
    """
    if name not in BACKBONES:
        raise BadInputError("unknown backbone", name, f"known are {', '.join(BACKBONES)}")
    return BACKBONES[name].load(folder, device)
