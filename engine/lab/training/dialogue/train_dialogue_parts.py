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
from engine.lab.datasets.rendered import rendered_by, rendered_videos
from engine.lab.dialogue_corpus.samples.built_samples import built_sample_files
from engine.lab.dialogue_corpus.samples.dialogue_samples import (
    DialogueSample,
    SampleFile,
    kept_samples,
)
from engine.lab.dialogue_corpus.samples.rendered_samples import SampleRequest, rendered_sample_files
from engine.lab.training.dialogue.dialogue_pack import Taught, add_dialogue
from engine.lab.training.dialogue.learner import Learner, with_lora
from engine.lab.training.dialogue.stage2 import Stage2, Stage2Settings
from engine.packs.pack import Pack, find_pack
from engine.packs.pack_folders import weights_folders
from engine.tvad.backbones.backbone import Backbone
from engine.tvad.backbones.registry import open_backbone, single_threaded
from engine.tvad.projector import ProjectorConfig, VideoProjector
from engine.tvad.region_encoder import EncoderConfig, RegionAwareEncoder
from engine.tvad.video_tokens import CONTEXT, STEP_TOKENS, LookWidth

COMPACT_LANGUAGE = "smollm2-135m-instruct"


@dataclass(frozen=True)
class BuiltDialogues:
    """Dialogues of `dialogues build`.

    Attributes:
        folder: it wrote into.
        dataset: it read.
    """

    folder: Path
    dataset: Dataset


@dataclass(frozen=True)
class DialogueRequest:
    """What to train.

    Attributes:
        data: folders that `synth` wrote, each with a split train.
        built: dialogues that were built from a data set, to learn from as well.
        pack: pack that stage 1 made; gets RAE, projector and adapter.
        work: folder of samples and state.
        settings: of the training.
        samples: how spans are drawn.
        language: folder of the language model's weights; None takes the one for compact, or the
            backbone's own.
        fresh: begins anew where a training was stopped.
        command: as it was given, for the pack.
    """

    data: tuple[Path, ...]
    pack: Path
    work: Path
    built: BuiltDialogues | None = None
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
        cancel: looked at between videos and steps; a stopped training goes on when it is started
            again.

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
    begun = time.monotonic()
    backbone = open_backbone(pack)
    videos, samples = _samples(request, pack, backbone, progress, cancel)
    made = time.monotonic()
    torch.set_num_threads(request.settings.threads)
    language, learner = _learner(request, pack, backbone)
    run = Stage2(learner, samples, request.settings, request.work / "state")
    run.run(progress, cancel)
    trained = time.monotonic()
    made_by = [f"dialogues built from {request.built.dataset.name}"] if request.built else []
    made_by += [said for said in (rendered_by(one, "train") for one in request.data) if said]
    data = f"{videos} rendered videos ({len(samples)} spans)"
    data = ": ".join([data, *(["; ".join(made_by)] if made_by else [])])
    taught = Taught(learner, language, run.log, data, request.command, request.settings.seed)
    written = add_dialogue(pack, taught, request.work)
    losses = [one["loss"] for one in run.log if one["phase"] != "aligning"]
    return {
        "pack": str(written.folder),
        "steps": request.settings.steps,
        "samples": len(samples),
        "abnormal": sum(one.truth.target is not None for one in samples),
        "measured": sum(len(one.seen) > 1 for one in samples),
        "first_loss": losses[0] if losses else None,
        "last_loss": losses[-1] if losses else None,
        "seconds": {
            "samples": round(made - begun, 1),
            "training": round(trained - made, 1),
        },
    }


def _samples(
    request: DialogueRequest,
    pack: Pack,
    backbone: Backbone,
    progress: ProgressCallback,
    cancel: CancelToken,
) -> tuple[int, list[DialogueSample]]:
    """Makes the samples of every folder, of which the first have the videos to be analysed.

    Returns:
        How many videos there are, and their samples.
    """
    files: list[SampleFile] = []
    for place, folder in enumerate(request.data):
        videos = rendered_videos(folder, "train")
        analysed = max(0, request.samples.analysed - len(files))
        wanted = replace(request.samples, analysed=analysed)
        # Folders of different seeds have videos of one name.
        files += rendered_sample_files(videos, wanted, request.work / "samples" / str(place))
    if request.built is not None:
        built, kept = request.built, request.work / "samples" / "built"
        files += built_sample_files(built.folder, built.dataset, "train", kept)
    # A backbone that is brought along may be too large to be loaded twice.
    several = backbone.name == "compact"
    load = partial(single_threaded, partial(open_backbone, pack)) if several else lambda: backbone
    samples = kept_samples(files, load, cores() if several else 1, progress, cancel)
    return len(files), list(samples)


def _learner(
    request: DialogueRequest, pack: Pack, backbone: Backbone
) -> tuple[Path | None, Learner]:
    torch.manual_seed(request.settings.seed)
    if backbone.name == "qwen2.5-vl":
        from engine.tvad.language.qwen_runtime import load_qwen_model

        model, tokenizer = load_qwen_model(pack.base("model"))
        width = int(model.config.text_config.hidden_size)
        encoder = RegionAwareEncoder(EncoderConfig(width))
        return None, Learner(with_lora(model), tokenizer, encoder, None, request.settings.half)
    if backbone.name != "compact" and request.language is None:
        raise BadInputError(
            f"the backbone {backbone.name} has no language model", "", "name one with --language"
        )
    language = request.language or _base_folder(COMPACT_LANGUAGE)
    from engine.tvad.language.smollm2 import safetensors_of
    from engine.tvad.language.transformers_runtime import load_base

    model, tokenizer = load_base(safetensors_of(language))
    width = int(model.config.hidden_size)
    inputs = LookWidth(backbone.widths).inputs
    projector = VideoProjector(ProjectorConfig(inputs, width, STEP_TOKENS, context=CONTEXT))
    encoder = RegionAwareEncoder(EncoderConfig(width))
    return language, Learner(with_lora(model), tokenizer, encoder, projector, request.settings.half)


def _base_folder(name: str) -> Path:
    for place in weights_folders():
        if (place / name).is_dir():
            return place / name
    raise ResourceError("the language model is missing", name, "run the set-up again")
