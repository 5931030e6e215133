"""Adds the results of stage 2 to the pack that stage 1 made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.lab.training.decoder_pack import CARD
from engine.lab.training.dialogue.lora_gguf import LoraShape, write_lora_gguf
from engine.lab.training.dialogue.trainable_model import ALPHA, RANK, TrainableDialogueModel
from engine.lab.training.pack_contents import copy_files, manifest_of
from engine.media.hashing import hash_file
from engine.packs.manifest_schema import Manifest, Memory, Part, Training
from engine.packs.pack import Pack, write_pack
from engine.tvad.encoder_files import (
    ADAPTER,
    ADAPTER_CONFIG,
    ADAPTER_GGUF,
    ADAPTER_WEIGHTS,
    ENCODER,
    LANGUAGE,
    PROJECTOR,
    encoder_bytes,
    projector_bytes,
)

LOG = "stage2-log.json"
_LIMITS = "\n## Limits\n"
_DIALOGUE = "\n## Dialogue\n"
_SECTION = f"""{_DIALOGUE.lstrip()}
Region-aware Anomaly Encoder, video projector and LoRA adapter: {{count:,}} parameters; the
language model stays as it is. Trained on {{data}}, and on nothing else: no real footage. Command:
`{{command}}`. Seed: {{seed}}{{loss}}. `{LOG}` holds the course of the training,
`docs/evaluation.md` the figures with their controls.

It answers in the few sentences and words it was taught, about people and vehicles as they were
rendered; places, colours and actions can be wrong, and the measured facts beside an answer are what
counts.
"""
_LANGUAGE_MEMORY = 900 << 20  # of SmolLM2-135M while it answers; a choice on the safe side
_SOURCES = {
    "smollm2-135m-instruct": Part(
        "language model", "Apache-2.0", "SmolLM2-135M-Instruct by HuggingFaceTB, frozen"
    )
}


@dataclass(frozen=True, eq=False)
class TrainedDialogue:
    """The results of stage 2.

    Attributes:
        model: the language model with RAE and projector, trained.
        language: folder of the language model's base weights; None where it is the backbone's.
        log: log of the training.
        data: what it was trained on, in words.
        command: the command that makes it again.
        seed: seed of the training.
    """

    model: TrainableDialogueModel
    language: Path | None
    log: list[dict[str, Any]]
    data: str
    command: str
    seed: int


def add_dialogue(pack: Pack, outcome: TrainedDialogue, work: Path) -> Pack:
    """Writes the pack anew with RAE, projector and adapter in it.

    Args:
        pack: a pack with AHD and prompts.
        outcome: the results of stage 2.
        work: folder for temporary files.

    Returns:
        The pack, read back and checked.

    Raises:
        BadInputError: a file of the pack is not what its manifest says.
    """
    files = copy_files(pack, work / "pack")
    model = outcome.model
    files[ENCODER] = encoder_bytes(model.encoder)
    if model.projector is not None:
        files[PROJECTOR] = projector_bytes(model.projector)
    files |= adapter_files(model, work)
    card = pack.file(CARD).read_text("utf-8") if CARD in pack.files else f"# {pack.name}\n"
    files[CARD] = card_with_dialogue(card, outcome).encode()
    files[LOG] = (json.dumps(outcome.log, indent=1) + "\n").encode()
    return write_pack(pack.folder, _manifest(pack, outcome), files)


def card_with_dialogue(card: str, outcome: TrainedDialogue) -> str:
    """Returns a model card with a section on the dialogue before its limits.

    Args:
        card: Markdown of stage 1, or of an earlier stage 2, whose section is replaced.
        outcome: the results of stage 2.
    """
    count = sum(parameter.numel() for _, parameter in outcome.model.trainable_parameters())
    losses = [entry["loss"] for entry in outcome.log if entry["phase"] != "aligning"]
    loss = f"; loss {losses[0]:.2f} to {losses[-1]:.2f}" if losses else ""
    section = _SECTION.format(
        data=outcome.data, command=outcome.command, seed=outcome.seed, count=count, loss=loss
    )
    before, mark, limits = card.partition(_LIMITS)
    return f"{before.partition(_DIALOGUE)[0].rstrip()}\n\n{section}{mark}{limits}"


def adapter_files(model: TrainableDialogueModel, work: Path) -> dict[str, Path | bytes]:
    """Returns the adapter as PEFT lays it out and, for a Llama, as GGUF.

    Args:
        model: the model with the adapter.
        work: folder for the temporary GGUF.
    """
    from safetensors.torch import save

    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.lora().items()}
    config = model.model.peft_config["default"].to_dict()
    plain = {name: _plain(value) for name, value in sorted(config.items())}
    # The folder of the base model differs between machines and says nothing about the adapter.
    plain |= {"base_model_name_or_path": "", "inference_mode": True}
    files: dict[str, Path | bytes] = {
        ADAPTER_CONFIG: (json.dumps(plain, indent=1, sort_keys=True) + "\n").encode(),
        ADAPTER_WEIGHTS: bytes(save(tensors, {"format": "pt"})),
    }
    if model.model.config.model_type == "llama":
        path = work / f"{ADAPTER}.gguf"
        arrays = {name: np.asarray(tensor.float().numpy()) for name, tensor in tensors.items()}
        heads = int(model.model.config.num_attention_heads)
        write_lora_gguf(path, arrays, LoraShape(RANK, float(ALPHA), heads))
        files[ADAPTER_GGUF] = path
    return files


def _plain(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    return getattr(value, "value", value)


def _manifest(pack: Pack, outcome: TrainedDialogue) -> Manifest:
    manifest = manifest_of(pack)
    origin = f"trained by Sightline on {outcome.data}"
    new = [Part(name, "Apache-2.0", origin) for name in ("rae", "projector", "adapter")]
    if outcome.model.projector is None:
        new = [part for part in new if part.name != "projector"]
    backbone, memory = manifest.backbone, manifest.memory
    if outcome.language is not None:
        source = Part("language model", "see its folder", outcome.language.name)
        new.append(_SOURCES.get(outcome.language.name, source))
        files = {
            f"{outcome.language.name}/{path.name}": str(hash_file(path)["sha256"])
            for path in sorted(outcome.language.iterdir())
            if path.suffix in (".gguf", ".safetensors", ".json")
        }
        backbone = replace(
            backbone,
            folders={**backbone.folders, LANGUAGE: outcome.language.name},
            files={**backbone.files, **files},
        )
        before = memory.cpu if LANGUAGE not in manifest.backbone.folders else None
        if before is not None:
            memory = Memory(before + _LANGUAGE_MEMORY, memory.gpu)
    new_names = {part.name for part in new}
    others = tuple(part for part in manifest.parts if part.name not in new_names)
    count = sum(parameter.numel() for _, parameter in outcome.model.trainable_parameters())
    return replace(
        manifest,
        version=_next_minor_version(manifest.version),
        parts=(*others, *new),
        backbone=backbone,
        memory=memory,
        sizes={**manifest.sizes, "dialogue_parameters": count},
        training=Training(
            f"{manifest.training.data.split('; dialogue:')[0]}; dialogue: {outcome.data}",
            f"{manifest.training.command.split(' && ')[0]} && {outcome.command}",
            tuple(dict.fromkeys((*manifest.training.seeds, outcome.seed))),
        ),
    )


def _next_minor_version(version: str) -> str:
    """Raises the second number of a version."""
    numbers = version.split(".")
    if len(numbers) < 2 or not numbers[1].isdigit():
        return version
    return ".".join([numbers[0], str(int(numbers[1]) + 1), *numbers[2:]])
