"""RAE and projector as files, weights and sizes in one safetensors each; the adapter's names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from engine.core.errors import BadInputError, brief_reason
from engine.tvad.decoder_file import module_bytes
from engine.tvad.projector import ProjectorConfig, VideoProjector
from engine.tvad.region_encoder import EncoderConfig, RegionAwareEncoder

ENCODER, PROJECTOR = "rae.safetensors", "projector.safetensors"
ADAPTER = "adapter"
ADAPTER_CONFIG = f"{ADAPTER}/adapter_config.json"
ADAPTER_WEIGHTS = f"{ADAPTER}/adapter_model.safetensors"
ADAPTER_GGUF = f"{ADAPTER}/adapter.gguf"
"""Names of the files inside a pack."""

LANGUAGE = "language"
"""Role of the language model's folder among a pack's base weights, where it has its own."""

_SIZES_KEY = "sizes"


def encoder_bytes(encoder: RegionAwareEncoder) -> bytes:
    """Returns a RAE as safetensors; equal ones give equal bytes."""
    return module_bytes(encoder, _SIZES_KEY, encoder.config.as_json())


def projector_bytes(projector: VideoProjector) -> bytes:
    """Returns a projector as safetensors; equal ones give equal bytes."""
    return module_bytes(projector, _SIZES_KEY, projector.config.as_json())


def load_encoder(path: Path, device: str = "cpu") -> RegionAwareEncoder:
    """Loads a RAE that is not trained any further.

    Raises:
        BadInputError: the file is missing, damaged, or its tensors do not fit its sizes.
    """
    sizes, tensors = _read(path)
    encoder = RegionAwareEncoder(EncoderConfig.from_json(sizes))
    return _load_weights(encoder, tensors, path).to(device)


def load_projector(path: Path, device: str = "cpu") -> VideoProjector:
    """Loads a projector that is not trained any further.

    Raises:
        BadInputError: the file is missing, damaged, or its tensors do not fit its sizes.
    """
    sizes, tensors = _read(path)
    projector = VideoProjector(ProjectorConfig.from_json(sizes))
    return _load_weights(projector, tensors, path).to(device)


def _read(path: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            sizes = json.loads((file.metadata() or {})[_SIZES_KEY])
            return dict(sizes), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, KeyError, ValueError, TypeError, SafetensorError) as error:
        raise _damage_error(error, path) from error


_Module = TypeVar("_Module", bound=nn.Module)


def _load_weights(module: _Module, tensors: dict[str, torch.Tensor], path: Path) -> _Module:
    try:
        module.load_state_dict(tensors)
    except RuntimeError as error:
        raise _damage_error(error, path) from error
    return module.eval().requires_grad_(False)


def _damage_error(error: Exception, path: Path) -> BadInputError:
    reason = brief_reason(error)
    return BadInputError(f"a part that cannot be loaded ({reason})", path, "restore the pack")
