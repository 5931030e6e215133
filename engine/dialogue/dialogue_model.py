"""The parts of a pack that a dialogue needs: RAE, projector and language model (in torch)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from engine.core.build import program
from engine.core.errors import BadInputError, ResourceError
from engine.dialogue.chat_format import input_parts
from engine.dialogue.dialogue_inputs import DialogueInputs
from engine.packs.pack import Pack
from engine.tvad.backbones.registry import kind_of
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
from engine.tvad.projector import VideoProjector
from engine.tvad.region_encoder import RegionAwareEncoder, two_class_maps

AUTO = "auto"


class DialogueModel:
    """The loaded parts of a pack that turn dialogue inputs into answers.

    Attributes:
        runtime: the language model.
    """

    def __init__(
        self,
        runtime: Runtime,
        encoder: RegionAwareEncoder,
        projector: VideoProjector | None,
        vision_marks: bool = False,
    ) -> None:
        """Takes loaded parts and checks that they fit each other.

        Raises:
            BadInputError: RAE or projector have another width than the language model.
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
        self._encoder = encoder
        self._projector = projector
        self._vision_marks = vision_marks

    @torch.inference_mode()
    def parts(self, inputs: DialogueInputs) -> list[Part]:
        """Returns dialogue inputs as the parts that precede the first question.

        Raises:
            BadInputError: the inputs do not have the shape that this pack was trained for.
        """
        video = anomaly = None
        if inputs.video is not None:
            rows = torch.from_numpy(np.ascontiguousarray(inputs.video))
            if self._projector is not None:
                rows = self._projector(rows)
            grid = None if inputs.grid is None else (len(rows), *inputs.grid)
            video = EmbeddingPart(_as_rows(rows), "video", grid)
        if inputs.heat is not None:
            maps = two_class_maps(torch.from_numpy(np.ascontiguousarray(inputs.heat)))
            anomaly = EmbeddingPart(_as_rows(self._encoder(maps)), "anomaly")
        return input_parts(video, anomaly, self._vision_marks)


def open_dialogue_model(pack: Pack, runtime: str = AUTO, device: str = "cpu") -> DialogueModel:
    """Loads the parts of a pack that a dialogue needs, after hashing them and the base weights.

    Args:
        pack: a pack with RAE and adapter.
        runtime: `auto`, `transformers` or `llama.cpp`.
        device: the torch device.

    Raises:
        BadInputError: a file has another hash, or the parts do not fit each other.
        ResourceError: the pack has no language model, or something is not installed.
    """
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
    base = pack.base(LANGUAGE if LANGUAGE in pack.backbone.folders else "model")
    language = _load_language_model(pack, base, _choose_runtime(runtime, pack), device)
    vision_marks = kind_of(pack).own_language is not None
    return DialogueModel(language, encoder, projector, vision_marks)


def _choose_runtime(runtime: str, pack: Pack) -> str:
    """Returns the runtime to use: of `auto` llama.cpp where the pack allows it, as it is faster."""
    if runtime != AUTO:
        return runtime
    can = kind_of(pack).own_language is None and ADAPTER_GGUF in pack.files
    return LLAMA_CPP if can and llama_cpp_text.is_installed() else TRANSFORMERS


def _load_language_model(pack: Pack, base: Path, runtime: str, device: str) -> Runtime:
    own_language = kind_of(pack).own_language
    if runtime == LLAMA_CPP:
        from engine.tvad.language.smollm2 import float_gguf_of

        if ADAPTER_GGUF not in pack.files or own_language is not None:
            raise ResourceError(
                f"the pack {pack.name} has no adapter for llama.cpp", pack.folder,
                "use the runtime transformers",
            )  # fmt: skip
        return llama_cpp_text.load_llama(float_gguf_of(base), pack.file(ADAPTER_GGUF))
    pack.file(ADAPTER_CONFIG)
    adapter = pack.file(ADAPTER_WEIGHTS).parent
    if own_language is not None:
        return own_language.load_runtime(base, adapter, device)
    from engine.tvad.language.smollm2 import safetensors_of
    from engine.tvad.language.transformers_runtime import load_transformers

    return load_transformers(safetensors_of(base), adapter, device)


def _as_rows(rows: torch.Tensor) -> NDArray[np.float32]:
    flat = rows.reshape(-1, rows.shape[-1])
    return np.asarray(flat.float().cpu().numpy(), np.float32)
