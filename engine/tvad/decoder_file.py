"""A decoder as a file: its weights, its calibration and its sizes in one safetensors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from engine.core.errors import BadInputError, brief_reason
from engine.tvad.heatmap_decoder import AnomalyHeatmapDecoder, DecoderConfig

DECODER = "ahd.safetensors"
"""Name of the file inside a pack."""


_SIZES_KEY = "decoder"


def decoder_bytes(decoder: AnomalyHeatmapDecoder) -> bytes:
    """Returns a decoder as safetensors; equal decoders give equal bytes."""
    return module_bytes(decoder, _SIZES_KEY, decoder.config.as_json())


def module_bytes(module: nn.Module, sizes_key: str, sizes: Mapping[str, Any]) -> bytes:
    """Returns the weights of a module as safetensors, with its sizes in the metadata."""
    from safetensors.torch import save

    tensors = {
        name: value.detach().cpu().contiguous().clone()
        for name, value in sorted(module.state_dict().items())
    }
    return bytes(save(tensors, {sizes_key: json.dumps(sizes, sort_keys=True)}))


def load_decoder(path: Path, device: str = "cpu") -> AnomalyHeatmapDecoder:
    """Loads a decoder that is not trained any further.

    Raises:
        BadInputError: the file is missing, damaged, or its tensors do not fit its sizes.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            sizes = json.loads((file.metadata() or {})[_SIZES_KEY])
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
        with torch.device("meta"):
            decoder = AnomalyHeatmapDecoder(DecoderConfig.from_json(sizes))
        decoder.load_state_dict(tensors, assign=True)
    except (OSError, KeyError, ValueError, RuntimeError, SafetensorError) as error:
        raise BadInputError(
            f"a decoder that cannot be loaded ({brief_reason(error)})",
            path,
            "restore the pack",
        ) from error
    return decoder.eval().requires_grad_(False).to(device)
