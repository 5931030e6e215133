"""Folders of small models with random weights, laid out as the real ones are published."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from engine.tvad.torchvision_guard import guard_torchvision

QWEN_7B: dict[str, Any] = {
    "model_type": "qwen2_5_vl",
    "architectures": ["Qwen2_5_VLForConditionalGeneration"],
    "vision_config": {
        "depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "num_heads": 16,
        "out_hidden_size": 3584, "patch_size": 14, "spatial_merge_size": 2,
        "temporal_patch_size": 2, "window_size": 112, "fullatt_block_indexes": [7, 15, 23, 31],
        "tokens_per_second": 2,
    },
    "text_config": {
        "hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28,
        "num_attention_heads": 28, "num_key_value_heads": 4, "vocab_size": 152064,
        "rope_parameters": {
            "rope_type": "default", "rope_theta": 1e6, "mrope_section": [16, 24, 24],
        },
    },
}  # fmt: skip
"""The sizes of the published 7B model."""

QWEN_TINY: dict[str, Any] = {
    **QWEN_7B,
    "vision_config": {
        **QWEN_7B["vision_config"], "depth": 8, "hidden_size": 64, "intermediate_size": 96,
        "num_heads": 4, "out_hidden_size": 48, "window_size": 56,
        "fullatt_block_indexes": [1, 3, 5, 7],
    },
    "text_config": {
        "hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 400,
        "bos_token_id": 1, "eos_token_id": 2,
        "rope_parameters": {
            "rope_type": "default", "rope_theta": 1e6, "mrope_section": [2, 2, 2],
        },
    },
    "image_token_id": 390, "video_token_id": 391, "vision_start_token_id": 392,
    "vision_end_token_id": 393,
}  # fmt: skip

_WORDS = """
a surveillance video clip of where occurs short person people walking running riding bicycle
vehicle car skating falling standing the in nothing happens
"""


def write_qwen(folder: Path, values: dict[str, Any] = QWEN_TINY, seed: int = 7) -> Path:
    """Writes a Qwen2.5-VL with random weights and a tokenizer of some words."""
    guard_torchvision()
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    from engine.tvad.quiet_transformers import quiet_transformers

    torch.manual_seed(seed)
    with quiet_transformers():
        model_class: Any = Qwen2_5_VLForConditionalGeneration
        model_class(Qwen2_5_VLConfig.from_dict(values)).save_pretrained(str(folder))
    tokenizer = Tokenizer(
        WordLevel({word: index for index, word in enumerate(["<unk>", *_WORDS.split()])}, "<unk>")
    )
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "<unk>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return folder


def write_open_clip(folder: Path, name: str = "ViT-B-32", **changes: Any) -> Path:
    """Writes a CLIP with random weights as open_clip lays it out."""
    guard_torchvision()
    import open_clip
    from open_clip.model import CLIP

    config = open_clip.get_model_config(name)
    config = {**config, "vision_cfg": {**config["vision_cfg"], **changes}}
    torch.manual_seed(7)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(CLIP(**config).state_dict(), folder / "open_clip_model.safetensors")
    preprocess = {"mean": [0.48, 0.46, 0.41], "std": [0.27, 0.26, 0.28], "size": [224, 224]}
    values = {"model_cfg": config, "preprocess_cfg": preprocess}
    (folder / "open_clip_config.json").write_text(json.dumps(values))
    return folder
