"""The compact backbone: MobileNetV2 at four stages, motion in scene units, MiniLM for text.

It looks at the first frame of each pair; what happens between frames reaches it as motion that
was measured on every frame of the stream.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from engine.core.errors import BadInputError, ResourceError
from engine.tvad.backbones.backbone import Cost, Features, VideoWindow
from engine.tvad.backbones.minilm import TextEncoder
from engine.tvad.backbones.mobilenet import MobileNetV2, fold
from engine.tvad.scene_units import PEOPLE, SCENE_CHANNELS, scene_motion, still_motion

_ALIGN = 32
_MOST_AREA = 640 * 480
_LEAST_SCALE, _MOST_SCALE = 0.25, 3.0
_TOKEN_GRID = 3


class CompactBackbone:
    """Runs on a CPU. See `Backbone` for what the parts mean."""

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
        return Cost(weights + self._text.weights_bytes, 420 << 20, 900.0)

    def picture_size(self, width: int, height: int, people: float | None = None) -> tuple[int, int]:
        """Scales people to about 60 pixels, within 640x480 pixels of area."""
        scale = PEOPLE / people if people else 1.0
        scale = min(max(scale, _LEAST_SCALE), _MOST_SCALE)
        scale = min(scale, (_MOST_AREA / (width * height)) ** 0.5)
        return _aligned(width * scale), _aligned(height * scale)

    @torch.inference_mode()
    def features(self, window: VideoWindow) -> Features:
        """Computes features; the shallowest stage is folded from stride 4 to stride 8."""
        self.check(window)
        first = np.ascontiguousarray(window.frames[:: self.temporal_patch])
        try:
            maps = [self._stages(first[n : n + 1]) for n in range(len(first))]
        except (RuntimeError, MemoryError) as error:
            raise ResourceError(
                f"no memory for a picture of {first.shape[2]}x{first.shape[1]} ({error})",
                self._device,
                "close other programs or use smaller footage",
            ) from error
        height, width = first.shape[1:3]
        grid = (height // self.stride, width // self.stride)
        if window.motion is None:
            motion = still_motion(len(first), grid)
        else:
            motion = scene_motion(window.motion, (width, height), grid)
        stages = tuple(torch.cat(stage) for stage in zip(*maps, strict=True))
        return Features(stages, motion.to(self._device))

    def video_tokens(self, window: VideoWindow) -> torch.Tensor:
        """Returns the deepest stage averaged over 3x3 cells: float32 [T'*9, 320]."""
        deepest = self.features(window).maps[-1]
        pooled = functional.adaptive_avg_pool2d(deepest, _TOKEN_GRID)
        return pooled.flatten(2).transpose(1, 2).reshape(-1, self.widths[-1])

    def embed_text(self, texts: Sequence[str]) -> torch.Tensor:
        """Embeds texts: float32 [n, 384], each the mean over its tokens."""
        return self._text.embed(texts).to(self._device)

    def check(self, window: VideoWindow) -> None:
        """Refuses a window that does not fit.

        Raises:
            BadInputError: its length or size does not fit.
        """
        frames, height, width = window.frames.shape[:3]
        if not frames or frames % self.temporal_patch:
            raise BadInputError(
                f"a window of {frames} frames is not made of pairs", "", "give an even number"
            )
        if width % _ALIGN or height % _ALIGN or not width * height:
            raise BadInputError(
                f"a picture of {width}x{height} is not made of 32x32 blocks",
                "",
                "scale it to the size that the backbone names",
            )
        slices = frames // self.temporal_patch
        if window.motion is not None and len(window.motion.values) != slices:
            raise BadInputError(
                f"{len(window.motion.values)} slices of motion for {slices} pairs",
                "",
                "give one slice a pair",
            )

    def _stages(self, frames: np.ndarray) -> tuple[torch.Tensor, ...]:
        pictures = torch.from_numpy(frames).to(self._device).permute(0, 3, 1, 2)
        shallow, *deeper = self._vision(pictures)
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

    path = weights / "mobilenetv2" / "model.safetensors"
    try:
        vision = fold(load_file(path))
    except (OSError, KeyError, RuntimeError, SafetensorError) as error:
        raise ResourceError(
            f"the weights of MobileNetV2 cannot be loaded ({error})", path, "run the set-up again"
        ) from error
    return CompactBackbone(vision, TextEncoder(weights / "all-minilm-l6-v2", device), device)


def _aligned(side: float) -> int:
    return max(2, round(side / _ALIGN)) * _ALIGN
