"""The models of a pack behind the text channel; they need torch."""

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
    PromptLogits,
    ReplaySample,
    TextWindow,
)
from engine.detectors.text.text_recipe import TextRecipe
from engine.packs.pack import Pack
from engine.tvad.adaptation import Adaptation
from engine.tvad.backbones.backbone import Backbone, VideoWindow, WindowMotion
from engine.tvad.backbones.registry import open_backbone
from engine.tvad.decoder_file import DECODER, load_decoder
from engine.tvad.device_choice import choose_device
from engine.tvad.feature_codec import FeatureCodec, UnpackedSlice
from engine.tvad.heatmap_decoder import AnomalyHeatmapDecoder
from engine.tvad.prompt_embeddings import embed_words
from engine.tvad.replay_file import REPLAY, load_replay


class PackModel:
    """A backbone and its decoder with one prompt set; see `TextModel` for what the parts mean."""

    def __init__(
        self,
        backbone: Backbone,
        decoder: AnomalyHeatmapDecoder,
        recipe: TextRecipe,
        adaptation: Adaptation | None = None,
        pack: Pack | None = None,
    ) -> None:
        """Embeds the prompts.

        Raises:
            BadInputError: a prompt cannot be embedded.
        """
        self._backbone = backbone
        self._decoder = decoder.eval()
        self._adaptation = adaptation
        self._pack = pack
        prompts = recipe.prompts
        self._abnormal_prompts = prompts.abnormal
        with torch.inference_mode():
            self._normal = embed_words(backbone, prompts.normal, prompts.templates)
            self._abnormal = embed_words(backbone, prompts.abnormal, prompts.templates)
        self._codecs: dict[tuple[int, int], FeatureCodec] = {}
        self.window_frames = backbone.window_frames
        self.patch = backbone.temporal_patch
        # Where motion is measured, it tells what happens between the frames of a slice.
        self.distinct_frames = 1 if backbone.motion_channels else self.patch
        self.frame_rate = backbone.frame_rate
        self.window_ms = backbone.cost.window_ms
        self.limit = float(decoder.threshold)
        self.slope = 1 / max(1e-6, float(decoder.scale))

    @classmethod
    def open(cls, pack: Pack, recipe: TextRecipe, variant: bytes | None = None) -> PackModel:
        """Loads backbone and decoder of a pack.

        Raises:
            BadInputError: a file of the pack is not what its manifest says, it was made for another
                version, or the variant is damaged.
            ResourceError: base weights or the device are missing.
        """
        device = choose_device(recipe.device)
        decoder = load_decoder(pack.file(DECODER), device)
        adaptation = None if variant is None else Adaptation.decode(variant)
        backbone = open_backbone(pack, device)
        decoder.check_motion(backbone.motion_channels)
        return cls(backbone, decoder, recipe, adaptation, pack)

    def frame_size(self, width: int, height: int, people: float | None) -> tuple[int, int]:
        """Returns the size at which frames are needed."""
        return self._backbone.picture_size(width, height, people)

    @torch.inference_mode()
    def project(self, window: TextWindow, grid: tuple[int, int]) -> list[NDArray[np.uint8]]:
        """Computes projected features of a window."""
        motion = None
        if self._backbone.motion_channels:
            motion = WindowMotion(window.motion, window.usual, window.width)
        try:
            features = self._backbone.features(VideoWindow(window.frames, window.seconds, motion))
            return self._codec(grid).project(self._decoder.hidden_maps(features))
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
    ) -> PromptLogits:
        """Reads which prompt is the loudest in each cell, and how loud it is."""
        codec = self._codec(grid)
        raised = torch.zeros(len(self._abnormal), 1, 1)
        raised[: len(above), 0, 0] = torch.tensor(above)
        logits, prompt, plain = [], [], []
        for projected in slices:
            depths = codec.unpack(projected)
            odds = codec.log_odds([depths], self._normal, self._abnormal)[:, 0] - raised
            plain_odds = odds.amax(0)
            if self._adaptation is not None:
                weight, offset = self._adaptation.weight, self._adaptation.offset
                scores = _direction_scores(codec, depths, weight, offset)
                odds = self._adaptation.apply(odds, scores, self._abnormal_prompts)
            loudest = odds.max(0)
            limit = raised[:, 0, 0][loudest.indices]
            logits.append((loudest.values + limit).numpy())
            prompt.append(loudest.indices.numpy().astype(np.uint8))
            if self._adaptation is not None:
                plain.append((plain_odds + limit).numpy())
        return PromptLogits(np.stack(logits), np.stack(prompt), np.stack(plain) if plain else None)

    def cell_features(
        self, projected: NDArray[np.uint8], grid: tuple[int, int]
    ) -> NDArray[np.float32]:
        """Returns the features of each cell as the decoder sees them."""
        codec = self._codec(grid)
        return np.asarray(codec.cell_features(codec.unpack(projected)).numpy(), np.float32)

    def direction_scores(
        self,
        projected: NDArray[np.uint8],
        grid: tuple[int, int],
        weight: NDArray[np.float32],
        offset: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        """Returns how strongly each cell answers to learned directions."""
        codec = self._codec(grid)
        scores = _direction_scores(codec, codec.unpack(projected), weight, offset)
        return np.asarray(scores.numpy(), np.float32)

    @contextmanager
    def single_threaded(self) -> Iterator[None]:
        """Lets each thread that reads meanwhile compute by itself."""
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)

    def with_variant(self, decoder: bytes) -> PackModel:
        """Returns the same models with the decoder of a variant."""
        other = copy.copy(self)
        other._adaptation = Adaptation.decode(decoder) if decoder else None
        return other

    def replay(self) -> ReplaySample | None:
        """Returns the pack's replay sample."""
        if self._pack is None or REPLAY not in self._pack.files:
            return None
        cell_features, group = load_replay(self._pack.file(REPLAY))
        return ReplaySample(cell_features, group)

    def _codec(self, grid: tuple[int, int]) -> FeatureCodec:
        if grid not in self._codecs:
            self._codecs[grid] = FeatureCodec(self._decoder, SLICE_BYTES, grid)
        return self._codecs[grid]


def _direction_scores(
    codec: FeatureCodec,
    depths: UnpackedSlice,
    weight: NDArray[np.float32],
    offset: NDArray[np.float32],
) -> torch.Tensor:
    if weight.shape[1] != codec.cell_feature_width:
        raise BadInputError(
            "a variant that was taught with another pack", "", "restore that pack or teach anew"
        )
    return codec.direction_scores(depths, torch.from_numpy(weight), torch.from_numpy(offset))
