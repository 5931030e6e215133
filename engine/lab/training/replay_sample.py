"""Adds a replay sample to a pack: cell features of rendered footage for few-shot teaching."""

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
from engine.lab.datasets.rendered_footage import RenderedVideo, rendered_videos, rendering_command
from engine.lab.training.pack_contents import copy_files, manifest_of
from engine.lab.training.window_samples import ID_STRIDE, window_samples
from engine.packs.manifest_schema import Part
from engine.packs.pack import Pack, write_pack
from engine.tvad.backbones.backbone import Backbone
from engine.tvad.backbones.registry import open_backbone
from engine.tvad.decoder_file import DECODER, load_decoder
from engine.tvad.feature_codec import FeatureCodec
from engine.tvad.heatmap_decoder import AnomalyHeatmapDecoder
from engine.tvad.replay_file import REPLAY, replay_bytes

_WINDOWS, _SLICES = 3, 2  # windows of each video and slices of each window; a choice
_MAX_CELLS = 20_000  # of each group in the sample, which bounds the size of a pack; a choice
_MAX_SLICE_CELLS = 96  # of each group in a slice, so that no slice dominates; a choice

CellSample = tuple[NDArray[np.float32], NDArray[np.uint8]]


def add_replay(
    pack: Pack, data: Path, videos: int, seed: int, progress: ProgressCallback, cancel: CancelToken
) -> Pack:
    """Writes the pack anew with a sample of rendered cell features in it.

    Same pack, footage and seed on the same machine: the same bytes.

    Args:
        pack: a pack with a decoder.
        data: a folder that `synth` wrote, with the split train.
        videos: how many of its videos are read, evenly spread.
        seed: draws variations, windows and cells.
        progress: told after each video.
        cancel: looked at between videos.

    Raises:
        BadInputError: footage or pack are not what they must be.
        ResourceError: base weights are missing.
        CancelledError: the user stopped; the pack is as it was.
    """
    all_videos = rendered_videos(data, "train")
    spread = np.linspace(0, len(all_videos) - 1, min(videos, len(all_videos))).round().astype(int)
    chosen = [all_videos[number] for number in np.unique(spread).tolist()]
    samples: list[CellSample] = []
    backbone = open_backbone(pack)
    decoder = load_decoder(pack.file(DECODER))
    for number, video in enumerate(chosen):
        cancel.check()
        rng = np.random.default_rng([seed, number])
        for cell_features, group in _slices(video, backbone, decoder, seed):
            samples.append(_draw_cells(cell_features, group, rng))
        progress(Progress("reading rendered footage", number + 1, len(chosen), unit="videos"))
    cell_features, group = _draw_evenly(samples, np.random.default_rng(seed))
    return _write_pack(
        pack, replay_bytes(cell_features, group), len(chosen), rendering_command(data, "train")
    )


def _slices(
    video: RenderedVideo, backbone: Backbone, decoder: AnomalyHeatmapDecoder, seed: int
) -> Iterator[CellSample]:
    """Yields cell features [R, C, M] and groups [R, C] of some slices of a video."""
    for sample in window_samples(video, backbone, seed, _WINDOWS, _SLICES):
        rows, columns = (int(side) for side in sample.features.maps[0].shape[-2:])
        codec = FeatureCodec(decoder, SLICE_BYTES, (rows, columns))
        step = backbone.stride // ID_STRIDE
        for number, packed in enumerate(codec.project(decoder.hidden_maps(sample.features))):
            ids = sample.ids[number][: rows * step, : columns * step]
            groups = _groups(video, int(sample.frames[number]))[ids]
            cells = groups.reshape(rows, step, columns, step).max((1, 3))
            yield codec.cell_features(codec.unpack(packed)).permute(1, 2, 0).numpy(), cells


def _groups(video: RenderedVideo, frame: int) -> NDArray[np.uint8]:
    table = np.full(256, BACKGROUND, np.uint8)
    for target in video.targets:
        table[target.number] = ABNORMAL if target.abnormal_at(frame) else NORMAL
    return table


def _draw_cells(
    cell_features: NDArray[np.float32], group: NDArray[np.uint8], rng: np.random.Generator
) -> CellSample:
    """Draws cells of a slice, as many of each group."""
    flat, kinds = cell_features.reshape(-1, cell_features.shape[-1]), group.reshape(-1)
    chosen = []
    for kind in (BACKGROUND, NORMAL, ABNORMAL):
        candidates = np.flatnonzero(kinds == kind)
        count = min(len(candidates), _MAX_SLICE_CELLS)
        chosen.append(np.sort(rng.choice(candidates, count, replace=False)))
    indices = np.concatenate(chosen)
    return flat[indices], kinds[indices]


def _draw_evenly(samples: Sequence[CellSample], rng: np.random.Generator) -> CellSample:
    if not samples:
        raise BadInputError("no rendered footage to replay", "", "render some")
    cell_features, group = (np.concatenate(values) for values in zip(*samples, strict=True))
    chosen = []
    for kind in (BACKGROUND, NORMAL, ABNORMAL):
        candidates = np.flatnonzero(group == kind)
        count = min(len(candidates), _MAX_CELLS)
        chosen.append(np.sort(rng.choice(candidates, count, replace=False)))
    indices = np.concatenate(chosen)
    return cell_features[indices], group[indices]


def _write_pack(pack: Pack, sample: bytes, videos: int, command: str) -> Pack:
    manifest = manifest_of(pack)
    origin = f"traits of cells of {videos} rendered videos{f': {command}' if command else ''}"
    parts = [part for part in manifest.parts if part.name != "replay"]
    replay = Part("replay", "Apache-2.0", origin)
    with tempfile.TemporaryDirectory(prefix="replay-") as folder:
        files = {**copy_files(pack, Path(folder)), REPLAY: sample}
        return write_pack(pack.folder, replace(manifest, parts=(*parts, replay)), files)
