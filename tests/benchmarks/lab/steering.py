"""Does a pack heed its prompts? Figures of steering on a rendered split, with controls.

Run: `python -m tests.benchmarks.lab.steering --root DIR [--pack compact] [--split test]`

Prints one JSON object: for trained words, held-out words and the two controls the class-specific
frame-AUC, peaks on the own and on the wrong target, and prompts for something absent; and for the
pack's whole prompt set frame- and pixel-AUC.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine.core.progress import CancelToken, Progress
from engine.lab.datasets.rendered_footage import rendered_videos
from engine.lab.evaluation.frame_auc import micro_auc
from engine.lab.evaluation.pixel_auc import PixelAuc
from engine.lab.training.feature_cache import FeatureCache, FeatureRecipe
from engine.lab.training.prompt_bank import embed_phrases
from engine.lab.training.steering_metrics import ScoredSlice, SteeringMetrics
from engine.lab.training.window_scoring import score_windows
from engine.packs.pack import Pack, find_pack
from engine.tvad.backbones.backbone import Backbone
from engine.tvad.backbones.registry import load_backbone, open_backbone, weights_folder
from engine.tvad.decoder_file import DECODER, load_decoder
from engine.tvad.heatmap_decoder import AnomalyHeatmapDecoder
from engine.tvad.prompt_embeddings import embed_words

_SPEED_CHANNEL = 2


def measure(root: Path, pack: Pack, split: str, features: Path) -> dict[str, Any]:
    """Measures everything on one split.

    Args:
        root: folder that `synth` wrote.
        pack: to judge.
        split: `validation` or `test`.
        features: folder of cached features.
    """
    backbone = open_backbone(pack)
    decoder = load_decoder(pack.file(DECODER))
    slices = backbone.window_frames // backbone.temporal_patch
    videos = rendered_videos(root, split)
    cache = FeatureCache(features, FeatureRecipe(backbone.name, 0, 0, slices), videos)
    load = partial(load_backbone, backbone.name, weights_folder(pack))
    cache.fill(load, 1 << 40, 2, _told, CancelToken())
    bank = embed_phrases(backbone, pack.prompts().templates)
    every = range(len(cache))
    out: dict[str, Any] = {"split": split, "videos": len(videos), "pack": pack.name}
    judged = partial(score_windows, decoder, cache, every, bank)
    for name, slices_ in (
        ("trained_words", judged()),
        ("held_out_words", judged(held_out=True)),
        ("one_frame_only", judged(still=True)),
        ("speed_only", _by_speed(judged(), cache)),
    ):
        steering = SteeringMetrics(None if name == "speed_only" else float(decoder.threshold))
        steering.add(slices_)
        out[name] = steering.summary()
    out["prompt_set"] = {
        name: _whole_set(decoder, backbone, pack, cache, control)
        for name, control in (("text", ""), ("one_frame_only", "still"), ("speed_only", "speed"))
    }
    return out


def _by_speed(slices: Iterator[ScoredSlice], cache: FeatureCache) -> Iterator[ScoredSlice]:
    """Puts the speed map in place of every prompt's map."""
    maps = (heat for index in range(len(cache)) for heat in _speed(cache, index))
    for scored, heat in zip(slices, maps, strict=True):
        yield replace(scored, maps=dict.fromkeys(scored.maps, heat))


def _speed(cache: FeatureCache, index: int) -> NDArray[np.float32]:
    motion = cache.read(index).features.motion
    assert motion is not None
    blurred = torch.nn.functional.avg_pool2d(
        motion[:, _SPEED_CHANNEL : _SPEED_CHANNEL + 1], 3, 1, 1
    )
    return np.asarray(blurred[:, 0].numpy(), np.float32)


def _whole_set(
    decoder: AnomalyHeatmapDecoder,
    backbone: Backbone,
    pack: Pack,
    cache: FeatureCache,
    control: str,
) -> dict[str, float | None]:
    prompts = pack.prompts()
    normal = embed_words(backbone, prompts.normal, prompts.templates)
    abnormal = embed_words(backbone, prompts.abnormal, prompts.templates)
    scores: list[float] = []
    labels: list[bool] = []
    pixels = PixelAuc()
    for index in range(len(cache)):
        window = cache.read(index)
        if control == "speed":
            heat = _speed(cache, index) / 8
        else:
            features = window.features
            if control == "still" and features.motion is not None:
                features = replace(features, motion=torch.zeros_like(features.motion))
            with torch.inference_mode():
                odds = decoder.log_odds(decoder.hidden_maps(features), normal, abnormal)
                heat = decoder.calibrate(odds.amax(0)).numpy()
        for place, frame in enumerate(window.frames):
            targets = [t for t in window.video.targets if t.abnormal_at(int(frame))]
            ids = window.video.ids(int(frame))
            mask = np.isin(ids, [target.number for target in targets])
            pixels.add(np.clip(heat[place], 0, 1), mask)
            scores.append(float(heat[place].max()))
            labels.append(bool(mask.any()))
    frames = micro_auc([np.array(labels)], [np.array(scores)])
    return {"micro_auc": frames.value, "pixel_auc": pixels.value().value}


def _told(progress: Progress) -> None:
    print(f"{progress.stage}: {progress.done} of {progress.total}", file=sys.stderr)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--pack", default="compact")
    parser.add_argument("--split", default="test")
    parser.add_argument("--features", type=Path, help="keep features there for the next time")
    options = parser.parse_args()
    torch.set_num_threads(2)
    with tempfile.TemporaryDirectory() as folder:
        features = options.features or Path(folder)
        print(json.dumps(measure(options.root, find_pack(options.pack), options.split, features)))


if __name__ == "__main__":
    main()
