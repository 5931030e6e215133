"""The models of a pack behind the text channel; imported where that channel is made (torch)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from engine.analysis.text.model import SLICE_BYTES, OutOfMemoryError, TextWindow
from engine.analysis.text.recipe import TextRecipe
from engine.core.errors import BadInputError, ResourceError
from engine.packs.manifest import Pack
from engine.tvad.ahd import AnomalyHeatmapDecoder
from engine.tvad.backbone import Backbone, VideoWindow, WindowMotion
from engine.tvad.bounded import BoundedDecoder
from engine.tvad.prompting import embed_words


class PackModel:
    """A backbone and its decoder with one prompt set; see `TextModel` for what the parts mean."""

    def __init__(
        self, backbone: Backbone, decoder: AnomalyHeatmapDecoder, recipe: TextRecipe
    ) -> None:
        """Embeds the prompts.

        Raises:
            BadInputError: a prompt cannot be embedded.
        """
        self._backbone = backbone
        self._decoder = decoder.eval()
        prompts = recipe.prompts
        with torch.inference_mode():
            self._normal = embed_words(backbone, prompts.normal, prompts.templates)
            self._abnormal = embed_words(backbone, prompts.abnormal, prompts.templates)
        self._bounded: dict[tuple[int, int], BoundedDecoder] = {}

    @classmethod
    def open(cls, pack: Pack, recipe: TextRecipe) -> PackModel:
        """Loads backbone and decoder of a pack.

        Raises:
            BadInputError: a file of the pack is not what its manifest says.
            ResourceError: base weights or the device are missing.
        """
        from engine.tvad.decoder_file import DECODER, load_decoder
        from engine.tvad.loading import open_backbone

        device = chosen_device(recipe.device)
        decoder = load_decoder(pack.file(DECODER), device)
        return cls(open_backbone(pack, device), decoder, recipe)

    @property
    def window_frames(self) -> int:
        """Frames of a full window."""
        return self._backbone.window_frames

    @property
    def patch(self) -> int:
        """Frames that become one slice."""
        return self._backbone.temporal_patch

    @property
    def pictures(self) -> int:
        """One where measured motion says what happens between the frames of a slice."""
        return 1 if self._backbone.motion_channels else self._backbone.temporal_patch

    @property
    def frame_rate(self) -> float:
        """Analysed frames a second."""
        return self._backbone.frame_rate

    @property
    def window_ms(self) -> float:
        """Time for one window."""
        return self._backbone.cost.window_ms

    @property
    def limit(self) -> float:
        """The pack's own limit."""
        return float(self._decoder.threshold)

    @property
    def slope(self) -> float:
        """Logits of a score for one logit of a prompt."""
        return 1 / max(1e-6, float(self._decoder.scale))

    def picture_size(self, width: int, height: int, people: float | None) -> tuple[int, int]:
        """Chooses the size of the frames."""
        return self._backbone.picture_size(width, height, people)

    @torch.inference_mode()
    def project(self, window: TextWindow, grid: tuple[int, int]) -> list[NDArray[np.uint8]]:
        """Computes projected features of a window."""
        motion = None
        if self._backbone.motion_channels:
            motion = WindowMotion(window.motion, window.usual, window.width)
        try:
            features = self._backbone.features(VideoWindow(window.frames, window.seconds, motion))
            return self._bounded_for(grid).project(self._decoder.hidden(features))
        except (ResourceError, MemoryError, torch.OutOfMemoryError) as error:
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            raise OutOfMemoryError(str(error)) from error

    @torch.inference_mode()
    def read(
        self, slices: Sequence[NDArray[np.uint8]], grid: tuple[int, int]
    ) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Reads what the prompts find: the loudest of them in each cell, and which it is."""
        bounded = self._bounded_for(grid)
        logits, prompt = [], []
        for one in slices:
            odds = bounded.log_odds([one], self._normal, self._abnormal)[:, 0]
            loudest = odds.max(0)
            logits.append(loudest.values.numpy())
            prompt.append(loudest.indices.numpy().astype(np.uint8))
        return np.stack(logits), np.stack(prompt)

    def _bounded_for(self, grid: tuple[int, int]) -> BoundedDecoder:
        if grid not in self._bounded:
            self._bounded[grid] = BoundedDecoder(self._decoder, SLICE_BYTES, grid)
        return self._bounded[grid]


def chosen_device(wanted: str) -> str:
    """Returns the device of torch to use.

    Args:
        wanted: `auto`, `cpu` or `cuda:N`.

    Raises:
        BadInputError: it is no device.
        ResourceError: there is no such device here.
    """
    if wanted == "cpu":
        return "cpu"
    there = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if wanted == "auto":
        return "cuda:0" if there else "cpu"
    kind, _, number = wanted.partition(":")
    if kind != "cuda" or not number.isdecimal() or len(number) > 3:
        raise BadInputError("no such device", wanted, "use auto, cpu or cuda:N")
    if int(number) >= there:
        raise ResourceError(f"no GPU {number} here", f"{there} found", "use --device cpu")
    return wanted


def number_type(pack: Pack, device: str) -> str:
    """Returns the type of number in which a pack's backbone computes on a device."""
    halved = pack.backbone.name == "qwen2.5-vl" and device != "cpu"
    return "bfloat16" if halved else "float32"
