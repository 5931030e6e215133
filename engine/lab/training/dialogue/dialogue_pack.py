"""Puts what stage 2 trained into the pack that stage 1 made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.lab.training.decoder_pack import CARD
from engine.lab.training.dialogue.learner import ALPHA, RANK, Learner
from engine.media.hashing import hash_file
from engine.packs.pack import Manifest, Memory, Pack, Part, Training, write_pack
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
from engine.tvad.language.lora_gguf import LoraShape, write_lora_gguf

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
_LANGUAGE_MEMORY = 900 << 20
_SOURCES = {
    "smollm2-135m-instruct": Part(
        "language model", "Apache-2.0", "SmolLM2-135M-Instruct by HuggingFaceTB, frozen"
    )
}


@dataclass(frozen=True, eq=False)
class Taught:
    """What stage 2 leaves behind.

    Attributes:
        learner: trained.
        language: folder of the language model's base weights; None where it is the backbone's.
        log: of the training.
        data: what it was trained on, in words.
        command: makes it again.
        seed: of the training.
    """

    learner: Learner
    language: Path | None
    log: list[dict[str, Any]]
    data: str
    command: str
    seed: int


def add_dialogue(pack: Pack, taught: Taught, work: Path) -> Pack:
    """Writes the pack anew with RAE, projector and adapter in it.

    Args:
        pack: with AHD and prompts.
        taught: what was trained.
        work: folder for files on their way.

    Returns:
        The pack, read back and checked.

    Raises:
        BadInputError: a file of the pack is not what its manifest says.
    """
    files: dict[str, Path | bytes] = {name: _copy(pack, name, work) for name in pack.files}
    learner = taught.learner
    files[ENCODER] = encoder_bytes(learner.encoder)
    if learner.projector is not None:
        files[PROJECTOR] = projector_bytes(learner.projector)
    files |= adapter_files(learner, work)
    card = pack.file(CARD).read_text("utf-8") if CARD in pack.files else f"# {pack.name}\n"
    files[CARD] = card_with_dialogue(card, taught).encode()
    files[LOG] = (json.dumps(taught.log, indent=1) + "\n").encode()
    return write_pack(pack.folder, _manifest(pack, taught), files)


def card_with_dialogue(card: str, taught: Taught) -> str:
    """Returns a model card with a section on the dialogue before its limits, in place of an older.

    Args:
        card: Markdown as stage 1 wrote it, or stage 2 before.
        taught: what was trained.
    """
    count = sum(one.numel() for _, one in taught.learner.trained())
    losses = [one["loss"] for one in taught.log if one["phase"] != "aligning"]
    loss = f"; loss {losses[0]:.2f} to {losses[-1]:.2f}" if losses else ""
    section = _SECTION.format(
        data=taught.data, command=taught.command, seed=taught.seed, count=count, loss=loss
    )
    before, mark, limits = card.partition(_LIMITS)
    return f"{before.partition(_DIALOGUE)[0].rstrip()}\n\n{section}{mark}{limits}"


def _copy(pack: Pack, name: str, work: Path) -> Path:
    """Takes a file out of the pack's folder, which is about to be replaced."""
    to = work / "pack" / name
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_bytes(pack.file(name).read_bytes())
    return to


def adapter_files(learner: Learner, work: Path) -> dict[str, Path | bytes]:
    """Returns the adapter as PEFT lays it out and, for a Llama, as GGUF.

    Args:
        learner: holds the adapter.
        work: folder for the GGUF on its way.
    """
    from safetensors.torch import save

    tensors = {name: one.detach().cpu().contiguous() for name, one in learner.lora().items()}
    config = learner.model.peft_config["default"].to_dict()
    plain = {name: _plain(value) for name, value in sorted(config.items())}
    # The folder in which the base model lay says nothing about it and differs between machines.
    plain |= {"base_model_name_or_path": "", "inference_mode": True}
    files: dict[str, Path | bytes] = {
        ADAPTER_CONFIG: (json.dumps(plain, indent=1, sort_keys=True) + "\n").encode(),
        ADAPTER_WEIGHTS: bytes(save(tensors, {"format": "pt"})),
    }
    if learner.model.config.model_type == "llama":
        path = work / f"{ADAPTER}.gguf"
        arrays = {name: np.asarray(one.float().numpy()) for name, one in tensors.items()}
        heads = int(learner.model.config.num_attention_heads)
        write_lora_gguf(path, arrays, LoraShape(RANK, float(ALPHA), heads))
        files[ADAPTER_GGUF] = path
    return files


def _plain(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    return getattr(value, "value", value)


def _manifest(pack: Pack, taught: Taught) -> Manifest:
    values = {name: getattr(pack, name) for name in Manifest.__dataclass_fields__}
    manifest = Manifest(**values)
    told = f"trained by Sightline on {taught.data}"
    new = [Part(name, "Apache-2.0", told) for name in ("rae", "projector", "adapter")]
    if taught.learner.projector is None:
        new = [one for one in new if one.name != "projector"]
    backbone, memory = manifest.backbone, manifest.memory
    if taught.language is not None:
        source = Part("language model", "see its folder", taught.language.name)
        new.append(_SOURCES.get(taught.language.name, source))
        files = {
            f"{taught.language.name}/{path.name}": str(hash_file(path)["sha256"])
            for path in sorted(taught.language.iterdir())
            if path.suffix in (".gguf", ".safetensors", ".json")
        }
        backbone = replace(
            backbone,
            folders={**backbone.folders, LANGUAGE: taught.language.name},
            files={**backbone.files, **files},
        )
        before = memory.cpu if LANGUAGE not in manifest.backbone.folders else None
        if before is not None:
            memory = Memory(before + _LANGUAGE_MEMORY, memory.gpu)
    named = {one.name for one in new}
    kept = tuple(one for one in manifest.parts if one.name not in named)
    count = sum(one.numel() for _, one in taught.learner.trained())
    return replace(
        manifest,
        version=_raised(manifest.version),
        parts=(*kept, *new),
        backbone=backbone,
        memory=memory,
        sizes={**manifest.sizes, "dialogue_parameters": count},
        training=Training(
            f"{manifest.training.data.split('; dialogue:')[0]}; dialogue: {taught.data}",
            f"{manifest.training.command.split(' && ')[0]} && {taught.command}",
            tuple(dict.fromkeys((*manifest.training.seeds, taught.seed))),
        ),
    )


def _raised(version: str) -> str:
    """Raises the second number of a version."""
    numbers = version.split(".")
    if len(numbers) < 2 or not numbers[1].isdigit():
        return version
    return ".".join([numbers[0], str(int(numbers[1]) + 1), *numbers[2:]])
