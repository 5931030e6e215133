"""A CLIP with a vision transformer from a local folder of open_clip, with motion joined to it.

CLIP sees single pictures: the two frames of a slice are averaged at each depth, and what happens
between frames reaches the decoder as motion in units of the scene, as with the compact backbone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from engine.core.errors import BadInputError, ResourceError
from engine.tvad.backbones.backbone import Cost, Features, VideoWindow
from engine.tvad.backbones.weight_folder import (
    check_shapes,
    four_depths,
    one_line,
    read_config,
    stored_shapes,
)
from engine.tvad.device_memory import named_shortage
from engine.tvad.scene_units import PEOPLE, SCENE_CHANNELS, scene_motion, still_motion
from engine.tvad.torchvision_guard import guard_torchvision

CONFIG = "open_clip_config.json"
WEIGHTS = "open_clip_model.safetensors"
_MOST_AREA = 640 * 480
_LEAST_SCALE, _MOST_SCALE = 0.25, 3.0
_MOST_BLOCKS = 512
_TOKEN_GRID = 3
_PUBLISHED = "name a folder with open_clip_config.json and open_clip_model.safetensors"
_MEAN = (0.48145466, 0.4578275, 0.40821073)
_DEVIATION = (0.26862954, 0.26130258, 0.27577711)
# These make open_clip build towers of other libraries, or fetch them.
_FOREIGN = ("hf_model_name", "hf_tokenizer_name", "timm_model_name")


class OpenClipBackbone:
    """See `Backbone` for what the parts mean."""

    name = "open_clip"
    temporal_patch = 2
    window_frames = 16
    frame_rate = 5.0
    motion_channels = SCENE_CHANNELS

    def __init__(
        self,
        model: Any,  # noqa: ANN401
        tokenizer: Any,  # noqa: ANN401
        preprocess: Mapping[str, Any],
        device: str,
        folder: Path,
    ) -> None:
        """Takes the model apart; `load_open_clip` reads it from a folder."""
        self._model = model.eval().requires_grad_(False).to(device)
        self._tokenizer = tokenizer
        self._device = device
        self._depths = four_depths(len(model.visual.transformer.resblocks), folder)
        self._patch = int(model.visual.patch_size[0])
        self._width = int(model.visual.conv1.out_channels)
        mean = torch.tensor(preprocess.get("mean", _MEAN), device=device)
        deviation = torch.tensor(preprocess.get("std", _DEVIATION), device=device)
        self._mean, self._deviation = mean.view(1, 3, 1, 1), deviation.view(1, 3, 1, 1)
        self._positions: dict[tuple[int, int], torch.Tensor] = {}

    @property
    def widths(self) -> tuple[int, int, int, int]:
        """All four depths are equally wide: 768 for ViT-B."""
        return self._width, self._width, self._width, self._width

    @property
    def text_width(self) -> int:
        """D, the width that pictures and texts share: 512 for ViT-B."""
        return int(self._model.visual.output_dim)

    @property
    def stride(self) -> int:
        """One patch."""
        return self._patch

    @property
    def cost(self) -> Cost:
        """Weights; a window of 640x480 by the size of its activations, not timed."""
        weights = sum(p.numel() * p.element_size() for p in self._model.parameters())
        patches = _MOST_AREA // self._patch**2 * self.window_frames
        return Cost(weights, patches * self._width * 4 * (12 + len(self._depths)), 0.0)

    def picture_size(self, width: int, height: int, people: float | None = None) -> tuple[int, int]:
        """Scales people to two patches, at least to 60 pixels, within 640x480 pixels of area."""
        scale = max(PEOPLE, 2.0 * self._patch) / people if people else 1.0
        scale = min(max(scale, _LEAST_SCALE), _MOST_SCALE)
        scale = min(scale, (_MOST_AREA / (width * height)) ** 0.5)
        return self._aligned(width * scale), self._aligned(height * scale)

    @torch.no_grad()
    def features(self, window: VideoWindow) -> Features:
        """Computes the outputs of four blocks, averaged over the frames of each slice."""
        self._check(window)
        pair = self.temporal_patch
        slices = len(window.frames) // pair
        parts = [self._slice(window.frames[n * pair : (n + 1) * pair]) for n in range(slices)]
        height, width = window.frames.shape[1:3]
        grid = (height // self._patch, width // self._patch)
        if window.motion is None:
            motion = still_motion(slices, grid)
        else:
            motion = scene_motion(window.motion, (width, height), grid)
        maps = tuple(torch.cat(depth) for depth in zip(*parts, strict=True))
        return Features(maps, motion.to(self._device))

    @torch.no_grad()
    def video_tokens(self, window: VideoWindow) -> torch.Tensor:
        """Returns the deepest block averaged over 3x3 cells: float32 [T'*9, C]."""
        pooled = functional.adaptive_avg_pool2d(self.features(window).maps[-1], _TOKEN_GRID)
        return pooled.flatten(2).transpose(1, 2).reshape(-1, self._width)

    @torch.no_grad()
    def embed_text(self, texts: Sequence[str]) -> torch.Tensor:
        """Embeds texts, each by itself: the mean over all tokens of the text tower's output."""
        rows = [self._embed(text.strip()) for text in texts]
        if not rows:
            return torch.zeros(0, self.text_width, device=self._device)
        return torch.stack(rows).clone()

    def _embed(self, text: str) -> torch.Tensor:
        if not text:
            raise BadInputError("a prompt is empty", "", "write a word or leave it out")
        model, tokenizer = self._model, self._tokenizer
        words = tokenizer.encode(text)
        most = model.context_length - 2
        if len(words) > most:
            what = f"a prompt has {len(words)} tokens"
            raise BadInputError(what, text[:40], f"use at most {most}")
        ids = [tokenizer.sot_token_id, *words, tokenizer.eot_token_id]
        tokens = torch.tensor([ids], device=self._device)
        count = len(ids)
        hidden = model.token_embedding(tokens) + model.positional_embedding[:count]
        mask = None if model.attn_mask is None else model.attn_mask[:count, :count]
        hidden = model.ln_final(model.transformer(hidden, attn_mask=mask))
        projection = model.text_projection
        if isinstance(projection, torch.nn.Module):
            hidden = projection(hidden)
        elif projection is not None:
            hidden = hidden @ projection
        mean: torch.Tensor = hidden[0].float().mean(0)
        return mean

    def _check(self, window: VideoWindow) -> None:
        frames, height, width = window.frames.shape[:3]
        if not frames or frames % self.temporal_patch:
            what = f"a window of {frames} frames is not made of pairs"
            raise BadInputError(what, "", "give an even number")
        if width % self._patch or height % self._patch or not width * height:
            what = f"a picture of {width}x{height} is not made of {self._patch}-pixel patches"
            raise BadInputError(what, "", "scale it to the size that the backbone names")
        slices = frames // self.temporal_patch
        if window.motion is not None and len(window.motion.values) != slices:
            what = f"{len(window.motion.values)} slices of motion for {slices} pairs"
            raise BadInputError(what, "", "give one slice a pair")

    def _slice(self, frames: np.ndarray) -> tuple[torch.Tensor, ...]:
        """Returns the four maps [1, C, H, W] of one slice."""
        visual, patch = self._model.visual, self._patch
        height, width = frames.shape[1:3]
        rows, columns = height // patch, width // patch
        with named_shortage(f"a picture of {width}x{height}", self._device):
            pictures = torch.from_numpy(np.ascontiguousarray(frames)).to(self._device)
            pictures = pictures.permute(0, 3, 1, 2).float() / 255.0
            cells = visual.conv1((pictures - self._mean) / self._deviation)
            cells = cells.flatten(2).transpose(1, 2)
            first = visual.class_embedding.expand(len(cells), 1, -1)
            tokens = torch.cat([first, cells], 1) + self._positions_for((rows, columns))
            _, taken = visual.transformer.forward_intermediates(
                visual.ln_pre(tokens), indices=[depth - 1 for depth in self._depths]
            )
            means = [one[:, 1:].mean(0, keepdim=True).transpose(1, 2) for one in taken]
            return tuple(one.reshape(1, -1, rows, columns).float() for one in means)

    def _positions_for(self, grid: tuple[int, int]) -> torch.Tensor:
        """Returns the learned positions, interpolated to a grid they were not learned on."""
        if grid not in self._positions:
            learned = self._model.visual.positional_embedding
            rows, columns = self._model.visual.grid_size
            square = learned[1:].reshape(1, rows, columns, -1).permute(0, 3, 1, 2)
            if (rows, columns) != grid:
                square = functional.interpolate(
                    square, grid, mode="bicubic", align_corners=False, antialias=True
                )
            self._positions[grid] = torch.cat([learned[:1], square.flatten(2)[0].T])
        return self._positions[grid]

    def _aligned(self, side: float) -> int:
        return max(2, round(side / self._patch)) * self._patch


def load_open_clip(folder: Path, device: str = "cpu") -> OpenClipBackbone:
    """Loads a CLIP with a vision transformer from a local folder of open_clip.

    Nothing is fetched and only safetensors are read.

    Args:
        folder: with `open_clip_config.json` and `open_clip_model.safetensors`.
        device: of torch.

    Raises:
        ResourceError: open_clip is not installed, or the folder or a file in it is missing.
        BadInputError: the folder is not what it claims to be.
    """
    guard_torchvision()
    values = read_config(folder, CONFIG)
    model_config = _checked(values, folder)
    try:
        from open_clip.tokenizer import SimpleTokenizer
    except ImportError as error:
        what = f"open_clip cannot be used ({one_line(error)})"
        raise ResourceError(what, folder, "pip install sightline[open-clip]") from error
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        wanted = _made(model_config, "meta")
        shapes = {name: tuple(one.shape) for name, one in wanted.named_parameters()}
        check_shapes(shapes, stored_shapes(folder), folder, lambda name: (name,))
        with named_shortage("open_clip", device):
            model = _made(model_config, "cpu")
            model.load_state_dict(load_file(folder / WEIGHTS))
        preprocess = values.get("preprocess_cfg")
        tokenizer = SimpleTokenizer(context_length=model.context_length)
        settings = preprocess if isinstance(preprocess, dict) else {}
        return OpenClipBackbone(model, tokenizer, settings, device, folder)
    except (
        OSError, ValueError, KeyError, TypeError, AttributeError, AssertionError, RuntimeError,
        ZeroDivisionError, SafetensorError,
    ) as error:  # fmt: skip
        what = f"a folder that does not load as open_clip ({one_line(error)})"
        raise BadInputError(what, folder, _PUBLISHED) from error


def _made(config: Mapping[str, Any], device: str) -> Any:  # noqa: ANN401
    from open_clip.model import CLIP

    make: Any = CLIP
    with torch.device(device):
        return make(**config)


def _checked(values: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Returns the configuration of a CLIP with a vision transformer and nothing foreign in it."""
    config = values.get("model_cfg")
    found = config if isinstance(config, dict) else {}
    towers = [found.get(one) for one in ("vision_cfg", "text_cfg")]
    for tower in towers:
        if not isinstance(tower, dict):
            what = "a configuration that is none of open_clip"
            raise BadInputError(what, folder / CONFIG, _PUBLISHED)
        foreign = next((name for name in _FOREIGN if tower.get(name)), None)
        if foreign:
            what = f"a CLIP with a tower of another library ({foreign})"
            raise BadInputError(what, folder / CONFIG, "use a CLIP with a vision transformer")
        layers = tower.get("layers", 12)
        if not isinstance(layers, int) or not 0 < layers <= _MOST_BLOCKS:
            what = "a CLIP without a vision transformer"
            raise BadInputError(what, folder / CONFIG, "use ViT-B-32, ViT-B-16 or ViT-L-14")
    return found
