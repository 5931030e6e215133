"""Small language models, packs and a backbone, so that dialogues run in a second."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from engine.lab.dialogue_corpus.wording import vocabulary
from engine.media.hashing import hash_file
from engine.packs.manifest_schema import BackboneUse, HeatmapGrid, Manifest, Memory, Part, Training
from engine.packs.pack import Pack, write_pack
from engine.packs.prompt_sets import PromptSet, dump_prompts
from engine.tvad.backbones.backbone import Cost, Features, VideoWindow
from engine.tvad.encoder_files import (
    ADAPTER_CONFIG,
    ADAPTER_WEIGHTS,
    ENCODER,
    LANGUAGE,
    PROJECTOR,
    encoder_bytes,
    projector_bytes,
)
from engine.tvad.projector import ProjectorConfig, VideoProjector
from engine.tvad.region_encoder import EncoderConfig, RegionAwareEncoder
from engine.tvad.torchvision_guard import guard_torchvision
from engine.tvad.video_tokens import VIDEO_STEP_TOKENS, token_width

WIDTH = 48
_MARKS = {
    "<|im_start|>": 380, "<|im_end|>": 381, "<|vision_start|>": 392, "<|vision_end|>": 393,
}  # fmt: skip
_SIGNS = [".", ",", "?", ":", "<", "|", ">", "_"]


class StubBackbone:
    """Averages the picture over ever wider cells; no weights."""

    name = "compact"
    widths = (3, 3, 3, 3)
    text_width = 8
    temporal_patch = 2
    stride = 8
    window_frames = 16
    frame_rate = 10.0
    motion_channels = 0
    cost = Cost(0, 0, 0.0)

    def picture_size(self, width: int, height: int, people: float | None = None) -> tuple[int, int]:
        return 96, 64

    def features(self, window: VideoWindow) -> Features:
        pictures = torch.from_numpy(window.frames[::2].copy()).permute(0, 3, 1, 2).float() / 255
        pools = [functional.avg_pool2d(pictures, stride) for stride in (8, 8, 16, 32)]
        return Features((pools[0], pools[1], pools[2], pools[3]))

    def video_tokens(self, window: VideoWindow) -> torch.Tensor:
        raise NotImplementedError

    def embed_text(self, texts: Sequence[str]) -> torch.Tensor:
        return torch.zeros(len(texts), self.text_width)


def write_tokenizer(folder: Path) -> None:
    """Writes a tokenizer of the dialogues' words, with the marks of a chat."""
    from tokenizers import AddedToken, Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    words = ["<unk>", *_SIGNS]
    extra = "Is there any what describe from where please environment motion features moves Yes No"
    for word in [*vocabulary(), *extra.split()]:
        words += [form for form in (word, word.capitalize()) if form not in words]
    table = {word: number for number, word in enumerate(words[:379])}
    tokenizer = Tokenizer(WordLevel({**table, **_MARKS}, "<unk>"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.add_special_tokens([AddedToken(mark, special=True) for mark in _MARKS])
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "unk_token": "<unk>",
        "eos_token": "<|im_end|>",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def write_llama(folder: Path, context: int = 512, seed: int = 3) -> Path:
    """Writes a Llama of two layers with random weights."""
    guard_torchvision()
    from transformers import LlamaConfig, LlamaForCausalLM

    from engine.tvad.quiet_transformers import quiet_transformers

    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=400, hidden_size=WIDTH, intermediate_size=96, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=context,
        bos_token_id=380, eos_token_id=381, pad_token_id=381, tie_word_embeddings=True,
    )  # fmt: skip
    with quiet_transformers():
        architecture: Any = LlamaForCausalLM
        architecture(config).save_pretrained(str(folder))
    write_tokenizer(folder)
    return folder


@dataclass(frozen=True)
class PackParts:
    """What a test pack is made of.

    Attributes:
        width: of RAE and projector.
        dialogue: whether it has a language model.
    """

    width: int = WIDTH
    dialogue: bool = True


def write_dialogue_pack(folder: Path, language: Path, parts: PackParts = PackParts()) -> Pack:
    """Writes a pack with random RAE, projector and adapter for a small language model."""
    from engine.lab.training.dialogue.dialogue_pack import adapter_files
    from engine.lab.training.dialogue.trainable_model import TrainableDialogueModel, with_lora
    from engine.tvad.language.transformers_runtime import load_base

    torch.manual_seed(11)
    encoder = RegionAwareEncoder(EncoderConfig(parts.width))
    config = ProjectorConfig(token_width(StubBackbone.widths), parts.width, VIDEO_STEP_TOKENS)
    files: dict[str, Path | bytes] = {
        "prompts.yaml": dump_prompts(PromptSet("en", ("walking",), ("running",))).encode()
    }
    if parts.dialogue:
        model, tokenizer = load_base(language)
        learner = TrainableDialogueModel(
            with_lora(model), tokenizer, encoder, VideoProjector(config)
        )
        adapter = adapter_files(learner, folder.parent)
        files |= {name: adapter[name] for name in (ADAPTER_CONFIG, ADAPTER_WEIGHTS)}
        files[ENCODER] = encoder_bytes(encoder)
        files[PROJECTOR] = projector_bytes(VideoProjector(config))
    hashes = {
        f"{language.name}/{path.name}": str(hash_file(path)["sha256"])
        for path in language.iterdir()
        if path.suffix in (".safetensors", ".json")
    }
    manifest = Manifest(
        name=folder.name,
        version="1.0.0",
        licence="Apache-2.0",
        parts=(Part("rae", "Apache-2.0", "random, for tests"),),
        backbone=BackboneUse("compact", {LANGUAGE: language.name}, hashes, {}),
        grid=HeatmapGrid(8, 16, 8),
        languages=("en",),
        memory=Memory(1 << 20),
        training=Training("nothing", "tests", ()),
        sizes={},
        metrics=(),
    )
    return write_pack(folder, manifest, files)


def moving_heat(steps: int = 7, rows: int = 12, columns: int = 18) -> np.ndarray:
    """A hot cell that goes from the upper left to the lower right, float32 [steps, R, C]."""
    heat = np.zeros((steps, rows, columns), np.float32)
    for step in range(steps):
        y = round(step * (rows - 2) / max(1, steps - 1))
        x = round(step * (columns - 2) / max(1, steps - 1))
        heat[step, y : y + 2, x : x + 2] = 0.9
    return heat
