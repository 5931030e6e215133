"""A tiny backbone and tiny rendered footage for the tests of training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from engine.core.progress import CancelToken, silent
from engine.lab.datasets.rendered_footage import rendered_videos
from engine.lab.training.feature_cache import FeatureCache, FeatureRecipe
from engine.lab.training.prompt_bank import PromptBank, embed_phrases
from engine.lab.training.stage1 import Stage1, Stage1Settings
from engine.packs.prompt_sets import Templates
from engine.tvad.backbones.backbone import Cost, Features, VideoWindow
from engine.tvad.backbones.scene_units import SCENE_CHANNELS, still_motion
from engine.tvad.heatmap_decoder import DecoderConfig

WIDTH = 32
CONFIG = DecoderConfig((3, 3, 3, 3), WIDTH, (12, 12, 12, 12), SCENE_CHANNELS, 8)


class TinyBackbone:
    """Colours at four sizes as features, letters as text embeddings."""

    name = "tiny"
    widths = (3, 3, 3, 3)
    text_width = WIDTH
    temporal_patch = 2
    stride = 8
    window_frames = 8
    frame_rate = 10.0
    motion_channels = SCENE_CHANNELS
    cost = Cost(0, 0, 0.0)

    def picture_size(self, width: int, height: int, people: float | None = None) -> tuple[int, int]:
        return 128, 64

    def features(self, window: VideoWindow) -> Features:
        first = torch.from_numpy(window.frames[::2].copy()).permute(0, 3, 1, 2).float() / 128 - 1
        maps = tuple(functional.avg_pool2d(first, size) for size in (8, 8, 16, 32))
        return Features(maps, still_motion(len(first), (8, 16)))

    def video_tokens(self, window: VideoWindow) -> torch.Tensor:
        return self.features(window).maps[3].flatten(1)

    def embed_text(self, texts: Sequence[str]) -> torch.Tensor:
        rows = np.zeros((len(texts), WIDTH), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for letter, following in zip(text, text[1:] + " ", strict=True):
                row[(31 * ord(letter) + ord(following)) % WIDTH] += 1
        return torch.from_numpy(rows)


def bank() -> PromptBank:
    return embed_phrases(TinyBackbone(), Templates())


def cached(footage: Path, folder: Path, split: str, windows: int = 3) -> FeatureCache:
    slices = 2 if windows else 4
    cache = FeatureCache(
        folder, FeatureRecipe("tiny", 1, windows, slices), rendered_videos(footage, split)
    )
    cache.fill(TinyBackbone, 1 << 30, 1, silent, CancelToken())
    return cache


def training(footage: Path, features: Path, work: Path, **settings: float) -> Stage1:
    values = {"epochs": 2, "accumulation": 2, "measure_every": 3, **settings}
    chosen = Stage1Settings(**values)  # type: ignore[arg-type]
    return Stage1(
        CONFIG,
        chosen,
        cached(footage, features, "train"),
        cached(footage, features, "validation", 0),
        bank(),
        work,
    )
