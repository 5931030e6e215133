"""Stage 1 from footage to pack: features, training, calibration, metrics, pack."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, ProgressCallback
from engine.lab.datasets.rendered_footage import rendered_videos, rendering_command
from engine.lab.training.decoder_calibration import calibration
from engine.lab.training.decoder_pack import TrainedDecoder, make_pack, pack_prompts
from engine.lab.training.feature_cache import FeatureCache, FeatureRecipe
from engine.lab.training.prompt_bank import PromptBank, embed_phrases
from engine.lab.training.stage1 import Stage1, Stage1Settings
from engine.lab.training.steering_metrics import SteeringMetrics
from engine.lab.training.window_scoring import score_windows
from engine.packs.prompt_sets import PromptSet, Templates
from engine.tvad.backbones.backbone import Backbone
from engine.tvad.backbones.registry import load_backbone
from engine.tvad.heatmap_decoder import AnomalyHeatmapDecoder, DecoderConfig
from engine.tvad.prompt_embeddings import embed_words

_COMPACT_HIDDEN = (48, 48, 64, 96)
"""Hidden channels of each depth, for a backbone that reads motion; wider ones were no better
(docs/experiments/compact-decoder.md)."""

_MOTION_WIDTH = 32  # channels of the convolutions over motion; more were no better, see there
_MOTION_LAYERS = 3  # convolutions over motion, one more than before data counted most, see there
_MAX_VALIDATION_BYTES = 6 << 30  # of the cached features of validation footage; a choice


@dataclass(frozen=True)
class AhdRequest:
    """What to train.

    Attributes:
        data: folders that `synth` wrote with the split train; the first has validation as well.
        pack: folder that becomes the pack.
        backbone: name of the kind of backbone.
        weights: folder of its weights.
        work: folder of features and state.
        settings: settings of the training.
        windows: windows of each training video.
        slices: slices of each window.
        cache_bytes: size of the cached features of training footage.
        workers: number of processes that compute features.
        device: `cpu` or a GPU of torch.
        fresh: whether a training that was stopped is not resumed.
        command: the command line, for the manifest of the pack.
    """

    data: tuple[Path, ...]
    pack: Path
    backbone: str
    weights: Path
    work: Path
    settings: Stage1Settings = field(default_factory=Stage1Settings)
    windows: int = 5
    slices: int = 4
    cache_bytes: int = 12 << 30
    workers: int = 2
    device: str = "cpu"
    fresh: bool = False
    command: str = ""


def train_ahd(
    request: AhdRequest, progress: ProgressCallback, cancel: CancelToken
) -> dict[str, Any]:
    """Trains a decoder and writes its pack.

    Args:
        request: what to train.
        progress: told about features and steps.
        cancel: looked at between videos and steps; a stopped training is resumed when it is
            started again.

    Returns:
        A summary in JSON values: pack, steps, seconds by stage, metrics.

    Raises:
        BadInputError: footage or weights are not what they must be.
        ResourceError: weights are missing, or there is no room.
        CancelledError: the user stopped.
    """
    if request.fresh:
        shutil.rmtree(request.work / "state", ignore_errors=True)
    clock = _Clock()
    backbone = load_backbone(request.backbone, request.weights, request.device)
    training, validation = _caches(request, backbone, progress, cancel)
    torch.set_num_threads(request.settings.threads)
    bank = embed_phrases(backbone, Templates())
    clock.lap("features")
    config = _config(backbone)
    run = Stage1(config, request.settings, training, validation, bank, request.work / "state")
    decoder = run.run(request.device, progress, cancel)
    clock.lap("training")
    _calibrate(decoder, backbone, validation)
    metrics = _metrics(decoder, validation, bank)
    clock.lap("calibration and figures")
    data, seeds = _describe_data(request.data, training), (request.settings.seed,)
    outcome = TrainedDecoder(decoder, run.log, metrics, data, request.command, seeds, clock.seconds)
    pack = make_pack(request.pack, backbone, request.weights, outcome)
    return {
        "pack": str(pack.folder),
        "steps": run.log[-1]["step"],
        "windows": len(training),
        "seconds": {name: round(took, 1) for name, took in clock.seconds.items()},
        "figures": metrics,
        "threshold": float(decoder.threshold),
        "scale": float(decoder.scale),
    }


def _describe_data(data: tuple[Path, ...], training: FeatureCache) -> str:
    commands = [command for root in data if (command := rendering_command(root, "train"))]
    description = f"{len(training.videos):,} rendered videos ({len(training):,} windows)"
    return f"{description}: {'; '.join(commands)}" if commands else description


class _Clock:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.monotonic()

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self.seconds[name] = now - self._last
        self._last = now


def _caches(
    request: AhdRequest, backbone: Backbone, progress: ProgressCallback, cancel: CancelToken
) -> tuple[FeatureCache, FeatureCache]:
    make = partial(load_backbone, request.backbone, request.weights, request.device)
    seed = request.settings.seed
    slices = backbone.window_frames // backbone.temporal_patch
    caches = []
    for split, windows, slices_per_window, max_bytes in (
        ("train", request.windows, request.slices, request.cache_bytes),
        ("validation", 0, slices, _MAX_VALIDATION_BYTES),
    ):
        recipe = FeatureRecipe(request.backbone, seed, windows, slices_per_window)
        roots = request.data if split == "train" else request.data[:1]
        videos = [video for root in roots for video in rendered_videos(root, split)]
        cache = FeatureCache(request.work / "features", recipe, videos)
        cache.fill(make, max_bytes, request.workers, progress, cancel)
        caches.append(cache)
    return caches[0], caches[1]


def _config(backbone: Backbone) -> DecoderConfig:
    if backbone.motion_channels:
        return DecoderConfig(
            backbone.widths,
            backbone.text_width,
            _COMPACT_HIDDEN,
            backbone.motion_channels,
            _MOTION_WIDTH,
            _MOTION_LAYERS,
        )
    return DecoderConfig(backbone.widths, backbone.text_width, backbone.widths)


def _calibrate(
    decoder: AnomalyHeatmapDecoder, backbone: Backbone, validation: FeatureCache
) -> None:
    threshold, scale = calibration(normal_maps(decoder, backbone, validation, pack_prompts()))
    decoder.threshold.fill_(threshold)
    decoder.scale.fill_(scale)


def normal_maps(
    decoder: AnomalyHeatmapDecoder, backbone: Backbone, cache: FeatureCache, prompts: PromptSet
) -> Iterator[NDArray[np.float32]]:
    """Yields the largest log-odds over all prompts for every slice of the normal videos.

    Raises:
        BadInputError: there is no normal video.
    """
    normal = embed_words(backbone, prompts.normal, prompts.templates).cpu()
    abnormal = embed_words(backbone, prompts.abnormal, prompts.templates).cpu()
    chosen = [index for index in range(len(cache)) if not cache.video(index).classes]
    if not chosen:
        raise BadInputError("no normal video to calibrate on", cache.folder, "render more videos")
    for index in chosen:
        with torch.inference_mode():
            hidden = decoder.hidden_maps(cache.read(index).features)
            odds = decoder.log_odds(hidden, normal, abnormal).amax(0).numpy()
        yield from odds


def _metrics(
    decoder: AnomalyHeatmapDecoder, validation: FeatureCache, bank: PromptBank
) -> dict[str, dict[str, Any]]:
    metrics: dict[str, dict[str, Any]] = {}
    for kind, held_out, still in (
        ("trained words", False, False),
        ("held-out words", True, False),
        ("one frame only", False, True),
    ):
        steering = SteeringMetrics(float(decoder.threshold))
        windows = range(len(validation))
        steering.add(score_windows(decoder, validation, windows, bank, held_out, still))
        metrics[kind] = steering.summary()
    return metrics
