"""Adds a replayed sample to a pack: traits of rendered cells, so that teaching forgets nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, Progress, ProgressCallback
from engine.detectors.text.text_model import ABNORMAL, BACKGROUND, NORMAL, SLICE_BYTES
from engine.lab.datasets.rendered import RenderedVideo, rendered_by, rendered_videos
from engine.lab.training.training_samples import ID_STRIDE, training_samples
from engine.packs.pack import Manifest, Pack, Part, write_pack
from engine.tvad.backbones.backbone import Backbone
from engine.tvad.backbones.registry import open_backbone
from engine.tvad.decoder_file import DECODER, load_decoder
from engine.tvad.feature_codec import BoundedDecoder
from engine.tvad.heatmap_decoder import AnomalyHeatmapDecoder
from engine.tvad.replay_file import REPLAY, replay_bytes

_WINDOWS, _KEPT = 3, 2
_EACH = 20_000
_OF_A_SLICE = 96

Drawn = tuple[NDArray[np.float32], NDArray[np.uint8]]


def add_replay(
    pack: Pack, data: Path, videos: int, seed: int, progress: ProgressCallback, cancel: CancelToken
) -> Pack:
    """Writes the pack anew with a sample of rendered traits in it.

    Same pack, footage and seed on the same machine: the same bytes.

    Args:
        pack: with a decoder.
        data: a folder that `synth` wrote, with the split train.
        videos: how many of its videos are read, evenly spread.
        seed: of places, variations and cells.
        progress: told after each video.
        cancel: looked at between videos.

    Raises:
        BadInputError: footage or pack are not what they must be.
        ResourceError: base weights are missing.
        CancelledError: the user stopped; the pack is as it was.
    """
    every = rendered_videos(data, "train")
    spread = np.linspace(0, len(every) - 1, min(videos, len(every))).round().astype(int)
    chosen = [every[number] for number in np.unique(spread).tolist()]
    parts: list[Drawn] = []
    backbone = open_backbone(pack)
    decoder = load_decoder(pack.file(DECODER))
    for number, video in enumerate(chosen):
        cancel.check()
        rng = np.random.default_rng([seed, number])
        for traits, group in _slices(video, backbone, decoder, seed):
            parts.append(_drawn(traits, group, rng))
        progress(Progress("reading rendered footage", number + 1, len(chosen), unit="videos"))
    traits, group = _even(parts, np.random.default_rng(seed))
    return _written(pack, replay_bytes(traits, group), len(chosen), rendered_by(data, "train"))


def _slices(
    video: RenderedVideo, backbone: Backbone, decoder: AnomalyHeatmapDecoder, seed: int
) -> Iterator[Drawn]:
    """Yields traits [R, C, M] and groups [R, C] of some slices of a video."""
    for sample in training_samples(video, backbone, seed, _WINDOWS, _KEPT):
        rows, columns = (int(side) for side in sample.features.maps[0].shape[-2:])
        bounded = BoundedDecoder(decoder, SLICE_BYTES, (rows, columns))
        step = backbone.stride // ID_STRIDE
        for number, kept in enumerate(bounded.project(decoder.hidden(sample.features))):
            ids = sample.ids[number][: rows * step, : columns * step]
            groups = _groups(video, int(sample.frames[number]))[ids]
            cells = groups.reshape(rows, step, columns, step).max((1, 3))
            yield bounded.traits(bounded.unpack(kept)).permute(1, 2, 0).numpy(), cells


def _groups(video: RenderedVideo, frame: int) -> NDArray[np.uint8]:
    table = np.full(256, BACKGROUND, np.uint8)
    for target in video.targets:
        table[target.number] = ABNORMAL if target.abnormal_at(frame) else NORMAL
    return table


def _drawn(
    traits: NDArray[np.float32], group: NDArray[np.uint8], rng: np.random.Generator
) -> Drawn:
    """Draws cells of a slice, as many of each group."""
    flat, kinds = traits.reshape(-1, traits.shape[-1]), group.reshape(-1)
    chosen = []
    for kind in (BACKGROUND, NORMAL, ABNORMAL):
        there = np.flatnonzero(kinds == kind)
        count = min(len(there), _OF_A_SLICE)
        chosen.append(np.sort(rng.choice(there, count, replace=False)))
    places = np.concatenate(chosen)
    return flat[places], kinds[places]


def _even(parts: Sequence[Drawn], rng: np.random.Generator) -> Drawn:
    if not parts:
        raise BadInputError("no rendered footage to replay", "", "render some")
    traits, group = (np.concatenate(one) for one in zip(*parts, strict=True))
    chosen = []
    for kind in (BACKGROUND, NORMAL, ABNORMAL):
        there = np.flatnonzero(group == kind)
        chosen.append(np.sort(rng.choice(there, min(len(there), _EACH), replace=False)))
    places = np.concatenate(chosen)
    return traits[places], group[places]


def _written(pack: Pack, sample: bytes, videos: int, made: str) -> Pack:
    manifest = Manifest(**{name: getattr(pack, name) for name in Manifest.__dataclass_fields__})
    told = f"traits of cells of {videos} rendered videos{f': {made}' if made else ''}"
    parts = [one for one in manifest.parts if one.name != "replay"]
    part = Part("replay", "Apache-2.0", told)
    with tempfile.TemporaryDirectory(prefix="replay-") as name:
        files: dict[str, Path | bytes] = {}
        for inner in pack.files:
            copy = Path(name) / inner
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(pack.file(inner).read_bytes())
            files[inner] = copy
        files[REPLAY] = sample
        return write_pack(pack.folder, replace(manifest, parts=(*parts, part)), files)
