"""Qwen2.5-VL from a local folder: its vision encoder at four depths, its language model for text.

The vision encoder never looks from one slice of two frames to another, so a window is computed in
parts when the device has no memory for all of it, with the same result.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.core.errors import BadInputError, ResourceError
from engine.tvad.backbones.backbone import Cost, Features, VideoWindow
from engine.tvad.backbones.backbone_kind import BackboneKind, IntegratedLanguageModel
from engine.tvad.backbones.qwen_patches import PatchLayout, to_patches, to_raster
from engine.tvad.backbones.weight_folder import (
    MAX_BLOCKS,
    Shape,
    check_shapes,
    four_depths,
    one_line,
    read_config,
    stored_shapes,
)
from engine.tvad.backbones.window_pictures import MAX_AREA, check_window, fit_picture
from engine.tvad.device_memory import named_shortage
from engine.tvad.language.qwen_runtime import QwenRuntime, load_qwen_model, load_qwen_runtime
from engine.tvad.quiet_transformers import quiet_transformers
from engine.tvad.torchvision_guard import guard_torchvision

MODEL_TYPE = "qwen2_5_vl"
MAX_PROMPT_TOKENS = 128
"""Tokens of a prompt: a few words are meant, and the compact text encoder takes no more either."""

_PEOPLE_HEIGHT = 84.0  # pixels: six patches of 14, three tokens of the language model; a choice
_BLOCK_BUFFERS = 16  # activations of a block at once, in token widths: an estimate, not measured
_TOKEN_PATCHES = 2  # the published vision encoders merge 2x2 patches into one token
_RESTORE = "name the folder as it was published, with its config and safetensors"


class QwenBackbone:
    """Qwen2.5-VL as a backbone. See `Backbone` for what the parts mean.

    The text encoder is the language model itself: the last hidden state of every token, as the
    paper has it. Patches are 14 pixels, and so are the cells of its heatmaps.
    """

    name = "qwen2.5-vl"
    window_frames = 16
    frame_rate = 5.0
    motion_channels = 0

    def __init__(self, model: Any, tokenizer: Any, device: str, folder: Path) -> None:  # noqa: ANN401
        """Takes the model apart; `load_qwen` reads it from a folder."""
        vision = model.config.vision_config
        self._model = model.eval().requires_grad_(False).to(device)
        self._tokenizer = tokenizer
        self._device = device
        self._layout = PatchLayout(
            int(vision.patch_size), int(vision.spatial_merge_size),
            int(vision.temporal_patch_size), int(vision.window_size),
        )  # fmt: skip
        self._depths = four_depths(int(vision.depth), folder)
        self._width = int(vision.hidden_size)

    @property
    def widths(self) -> tuple[int, int, int, int]:
        """All four depths are equally wide: 1280 for the published sizes."""
        return self._width, self._width, self._width, self._width

    @property
    def text_width(self) -> int:
        """D, the width of the language model: 3584 for 7B, 2048 for 3B."""
        return int(self._model.config.text_config.hidden_size)

    @property
    def temporal_patch(self) -> int:
        """Two frames become one slice."""
        return self._layout.temporal

    @property
    def stride(self) -> int:
        """One patch, in pixels."""
        return self._layout.patch

    @property
    def cost(self) -> Cost:
        """Weights as loaded; a window of 640x480 by the size of its activations, not timed."""
        weights = sum(p.numel() * p.element_size() for p in self._model.parameters())
        number_bytes = next(self._model.parameters()).element_size()
        patches = MAX_AREA // self._layout.patch**2 * (self.window_frames // self.temporal_patch)
        width_bytes = number_bytes * _BLOCK_BUFFERS + 4 * len(self._depths)
        return Cost(weights, patches * self._width * width_bytes, 0.0)

    def picture_size(self, width: int, height: int, people: float | None = None) -> tuple[int, int]:
        """Scales people to six patches, within 640x480 pixels of area."""
        return fit_picture((width, height), people, _PEOPLE_HEIGHT, self._layout.factor)

    @torch.no_grad()
    def features(self, window: VideoWindow) -> Features:
        """Computes the outputs of four blocks, in raster order."""
        self._check(window)
        parts = [maps for maps, _ in self._in_parts(window)]
        return Features(tuple(torch.cat(depth) for depth in zip(*parts, strict=True)))

    @torch.no_grad()
    def video_tokens(self, window: VideoWindow) -> torch.Tensor:
        """Returns the merged tokens that the language model sees: float32 [n, D]."""
        self._check(window)
        return torch.cat([tokens for _, tokens in self._in_parts(window)])

    @torch.no_grad()
    def embed_text(self, texts: Sequence[str]) -> torch.Tensor:
        """Embeds texts, each by itself, so that no other text changes a bit of it."""
        rows: list[torch.Tensor] = []
        for text in texts:
            if not text.strip():
                raise BadInputError("a prompt is empty", "", "write a word or leave it out")
            ids = self._tokenizer(text.strip(), return_tensors="pt")["input_ids"]
            if ids.shape[1] > MAX_PROMPT_TOKENS:
                what = f"a prompt has {ids.shape[1]} tokens"
                raise BadInputError(what, text[:40], f"use at most {MAX_PROMPT_TOKENS}")
            with named_shortage("the text encoder", self._device):
                out = self._model.language_model(input_ids=ids.to(self._device), use_cache=False)
            rows.append(out.last_hidden_state[0].float().mean(0))
        if not rows:
            return torch.zeros(0, self.text_width, device=self._device)
        return torch.stack(rows).clone()

    def _check(self, window: VideoWindow) -> None:
        factor = self._layout.factor
        check_window(window, self.temporal_patch, factor, f"{factor}x{factor} blocks")

    def _in_parts(self, window: VideoWindow) -> list[tuple[tuple[torch.Tensor, ...], torch.Tensor]]:
        """Computes a window, in ever smaller parts while the device has no memory for it."""
        pair = self.temporal_patch
        count = len(window.frames)
        size = count
        while True:
            try:
                return [
                    self._part(window.frames[start : start + size])
                    for start in range(0, count, size)
                ]
            except ResourceError:
                if size == pair:
                    raise
                size = max(pair, size // 2 // pair * pair)

    def _part(self, frames: np.ndarray) -> tuple[tuple[torch.Tensor, ...], torch.Tensor]:
        from transformers.vision_utils import get_vision_window_index

        layout, visual = self._layout, self._model.visual
        height, width = frames.shape[1:3]
        grid = layout.grid(len(frames), height, width)
        with named_shortage(f"a picture of {width}x{height}", self._device):
            pixels = torch.from_numpy(np.ascontiguousarray(frames)).to(self._device)
            patches = to_patches(pixels, layout).to(visual.dtype)
            thw = torch.tensor([grid], device=self._device)
            order, _ = get_vision_window_index(thw, layout.merge, layout.window, layout.patch)
            outputs, tokens = self._run(patches, thw)
            maps = tuple(to_raster(depth, order, grid, layout.merge).float() for depth in outputs)
            return maps, tokens.float()

    def _run(
        self, patches: torch.Tensor, thw: torch.Tensor
    ) -> tuple[list[torch.Tensor], torch.Tensor]:
        """Runs the vision encoder; returns the outputs of four blocks, and the merged tokens."""
        outputs: dict[int, torch.Tensor] = {}
        visual = self._model.visual

        def keep(depth: int) -> Any:  # noqa: ANN401
            def hook(_module: object, _inputs: object, output: Any) -> None:  # noqa: ANN401
                outputs[depth] = output[0] if isinstance(output, tuple) else output

            return hook

        hooks = [visual.blocks[d - 1].register_forward_hook(keep(d)) for d in self._depths]
        try:
            tokens: torch.Tensor = visual(patches, grid_thw=thw).pooler_output
        finally:
            for hook in hooks:
                hook.remove()
        return [outputs[depth] for depth in self._depths], tokens


def load_qwen(folder: Path, device: str = "cpu") -> QwenBackbone:
    """Loads Qwen2.5-VL from a local folder, in bfloat16 on a GPU and float32 on a CPU.

    Nothing is fetched, no code of the folder is run, and only safetensors are read.

    Args:
        folder: as published: `config.json`, the tokenizer, the safetensors.
        device: of torch.

    Raises:
        ResourceError: the folder or a file in it is missing, or there is no memory for it.
        BadInputError: the folder is not what it claims to be.
    """
    guard_torchvision()
    from safetensors import SafetensorError
    from transformers import AutoTokenizer, Qwen2_5_VLForConditionalGeneration

    config = checked_config(folder)
    number = torch.bfloat16 if device.startswith("cuda") else torch.float32
    failures = (
        OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, SafetensorError,
    )  # fmt: skip
    try:
        with quiet_transformers(), named_shortage("Qwen2.5-VL", device):
            # The whole model knows the names of all releases; its head is not kept.
            loader: Any = Qwen2_5_VLForConditionalGeneration
            model, loading = loader.from_pretrained(
                str(folder), config=config, local_files_only=True, use_safetensors=True,
                dtype=number, output_loading_info=True,
            )  # fmt: skip
            if loading["missing_keys"]:
                raise ValueError(f"{min(loading['missing_keys'])} is missing")
            tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
            return QwenBackbone(model.model, tokenizer, device, folder)
    except failures as error:
        what = f"a folder that does not load as Qwen2.5-VL ({one_line(error)})"
        raise BadInputError(what, folder, _RESTORE) from error


def _load_with_language(folder: Path, device: str) -> tuple[QwenBackbone, QwenRuntime]:
    """Loads the model once for seeing and for speaking.

    Raises:
        ResourceError: a file is missing or damaged.
        BadInputError: the folder is not what it claims to be.
    """
    checked_config(folder)
    model, tokenizer = load_qwen_model(folder, device)
    return QwenBackbone(model.model, tokenizer, device, folder), QwenRuntime(model, tokenizer)


KIND = BackboneKind(
    load_qwen,
    bfloat16_on_gpu=True,
    own_language=IntegratedLanguageModel(
        _TOKEN_PATCHES, load_qwen_runtime, load_qwen_model, _load_with_language
    ),
)
"""The kind as the registry lists it."""


def checked_config(folder: Path) -> Any:  # noqa: ANN401
    """Reads the configuration and compares it with the weights, without loading any.

    Raises:
        ResourceError: the configuration is missing.
        BadInputError: it is of another model, or its weights are.
    """
    guard_torchvision()
    from huggingface_hub.errors import StrictDataclassError
    from transformers import Qwen2_5_VLConfig

    values = read_config(folder, "config.json")
    kind = values.get("model_type")
    if kind != MODEL_TYPE:
        raise BadInputError(
            f"a folder of {kind or 'no known model'}, not of {MODEL_TYPE}", folder, _RESTORE
        )
    stored = stored_shapes(folder)
    try:
        with quiet_transformers():
            config: Any = Qwen2_5_VLConfig.from_dict(values)
        blocks = max(config.vision_config.depth, config.text_config.num_hidden_layers)
        if not 0 < blocks <= MAX_BLOCKS:
            raise ValueError(f"{blocks} blocks")
        vision = config.vision_config
        edges = (
            vision.patch_size, vision.spatial_merge_size, vision.temporal_patch_size,
            vision.window_size // vision.spatial_merge_size // vision.patch_size,
        )  # fmt: skip
        if min(edges) <= 0:
            raise ValueError("patches without a size")
        expected = shapes_of(config)
    except (
        ValueError, TypeError, KeyError, AttributeError, RuntimeError, ZeroDivisionError,
        StrictDataclassError,
    ) as error:  # fmt: skip
        what = f"a configuration that is none of Qwen2.5-VL ({one_line(error)})"
        raise BadInputError(what, folder, _RESTORE) from error
    check_shapes(expected, stored, folder, _stored_names)
    return config


def shapes_of(config: Any) -> dict[str, Shape]:  # noqa: ANN401
    """Returns name -> shape of all weights of a configuration; none is allocated."""
    from transformers import Qwen2_5_VLModel

    with torch.device("meta"):
        model_class: Any = Qwen2_5_VLModel
        model = model_class(config)
    return {name: tuple(tensor.shape) for name, tensor in model.named_parameters()}


def _stored_names(name: str) -> tuple[str, ...]:
    """Returns the names that releases of several years gave a weight."""
    kind, _, rest = name.partition(".")
    if kind == "visual":
        return f"visual.{rest}", f"model.visual.{rest}"
    return f"model.{rest}", f"model.language_model.{rest}", name
