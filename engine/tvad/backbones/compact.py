"""The compact backbone: MobileNetV2 at four stages, motion in units of the scene, MiniLM for text.

It looks at the first frame of each pair; what happens between frames reaches it as motion that
was measured on every frame of the stream.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from engine.core.errors import ResourceError
from engine.packs.manifest_schema import Part
from engine.tvad.backbones.backbone import Cost, Features, VideoWindow
from engine.tvad.backbones.backbone_kind import BackboneKind, ShippedWeights
from engine.tvad.backbones.minilm import TextEncoder
from engine.tvad.backbones.mobilenet import MobileNetV2, fold
from engine.tvad.backbones.scene_units import PEOPLE_HEIGHT, SCENE_CHANNELS
from engine.tvad.backbones.window_pictures import (
    average_tokens,
    check_window,
    fit_picture,
    motion_features,
    to_tensor,
)

_MULTIPLE = 32  # the stride of the deepest stage, which width and height must be multiples of
_WINDOW_BYTES = 420 << 20  # memory of a window of 640x480, as measured on the reference machine
_WINDOW_MS = 900.0  # time of such a window, as measured there


class CompactBackbone:
    """A backbone for a CPU. See `Backbone` for what the parts mean."""

    name = "compact"
    widths = (96, 32, 96, 320)
    temporal_patch = 2
    stride = 8
    window_frames = 16
    frame_rate = 10.0
    motion_channels = SCENE_CHANNELS

    def __init__(self, vision: MobileNetV2, text: TextEncoder, device: str = "cpu") -> None:
        """Puts the two encoders together; `load_compact` reads them from a folder."""
        self._vision = vision.to(device)
        self._text = text
        self._device = device

    @property
    def text_width(self) -> int:
        """D, 384 for MiniLM."""
        return self._text.width

    @property
    def cost(self) -> Cost:
        """Measured at 640x480 on the reference machine."""
        weights = sum(p.numel() * p.element_size() for p in self._vision.parameters())
        return Cost(weights + self._text.weights_bytes, _WINDOW_BYTES, _WINDOW_MS)

    def picture_size(self, width: int, height: int, people: float | None = None) -> tuple[int, int]:
        """Scales people to about 60 pixels, within 640x480 pixels of area."""
        return fit_picture((width, height), people, PEOPLE_HEIGHT, _MULTIPLE)

    @torch.inference_mode()
    def features(self, window: VideoWindow) -> Features:
        """Computes features; the shallowest stage is folded from stride 4 to stride 8."""
        check_window(window, self.temporal_patch, _MULTIPLE, "32x32 blocks")
        first = np.ascontiguousarray(window.frames[:: self.temporal_patch])
        try:
            maps = [self._stages(first[n : n + 1]) for n in range(len(first))]
        except (RuntimeError, MemoryError) as error:
            raise ResourceError(
                f"no memory for a picture of {first.shape[2]}x{first.shape[1]} ({error})",
                self._device,
                "close other programs or use smaller footage",
            ) from error
        stages = tuple(torch.cat(stage) for stage in zip(*maps, strict=True))
        motion = motion_features(window, len(first), self.stride)
        return Features(stages, motion.to(self._device))

    def video_tokens(self, window: VideoWindow) -> torch.Tensor:
        """Returns the deepest stage averaged over 3x3 cells: float32 [T'*9, 320]."""
        return average_tokens(self.features(window))

    def embed_text(self, texts: Sequence[str]) -> torch.Tensor:
        """Embeds texts: float32 [n, 384], each the mean over its tokens."""
        return self._text.embed(texts).to(self._device)

    def _stages(self, frames: np.ndarray) -> tuple[torch.Tensor, ...]:
        shallow, *deeper = self._vision(to_tensor(frames, self._device))
        return functional.pixel_unshuffle(shallow, 2), *deeper


def load_compact(weights: Path, device: str = "cpu") -> CompactBackbone:
    """Loads the compact backbone.

    Args:
        weights: folder that holds `mobilenetv2/` and `all-minilm-l6-v2/` as the set-up wrote them.
        device: of torch.

    Raises:
        ResourceError: a file is missing or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = weights / _FOLDERS["vision"] / "model.safetensors"
    try:
        vision = fold(load_file(path))
    except (OSError, KeyError, RuntimeError, SafetensorError) as error:
        raise ResourceError(
            f"the weights of MobileNetV2 cannot be loaded ({error})", path, "run the set-up again"
        ) from error
    return CompactBackbone(vision, TextEncoder(weights / _FOLDERS["text"], device), device)


_FOLDERS = {"vision": "mobilenetv2", "text": "all-minilm-l6-v2"}

KIND = BackboneKind(
    load_compact,
    ShippedWeights(
        _FOLDERS,
        ("model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json"),
        (
            Part(
                "vision backbone", "MIT", "MobileNetV2, trained on ImageNet-1k; the package's word"
            ),
            Part(
                "text encoder",
                "Apache-2.0",
                "all-MiniLM-L6-v2 by the sentence-transformers project",
            ),
        ),
        language="smollm2-135m-instruct",
    ),
    centres_text=True,
)
"""The kind as the registry lists it."""
