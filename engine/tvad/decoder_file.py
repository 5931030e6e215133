"""A decoder as a file: its weights, its calibration and its sizes in one safetensors."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from engine.core.errors import BadInputError
from engine.tvad.heatmap_decoder import AnomalyHeatmapDecoder, DecoderConfig

DECODER = "ahd.safetensors"
"""Name of the file inside a pack."""


def decoder_bytes(decoder: AnomalyHeatmapDecoder) -> bytes:
    """Returns a decoder as safetensors; equal decoders give equal bytes."""
    from safetensors.torch import save

    tensors = {
        name: value.detach().cpu().contiguous().clone()
        for name, value in sorted(decoder.state_dict().items())
    }
    about = {"decoder": json.dumps(decoder.config.as_json(), sort_keys=True)}
    return bytes(save(tensors, about))


def load_decoder(path: Path, device: str = "cpu") -> AnomalyHeatmapDecoder:
    """Loads a decoder, ready to judge.

    Raises:
        BadInputError: the file is missing, damaged, or its tensors do not fit its sizes.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            about = json.loads((file.metadata() or {})["decoder"])
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
        with torch.device("meta"):
            decoder = AnomalyHeatmapDecoder(DecoderConfig.from_json(about))
        decoder.load_state_dict(tensors, assign=True)
    except (OSError, KeyError, ValueError, RuntimeError, SafetensorError) as error:
        raise BadInputError(
            f"a decoder that cannot be loaded ({' '.join(str(error).split())[:160]})",
            path,
            "restore the pack",
        ) from error
    return decoder.eval().requires_grad_(False).to(device)
