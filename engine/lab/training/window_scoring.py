"""Scores cached windows with a decoder, which is what steering metrics are computed from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from engine.lab.synthesis.phrases import ABNORMAL
from engine.lab.training.feature_cache import CachedWindow, FeatureCache
from engine.lab.training.prompt_bank import PromptBank
from engine.lab.training.steering_metrics import ScoredSlice
from engine.lab.training.window_samples import ID_STRIDE
from engine.tvad.backbones.backbone import Features
from engine.tvad.heatmap_decoder import AnomalyHeatmapDecoder


def score_windows(
    decoder: AnomalyHeatmapDecoder,
    cache: FeatureCache,
    windows: Sequence[int],
    bank: PromptBank,
    held_out: bool = False,
    still: bool = False,
) -> Iterator[ScoredSlice]:
    """Yields every slice of some windows with the map of every abnormal class.

    Args:
        decoder: the decoder.
        cache: the features of the footage.
        windows: numbers of the windows.
        bank: the phrases.
        held_out: whether the prompts are made of held-out paraphrases.
        still: whether motion is taken away, which is the control that sees one frame only.
    """
    names = list(ABNORMAL)
    normal = bank.normal()
    embeddings = torch.cat([bank.of_class(name, held_out) for name in names])
    device = next(decoder.parameters()).device
    for index in windows:
        window = cache.read(index)
        with torch.inference_mode():
            features = _on_device(window.features, device, still)
            hidden = decoder.hidden_maps(features)
            odds = decoder.log_odds(hidden, normal.to(device), embeddings.to(device)).cpu().numpy()
        yield from _slices(window, names, odds)


def _on_device(features: Features, device: torch.device, still: bool) -> Features:
    motion = features.motion
    if motion is not None:
        motion = (torch.zeros_like(motion) if still else motion).to(device)
    return Features(tuple(values.to(device) for values in features.maps), motion)


def _slices(
    window: CachedWindow, names: Sequence[str], odds: NDArray[np.float32]
) -> Iterator[ScoredSlice]:
    pixels = window.video.size[0] * window.video.size[1]
    for slice_index, frame in enumerate(window.frames):
        ids = window.ids[slice_index]
        masks: dict[str, NDArray[np.bool_]] = {}
        areas: dict[str, int] = {}
        for target in window.video.targets:
            if not target.abnormal_at(int(frame)):
                continue
            mask = ids == target.number
            area = round(float(mask.sum()) * pixels / ids.size)
            if not area:
                continue
            cells = _cells(mask, odds.shape[-2:])
            name = target.class_at(int(frame))
            masks[name] = masks.get(name, np.zeros_like(cells)) | cells
            areas[name] = max(areas.get(name, 0), area)
        maps = {name: odds[number, slice_index] for number, name in enumerate(names)}
        yield ScoredSlice(window.video.name, maps, masks, areas, window.video.classes)


def _cells(mask: NDArray[np.bool_], grid: tuple[int, ...]) -> NDArray[np.bool_]:
    rows, columns = grid[0], grid[1]
    step = 8 // ID_STRIDE
    cut = mask[: rows * step, : columns * step]
    return np.asarray(cut.reshape(rows, step, columns, step).any((1, 3)))
