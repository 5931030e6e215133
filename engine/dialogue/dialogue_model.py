"""The parts of a pack that a dialogue needs: RAE, projector, language model (torch)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from engine.core.build import program
from engine.core.errors import BadInputError, ResourceError
from engine.core.progress import CancelToken
from engine.dialogue.chat_format import evidence_parts
from engine.dialogue.leading_target import HeatOf, LeadingTarget
from engine.dialogue.span_frames import read_window, span_steps
from engine.media import Source
from engine.packs.pack import Pack
from engine.tvad.backbones.backbone import Backbone
from engine.tvad.encoder_files import (
    ADAPTER_CONFIG,
    ADAPTER_GGUF,
    ADAPTER_WEIGHTS,
    ENCODER,
    LANGUAGE,
    PROJECTOR,
    load_encoder,
    load_projector,
)
from engine.tvad.language import llama_cpp as llama_cpp_text
from engine.tvad.language.runtime import LLAMA_CPP, TRANSFORMERS, EmbeddingPart, Part, Runtime
from engine.tvad.projector import MOST_STEP_TOKENS, VideoProjector
from engine.tvad.region_encoder import RegionAwareEncoder, two_class_maps
from engine.tvad.video_tokens import Looks, pooled_grid

AUTO = "auto"
_QWEN = "qwen2.5-vl"
_MERGE = 2


@dataclass(frozen=True, eq=False)
class SpanEvidence:
    """What a dialogue is conditioned on.

    Attributes:
        heat: float32 [T'-1, h, w], calibrated evidence at evenly spaced times of the span, 0..1;
            None leaves the anomaly tokens out.
        video: float32 [T', s, C] what the backbone gives for the span, before the projector; for
            a backbone whose own tokens the language model reads [T', s, D]; None leaves it out.
        grid: rows and columns of the video tokens of a step, where they have a grid.
    """

    heat: NDArray[np.float32] | None
    video: NDArray[np.float32] | None
    grid: tuple[int, int] | None = None


class DialogueModel:
    """Loaded parts of a pack.

    Attributes:
        runtime: the language model.
        load_s: how long loading took.
    """

    def __init__(
        self,
        runtime: Runtime,
        encoder: RegionAwareEncoder,
        projector: VideoProjector | None,
        vision_marks: bool = False,
    ) -> None:
        """Puts the parts together.

        Raises:
            BadInputError: RAE or projector are not as wide as the language model.
        """
        widths = {"RAE": encoder.config.width}
        if projector is not None:
            widths["projector"] = projector.config.width
        for name, width in widths.items():
            if width != runtime.width:
                raise BadInputError(
                    f"a {name} {width} wide for a language model {runtime.width} wide",
                    "",
                    "use a pack whose parts were trained together",
                )
        self.runtime = runtime
        self.load_s = 0.0
        self._encoder = encoder
        self._projector = projector
        self._vision_marks = vision_marks

    @torch.inference_mode()
    def parts(self, evidence: SpanEvidence) -> list[Part]:
        """Turns evidence into what stands before every question.

        Raises:
            BadInputError: the evidence is not what this pack's parts were made for.
        """
        video = anomaly = None
        if evidence.video is not None:
            rows = torch.from_numpy(np.ascontiguousarray(evidence.video))
            if self._projector is not None:
                rows = self._projector(rows)
            grid = None if evidence.grid is None else (len(rows), *evidence.grid)
            video = EmbeddingPart(_flat(rows), "video", grid)
        if evidence.heat is not None:
            maps = two_class_maps(torch.from_numpy(np.ascontiguousarray(evidence.heat)))
            anomaly = EmbeddingPart(_flat(self._encoder(maps)), "anomaly")
        return evidence_parts(video, anomaly, self._vision_marks)


def span_evidence(
    backbone: Backbone,
    source: Source,
    span: tuple[int, int],
    heat: HeatOf,
    cancel: CancelToken | None = None,
) -> SpanEvidence:
    """Gathers what a dialogue about a span is conditioned on: its target, while it stands out.

    Args:
        backbone: of the pack.
        source: the evidence.
        span: first and last frame.
        heat: gives the evidence.
        cancel: looked at between frames.

    Raises:
        BadInputError: a frame cannot be decoded.
        CancelledError: it was asked to stop.
    """
    target = LeadingTarget(span, heat)
    part = target.part(backbone.window_frames)
    steps = span_steps(*part, backbone)
    window = read_window(source, backbone, steps.shown(backbone.temporal_patch), cancel=cancel)
    if backbone.name == _QWEN:
        tokens = backbone.video_tokens(window)
        height, width = window.frames.shape[1:3]
        side = backbone.stride * _MERGE
        grid = (steps.steps, height // side, width // side)
        pooled, (_, rows, columns) = pooled_grid(tokens, grid, MOST_STEP_TOKENS)
        video = pooled.view(steps.steps, rows * columns, -1).float().cpu().numpy()
        return SpanEvidence(target(steps.heat), np.asarray(video, np.float32), (rows, columns))
    looks = Looks(backbone, window)
    return SpanEvidence(target(steps.heat), looks.tokens(target(steps.video)))


def open_dialogue_model(pack: Pack, runtime: str = AUTO, device: str = "cpu") -> DialogueModel:
    """Loads what a dialogue needs; base weights and the pack's files are hashed first.

    Args:
        pack: with RAE and adapter.
        runtime: `auto`, `transformers` or `llama.cpp`.
        device: of torch.

    Raises:
        BadInputError: a file has another hash, or the parts do not fit each other.
        ResourceError: the pack has no language model, or something is not installed.
    """
    started = time.monotonic()
    for name in (ENCODER, ADAPTER_WEIGHTS):
        if name not in pack.files:
            raise ResourceError(
                f"the pack {pack.name} has no language model ({name} is missing)",
                pack.folder,
                f"train one with: {program()} train dialogue",
            )
    if runtime not in (AUTO, TRANSFORMERS, LLAMA_CPP):
        raise BadInputError(
            "an unknown runtime", runtime, f"use {AUTO}, {TRANSFORMERS} or {LLAMA_CPP}"
        )
    encoder = load_encoder(pack.file(ENCODER))
    projector = load_projector(pack.file(PROJECTOR)) if PROJECTOR in pack.files else None
    qwen = pack.backbone.name == _QWEN
    base = pack.base(LANGUAGE if LANGUAGE in pack.backbone.folders else "model")
    language = _language(pack, base, chosen_runtime(runtime, pack), device, qwen)
    model = DialogueModel(language, encoder, projector, vision_marks=qwen)
    model.load_s = time.monotonic() - started
    return model


def chosen_runtime(runtime: str, pack: Pack) -> str:
    """Names the runtime that will answer: llama.cpp where it can, because it is faster."""
    if runtime != AUTO:
        return runtime
    can = pack.backbone.name != _QWEN and ADAPTER_GGUF in pack.files
    return LLAMA_CPP if can and llama_cpp_text.is_installed() else TRANSFORMERS


def _language(pack: Pack, base: Path, runtime: str, device: str, qwen: bool) -> Runtime:
    if runtime == LLAMA_CPP:
        from engine.tvad.language.smollm2 import float_gguf_of

        if ADAPTER_GGUF not in pack.files or qwen:
            raise ResourceError(
                f"the pack {pack.name} has no adapter for llama.cpp", pack.folder,
                "use the runtime transformers",
            )  # fmt: skip
        return llama_cpp_text.load_llama(float_gguf_of(base), pack.file(ADAPTER_GGUF))
    pack.file(ADAPTER_CONFIG)
    adapter = pack.file(ADAPTER_WEIGHTS).parent
    if qwen:
        from engine.tvad.language.qwen_runtime import load_qwen_runtime

        return load_qwen_runtime(base, adapter, device)
    from engine.tvad.language.smollm2 import safetensors_of
    from engine.tvad.language.transformers_runtime import load_transformers

    return load_transformers(safetensors_of(base), adapter, device)


def _flat(rows: torch.Tensor) -> NDArray[np.float32]:
    flat = rows.reshape(-1, rows.shape[-1])
    return np.asarray(flat.float().cpu().numpy(), np.float32)
