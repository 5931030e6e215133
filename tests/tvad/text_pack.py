"""A pack with an untrained decoder on the shipped base weights: it runs, and says nothing true."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engine.media import hash_file
from engine.packs.manifest_schema import BackboneUse
from engine.packs.pack import Pack, write_pack
from engine.packs.pack_folders import weights_folders
from engine.packs.prompt_sets import PromptSet, dump_prompts
from engine.tvad.backbones.scene_units import SCENE_CHANNELS
from engine.tvad.decoder_file import DECODER, decoder_bytes
from engine.tvad.heatmap_decoder import AnomalyHeatmapDecoder, DecoderConfig
from tests.packs.pack_material import manifest

PROMPTS = PromptSet("en", ("person walking",), ("person running", "vehicle"))
_FOLDERS = {"vision": "mobilenetv2", "text": "all-minilm-l6-v2"}


def untrained_decoder(
    seed: int = 8, motion_channels: int = SCENE_CHANNELS
) -> AnomalyHeatmapDecoder:
    """A decoder of the compact backbone's sizes with random weights."""
    torch.manual_seed(seed)
    config = DecoderConfig(
        (96, 32, 96, 320), 384, (24, 24, 24, 24), motion_channels, motion_width=8
    )
    decoder = AnomalyHeatmapDecoder(config)
    decoder.threshold.fill_(0.56)
    decoder.scale.fill_(0.02)
    return decoder.eval()


def text_pack(folder: Path, name: str = "untrained", motion_channels: int = SCENE_CHANNELS) -> Pack:
    """Writes the pack into `folder / name`; skips the test without base weights."""
    root = next((folder for folder in weights_folders() if (folder / "mobilenetv2").is_dir()), None)
    if root is None:
        pytest.skip("no base weights: run the set-up")
    files = {
        f"{name}/model.safetensors": str(hash_file(root / name / "model.safetensors")["sha256"])
        for name in _FOLDERS.values()
    }
    return write_pack(
        folder / name,
        manifest(name, backbone=BackboneUse("compact", _FOLDERS, files, {})),
        {
            DECODER: decoder_bytes(untrained_decoder(motion_channels=motion_channels)),
            "prompts.yaml": dump_prompts(PROMPTS).encode(),
        },
    )
