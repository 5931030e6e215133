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
from engine.tvad.backbones.backbone_kind import BackboneKind
from engine.tvad.backbones.scene_units import PEOPLE_HEIGHT, SCENE_CHANNELS
from engine.tvad.backbones.weight_folder import (
    MAX_BLOCKS,
    check_shapes,
    four_depths,
    one_line,
    read_config,
    stored_shapes,
)
from engine.tvad.backbones.window_pictures import (
    MAX_AREA,
    OPENAI_DEVIATION,
    OPENAI_MEAN,
    average_tokens,
    check_window,
    fit_picture,
    motion_features,
    to_tensor,
)
from engine.tvad.device_memory import named_shortage
from engine.tvad.torchvision_guard import guard_torchvision

CONFIG = "open_clip_config.json"
WEIGHTS = "open_clip_model.safetensors"
_DEFAULT_LAYERS = 12  # what open_clip takes where a configuration does not say
_PEOPLE_PATCHES = 2.0  # height of people in patches, at least: one patch shows nobody's shape
_BLOCK_BUFFERS = 12  # activations of a block at once, in token widths: an estimate, not measured
_PUBLISHED = "name a folder with open_clip_config.json and open_clip_model.safetensors"
# These make open_clip build towers of other libraries, or fetch them.
_FOREIGN_KEYS = ("hf_model_name", "hf_tokenizer_name", "timm_model_name")


class OpenClipBackbone:
    """A CLIP as a backbone. See `Backbone` for what the parts mean."""

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
        mean = torch.tensor(preprocess.get("mean", OPENAI_MEAN), device=device)
        deviation = torch.tensor(preprocess.get("std", OPENAI_DEVIATION), device=device)
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
        """One patch, in pixels."""
        return self._patch

    @property
    def cost(self) -> Cost:
        """Weights; a window of 640x480 by the size of its activations, not timed."""
        weights = sum(p.numel() * p.element_size() for p in self._model.parameters())
        patches = MAX_AREA // self._patch**2 * self.window_frames
        numbers = patches * self._width * (_BLOCK_BUFFERS + len(self._depths))
        return Cost(weights, 4 * numbers, 0.0)

    def picture_size(self, width: int, height: int, people: float | None = None) -> tuple[int, int]:
        """Scales people to two patches, at least to 60 pixels, within 640x480 pixels of area."""
        wanted_people = max(PEOPLE_HEIGHT, _PEOPLE_PATCHES * self._patch)
        return fit_picture((width, height), people, wanted_people, self._patch)

    @torch.no_grad()
    def features(self, window: VideoWindow) -> Features:
        """Computes the outputs of four blocks, averaged over the frames of each slice."""
        pair = self.temporal_patch
        check_window(window, pair, self._patch, f"{self._patch}-pixel patches")
        slices = len(window.frames) // pair
        parts = [self._slice(window.frames[n * pair : (n + 1) * pair]) for n in range(slices)]
        maps = tuple(torch.cat(depth) for depth in zip(*parts, strict=True))
        motion = motion_features(window, slices, self._patch)
        return Features(maps, motion.to(self._device))

    @torch.no_grad()
    def video_tokens(self, window: VideoWindow) -> torch.Tensor:
        """Returns the deepest block averaged over 3x3 cells: float32 [T'*9, C]."""
        return average_tokens(self.features(window))

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
        max_words = model.context_length - 2
        if len(words) > max_words:
            what = f"a prompt has {len(words)} tokens"
            raise BadInputError(what, text[:40], f"use at most {max_words}")
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

    def _slice(self, frames: np.ndarray) -> tuple[torch.Tensor, ...]:
        """Returns the four maps [1, C, H, W] of one slice."""
        visual, patch = self._model.visual, self._patch
        height, width = frames.shape[1:3]
        rows, columns = height // patch, width // patch
        with named_shortage(f"a picture of {width}x{height}", self._device):
            pictures = to_tensor(frames, self._device).float() / 255.0
            cells = visual.conv1((pictures - self._mean) / self._deviation)
            cells = cells.flatten(2).transpose(1, 2)
            first = visual.class_embedding.expand(len(cells), 1, -1)
            tokens = torch.cat([first, cells], 1) + self._positions_for((rows, columns))
            _, outputs = visual.transformer.forward_intermediates(
                visual.ln_pre(tokens), indices=[depth - 1 for depth in self._depths]
            )
            means = [output[:, 1:].mean(0, keepdim=True).transpose(1, 2) for output in outputs]
            return tuple(mean.reshape(1, -1, rows, columns).float() for mean in means)

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
    model_config = _model_config(values, folder)
    try:
        from open_clip.tokenizer import SimpleTokenizer
    except ImportError as error:
        what = f"open_clip cannot be used ({one_line(error)})"
        raise ResourceError(what, folder, "pip install sightline[open-clip]") from error
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        weightless = _build_model(model_config, "meta")
        shapes = {name: tuple(tensor.shape) for name, tensor in weightless.named_parameters()}
        check_shapes(shapes, stored_shapes(folder), folder, lambda name: (name,))
        with named_shortage("open_clip", device):
            model = _build_model(model_config, "cpu")
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


KIND = BackboneKind(load_open_clip)
"""The kind as the registry lists it."""


def _build_model(config: Mapping[str, Any], device: str) -> Any:  # noqa: ANN401
    from open_clip.model import CLIP

    make: Any = CLIP
    with torch.device(device):
        return make(**config)


def _model_config(values: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Returns the configuration of a CLIP with a vision transformer and nothing foreign in it."""
    config = values.get("model_cfg")
    config = config if isinstance(config, dict) else {}
    for tower in (config.get("vision_cfg"), config.get("text_cfg")):
        if not isinstance(tower, dict):
            what = "a configuration that is none of open_clip"
            raise BadInputError(what, folder / CONFIG, _PUBLISHED)
        foreign = next((name for name in _FOREIGN_KEYS if tower.get(name)), None)
        if foreign:
            what = f"a CLIP with a tower of another library ({foreign})"
            raise BadInputError(what, folder / CONFIG, "use a CLIP with a vision transformer")
        layers = tower.get("layers", _DEFAULT_LAYERS)
        if not isinstance(layers, int) or not 0 < layers <= MAX_BLOCKS:
            what = "a CLIP without a vision transformer"
            raise BadInputError(what, folder / CONFIG, "use ViT-B-32, ViT-B-16 or ViT-L-14")
    return config
