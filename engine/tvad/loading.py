"""Loads what a pack names: its frozen backbone, and its decoder with the calibration."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch

from engine.core.errors import BadInputError
from engine.packs.manifest import Pack
from engine.tvad.ahd import AnomalyHeatmapDecoder, DecoderConfig
from engine.tvad.backbone import Backbone

DECODER = "ahd.safetensors"
"""File of a pack that holds the decoder; its sizes stand in the file's metadata."""

_CONFIG = "config"


def load_backbone(pack: Pack, device: str) -> Backbone:
    """Loads the backbone that a pack was trained on.

    Args:
        pack: names it, with the folders and hashes of its base weights.
        device: of torch.

    Raises:
        BadInputError: the pack names a backbone that this version does not have, or base weights
            have another hash.
        ResourceError: base weights are missing or damaged.
    """
    name = pack.backbone.name
    if name == "compact":
        from engine.tvad.compact import load_compact

        folders = [pack.base(role) for role in pack.backbone.folders]
        return load_compact(folders[0].parent, device)
    if name == "qwen2.5-vl":
        from engine.tvad.qwen import load_qwen

        return load_qwen(_only_folder(pack), device)
    if name == "open_clip":
        from engine.tvad.open_clip_backbone import load_open_clip

        return load_open_clip(_only_folder(pack), device)
    raise BadInputError(f"an unknown backbone {name}", pack.folder, "update Sightline")


def _only_folder(pack: Pack) -> Path:
    """Returns the folder of base weights of a backbone that has one only."""
    roles = list(pack.backbone.folders)
    if len(roles) != 1:
        raise BadInputError(
            f"a backbone in {len(roles)} folders instead of one", pack.folder, "import it again"
        )
    return pack.base(roles[0])


def load_decoder(pack: Pack, device: str) -> AnomalyHeatmapDecoder:
    """Loads the decoder of a pack with its calibration, after hashing it.

    Raises:
        BadInputError: the pack has none, or its file is damaged or has another hash.
    """
    from safetensors import SafetensorError, safe_open

    path = pack.file(DECODER)
    try:
        with safe_open(path, "pt") as file:
            about = json.loads((file.metadata() or {})[_CONFIG])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        decoder = AnomalyHeatmapDecoder(DecoderConfig.from_json(about))
        decoder.load_state_dict(tensors)
    except (OSError, KeyError, ValueError, RuntimeError, SafetensorError) as error:
        reason = str(error).splitlines()[0][:160]
        raise BadInputError(
            f"the decoder of the pack cannot be read ({reason})", path, "import the pack again"
        ) from error
    return decoder.eval().requires_grad_(False).to(device)


def decoder_bytes(decoder: AnomalyHeatmapDecoder) -> bytes:
    """Returns a decoder as the bytes of `DECODER`: equal decoders give equal bytes."""
    from safetensors.torch import save

    tensors: Mapping[str, torch.Tensor] = decoder.state_dict()
    plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    return save(plain, {_CONFIG: json.dumps(decoder.config.as_json(), sort_keys=True)})
