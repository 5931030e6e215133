"""The models of a pack behind the text channel; imported where that channel is made (torch)."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray

from engine.core.errors import BadInputError, ResourceError
from engine.detectors.text.text_model import (
    SLICE_BYTES,
    OutOfMemoryError,
    ReadPrompts,
    ReplaySample,
    TextWindow,
)
from engine.detectors.text.text_recipe import TextRecipe
from engine.packs.pack import Pack
from engine.tvad.adaptation import Adaptation
from engine.tvad.backbones.backbone import Backbone, VideoWindow, WindowMotion
from engine.tvad.feature_codec import BoundedDecoder, UnpackedSlice
from engine.tvad.heatmap_decoder import AnomalyHeatmapDecoder
from engine.tvad.prompt_embeddings import embed_words


class PackModel:
    """A backbone and its decoder with one prompt set; see `TextModel` for what the parts mean."""

    def __init__(
        self,
        backbone: Backbone,
        decoder: AnomalyHeatmapDecoder,
        recipe: TextRecipe,
        taught: Adaptation | None = None,
        pack: Pack | None = None,
    ) -> None:
        """Embeds the prompts.

        Raises:
            BadInputError: a prompt cannot be embedded.
        """
        self._backbone = backbone
        self._decoder = decoder.eval()
        self._taught = taught
        self._pack = pack
        prompts = recipe.prompts
        self._words = prompts.abnormal
        with torch.inference_mode():
            self._normal = embed_words(backbone, prompts.normal, prompts.templates)
            self._abnormal = embed_words(backbone, prompts.abnormal, prompts.templates)
        self._bounded: dict[tuple[int, int], BoundedDecoder] = {}

    @classmethod
    def open(cls, pack: Pack, recipe: TextRecipe, taught: bytes | None = None) -> PackModel:
        """Loads backbone and decoder of a pack.

        Raises:
            BadInputError: a file of the pack is not what its manifest says, it was made for another
                version, or what was taught is damaged or of another pack.
            ResourceError: base weights or the device are missing.
        """
        from engine.tvad.backbones.registry import open_backbone
        from engine.tvad.decoder_file import DECODER, load_decoder

        device = chosen_device(recipe.device)
        decoder = load_decoder(pack.file(DECODER), device)
        adaptation = None if taught is None else Adaptation.decode(taught)
        backbone = open_backbone(pack, device)
        decoder.check_motion(backbone.motion_channels)
        return cls(backbone, decoder, recipe, adaptation, pack)

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
        self,
        slices: Sequence[NDArray[np.uint8]],
        grid: tuple[int, int],
        above: Sequence[float] = (),
    ) -> ReadPrompts:
        """Reads what the prompts find: the loudest of them in each cell, and which it is."""
        bounded = self._bounded_for(grid)
        raised = torch.zeros(len(self._abnormal), 1, 1)
        raised[: len(above), 0, 0] = torch.tensor(above)
        logits, prompt, plain = [], [], []
        for one in slices:
            opened = bounded.unpack(one)
            odds = bounded.log_odds([opened], self._normal, self._abnormal)[:, 0] - raised
            untaught = odds.amax(0)
            if self._taught is not None:
                answers = _answers(bounded, opened, self._taught.weight, self._taught.offset)
                odds = self._taught.apply(odds, answers, self._words)
            loudest = odds.max(0)
            limit = raised[:, 0, 0][loudest.indices]
            logits.append((loudest.values + limit).numpy())
            prompt.append(loudest.indices.numpy().astype(np.uint8))
            if self._taught is not None:
                plain.append((untaught + limit).numpy())
        return ReadPrompts(np.stack(logits), np.stack(prompt), np.stack(plain) if plain else None)

    def traits(self, kept: NDArray[np.uint8], grid: tuple[int, int]) -> NDArray[np.float32]:
        """Returns what the decoder saw of each cell."""
        bounded = self._bounded_for(grid)
        return np.asarray(bounded.traits(bounded.unpack(kept)).numpy(), np.float32)

    def answers(
        self,
        kept: NDArray[np.uint8],
        grid: tuple[int, int],
        weight: NDArray[np.float32],
        offset: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        """Returns what directions answer in each cell."""
        bounded = self._bounded_for(grid)
        found = _answers(bounded, bounded.unpack(kept), weight, offset)
        return np.asarray(found.numpy(), np.float32)

    @contextmanager
    def single_threaded(self) -> Iterator[None]:
        """Keeps what is read meanwhile to the thread that reads it."""
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)

    def taught(self, decoder: bytes) -> PackModel:
        """Returns the same models with what a variant was taught."""
        other = copy.copy(self)
        other._taught = Adaptation.decode(decoder) if decoder else None
        return other

    def replay(self) -> ReplaySample | None:
        """Returns the pack's sample of rendered traits."""
        from engine.tvad.replay_file import REPLAY, load_replay

        if self._pack is None or REPLAY not in self._pack.files:
            return None
        traits, group = load_replay(self._pack.file(REPLAY))
        return ReplaySample(traits, group)

    def _bounded_for(self, grid: tuple[int, int]) -> BoundedDecoder:
        if grid not in self._bounded:
            self._bounded[grid] = BoundedDecoder(self._decoder, SLICE_BYTES, grid)
        return self._bounded[grid]


def _answers(
    bounded: BoundedDecoder,
    opened: UnpackedSlice,
    weight: NDArray[np.float32],
    offset: NDArray[np.float32],
) -> torch.Tensor:
    if weight.shape[1] != bounded.trait_width:
        raise BadInputError(
            "a variant that was taught with another pack", "", "restore that pack or teach anew"
        )
    return bounded.answers(opened, torch.from_numpy(weight), torch.from_numpy(offset))


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
