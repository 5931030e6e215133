"""Stage 2 from footage to pack: samples, training, adapter, pack."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from engine.core.errors import BadInputError, ResourceError
from engine.core.processes import cores
from engine.core.progress import CancelToken, ProgressCallback
from engine.lab.datasets.dataset import Dataset
from engine.lab.datasets.rendered_footage import rendered_videos, rendering_command
from engine.lab.dialogue_corpus.samples.corpus_samples import corpus_sample_files
from engine.lab.dialogue_corpus.samples.dialogue_samples import (
    DialogueSample,
    SampleFile,
    cached_samples,
)
from engine.lab.dialogue_corpus.samples.rendered_samples import SampleRequest, rendered_sample_files
from engine.lab.training.dialogue.dialogue_pack import TrainedDialogue, add_dialogue
from engine.lab.training.dialogue.stage2 import Stage2, Stage2Settings
from engine.lab.training.dialogue.trainable_model import TrainableDialogueModel, with_lora
from engine.lab.training.feature_cache import load_single_threaded
from engine.packs.pack import Pack, find_pack
from engine.packs.pack_folders import weights_folders
from engine.tvad.backbones.backbone import Backbone
from engine.tvad.backbones.registry import BACKBONES, open_backbone
from engine.tvad.projector import ProjectorConfig, VideoProjector
from engine.tvad.region_encoder import EncoderConfig, RegionAwareEncoder
from engine.tvad.video_tokens import CONTEXT_VALUES, VIDEO_STEP_TOKENS, token_width


@dataclass(frozen=True)
class DialogueCorpus:
    """A dialogue corpus with its footage.

    Attributes:
        folder: the folder that `dialogues build` wrote.
        dataset: the data set that it was built from.
    """

    folder: Path
    dataset: Dataset


@dataclass(frozen=True)
class DialogueRequest:
    """What to train.

    Attributes:
        data: folders that `synth` wrote, each with a split train.
        pack: the pack that stage 1 made; gets RAE, projector and adapter.
        work: folder of samples and state.
        corpus: a dialogue corpus to train on as well.
        settings: settings of the training.
        samples: how spans are drawn.
        language: folder of the language model's weights; None takes the one for compact, or the
            backbone's own.
        fresh: whether a training that was stopped is not resumed.
        command: the command line, for the manifest of the pack.
    """

    data: tuple[Path, ...]
    pack: Path
    work: Path
    corpus: DialogueCorpus | None = None
    settings: Stage2Settings = field(default_factory=Stage2Settings)
    samples: SampleRequest = field(default_factory=lambda: SampleRequest(1, 4, 0))
    language: Path | None = None
    fresh: bool = False
    command: str = ""


def train_dialogue(
    request: DialogueRequest, progress: ProgressCallback, cancel: CancelToken
) -> dict[str, Any]:
    """Trains RAE, projector and LoRA, and writes them into the pack.

    Args:
        request: what to train.
        progress: told about videos and steps.
        cancel: looked at between videos and steps; a stopped training is resumed when it is
            started again.

    Returns:
        A summary in JSON values: pack, steps, samples, first and last loss, seconds by stage.

    Raises:
        BadInputError: footage or pack are not what they must be.
        ResourceError: weights are missing, or there is no room.
        CancelledError: the user stopped.
    """
    pack = find_pack(request.pack)
    if request.fresh:
        shutil.rmtree(request.work / "state", ignore_errors=True)
    start_s = time.monotonic()
    backbone = open_backbone(pack)
    videos, samples = _samples(request, pack, backbone, progress, cancel)
    training_start_s = time.monotonic()
    torch.set_num_threads(request.settings.threads)
    language, model = _new_model(request, pack, backbone)
    run = Stage2(model, samples, request.settings, request.work / "state")
    run.run(progress, cancel)
    training_end_s = time.monotonic()
    data = _describe_data(request, videos, len(samples))
    outcome = TrainedDialogue(
        model, language, run.log, data, request.command, request.settings.seed
    )
    written = add_dialogue(pack, outcome, request.work)
    losses = [entry["loss"] for entry in run.log if entry["phase"] != "aligning"]
    return {
        "pack": str(written.folder),
        "steps": request.settings.steps,
        "samples": len(samples),
        "abnormal": sum(sample.truth.target is not None for sample in samples),
        "measured": sum(len(sample.inputs) > 1 for sample in samples),
        "first_loss": losses[0] if losses else None,
        "last_loss": losses[-1] if losses else None,
        "seconds": {
            "samples": round(training_start_s - start_s, 1),
            "training": round(training_end_s - training_start_s, 1),
        },
    }


def _describe_data(request: DialogueRequest, videos: int, spans: int) -> str:
    """Returns what a training used, in words, with the commands that make it."""
    corpus = request.corpus
    origins = [f"dialogues built from {corpus.dataset.name}"] if corpus is not None else []
    commands = (rendering_command(folder, "train") for folder in request.data)
    origins += [command for command in commands if command]
    data = f"{videos} rendered videos ({spans} spans)"
    return f"{data}: {'; '.join(origins)}" if origins else data


def _samples(
    request: DialogueRequest,
    pack: Pack,
    backbone: Backbone,
    progress: ProgressCallback,
    cancel: CancelToken,
) -> tuple[int, list[DialogueSample]]:
    """Makes the samples of every folder; the videos to be analysed are in the first ones.

    Returns:
        How many videos there are, and their samples.
    """
    files: list[SampleFile] = []
    for index, folder in enumerate(request.data):
        videos = rendered_videos(folder, "train")
        analysed = max(0, request.samples.analysed - len(files))
        sample_request = replace(request.samples, analysed=analysed)
        # Videos of folders with different seeds have the same names.
        sample_folder = request.work / "samples" / str(index)
        files += rendered_sample_files(videos, sample_request, sample_folder)
    if (corpus := request.corpus) is not None:
        sample_folder = request.work / "samples" / "built"
        files += corpus_sample_files(corpus.folder, corpus.dataset, "train", sample_folder)
    # A backbone that is brought along may be too large to be loaded twice.
    several = BACKBONES[backbone.name].shipped is not None
    load = (
        partial(load_single_threaded, partial(open_backbone, pack)) if several else lambda: backbone
    )
    samples = cached_samples(files, load, cores() if several else 1, progress, cancel)
    return len(files), list(samples)


def _new_model(
    request: DialogueRequest, pack: Pack, backbone: Backbone
) -> tuple[Path | None, TrainableDialogueModel]:
    torch.manual_seed(request.settings.seed)
    kind = BACKBONES[backbone.name]
    if kind.own_language is not None:
        model, tokenizer = kind.own_language.load_model(pack.base("model"))
        width = int(model.config.text_config.hidden_size)
        encoder = RegionAwareEncoder(EncoderConfig(width))
        return None, TrainableDialogueModel(
            with_lora(model), tokenizer, encoder, None, request.settings.half
        )
    language = request.language
    if language is None:
        if kind.shipped is None:
            what = f"the backbone {backbone.name} has no language model"
            raise BadInputError(what, "", "name one with --language")
        language = _base_folder(kind.shipped.language)
    from engine.tvad.language.smollm2 import safetensors_of
    from engine.tvad.language.transformers_runtime import load_base

    model, tokenizer = load_base(safetensors_of(language))
    width = int(model.config.hidden_size)
    inputs = token_width(backbone.widths)
    projector = VideoProjector(
        ProjectorConfig(inputs, width, VIDEO_STEP_TOKENS, context=CONTEXT_VALUES)
    )
    encoder = RegionAwareEncoder(EncoderConfig(width))
    return language, TrainableDialogueModel(
        with_lora(model), tokenizer, encoder, projector, request.settings.half
    )


def _base_folder(name: str) -> Path:
    for folder in weights_folders():
        if (folder / name).is_dir():
            return folder / name
    raise ResourceError("the language model is missing", name, "run the set-up again")
