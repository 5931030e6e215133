"""Embedded paraphrases of every class, and the prompts drawn for a sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from engine.lab.synthesis.phrases import ABNORMAL, NORMAL, Phrases
from engine.packs.prompt_sets import Templates
from engine.tvad.backbones.backbone import Backbone
from engine.tvad.prompt_embeddings import embed_words

GENERIC = ("anomaly", "abnormal event", "something unusual", "suspicious behaviour")
"""Words for whatever is abnormal."""

_SET_SHARE = 0.5  # of the samples with a set of several classes; the others have a generic phrase
_MAX_ABSENT = 2  # classes in the prompts of a sample that are not in it; a choice
_MIN_NORMAL, _MAX_NORMAL = 3, 8  # normal prompts of a sample: about what an examiner writes
_NORMAL_TARGET_SHARE = 0.3  # of the samples in which a normal class is a target too; a choice
_ALL_NORMAL_SHARE = 0.3  # of the samples that have every normal prompt; a choice


@dataclass(frozen=True, eq=False)
class PromptBank:
    """Embeddings of phrases at word level.

    Attributes:
        training: float32 [n, D] by class, what training draws from.
        held_out: float32 [n, D] by class, what only tests use.
        generic: float32 [n, D], embeddings of `GENERIC`.
    """

    training: Mapping[str, torch.Tensor]
    held_out: Mapping[str, torch.Tensor]
    generic: torch.Tensor

    @property
    def centre(self) -> torch.Tensor:
        """The mean over classes of all training phrases, float32 [D]."""
        return torch.stack([rows.mean(0) for rows in self.training.values()]).mean(0)

    def normal(self, without: Sequence[str] = ()) -> torch.Tensor:
        """Returns all training phrases of normal classes but some, float32 [n, D]."""
        return torch.cat([self.training[name] for name in NORMAL if name not in without])

    def of_class(self, name: str, held_out: bool = False) -> torch.Tensor:
        """Returns the mean embedding of a class, float32 [1, D]."""
        rows = self.held_out[name] if held_out else self.training[name]
        return rows.mean(0, keepdim=True)


@dataclass(frozen=True, eq=False)
class DrawnPrompts:
    """The prompts of one sample.

    Attributes:
        normal: float32 [N, D].
        abnormal: float32 [P, D], one embedding for each prompt.
        classes: for each abnormal prompt the classes that it describes.
    """

    normal: torch.Tensor
    abnormal: torch.Tensor
    classes: tuple[frozenset[str], ...]


def embed_phrases(backbone: Backbone, templates: Templates) -> PromptBank:
    """Embeds all phrases of the rendered classes once."""
    phrases: dict[str, Phrases] = {**ABNORMAL, **NORMAL}

    def embed(words: Sequence[str]) -> torch.Tensor:
        return embed_words(backbone, words, templates).cpu()

    return PromptBank(
        {name: embed(class_phrases.training) for name, class_phrases in phrases.items()},
        {name: embed(class_phrases.held_out) for name, class_phrases in phrases.items()},
        embed(GENERIC),
    )


def draw_prompts(
    bank: PromptBank, abnormal: frozenset[str], normal: frozenset[str], rng: np.random.Generator
) -> DrawnPrompts:
    """Draws the prompts of a sample.

    There is a prompt for every abnormal class in the sample, for two classes that are not in it,
    for a set of several classes or for anything abnormal, and sometimes for a normal class.

    Args:
        bank: the phrases.
        abnormal: classes of the abnormal targets in the sample.
        normal: classes of the normal targets in the sample.
        rng: draws classes and phrases.
    """
    absent = [name for name in ABNORMAL if name not in abnormal]
    rows: list[torch.Tensor] = []
    classes: list[frozenset[str]] = []

    def add(names: Sequence[str], embedding: torch.Tensor | None = None) -> None:
        embeddings = [_some(bank.training[name], rng) for name in names]
        rows.append(torch.cat(embeddings).mean(0) if embedding is None else embedding)
        classes.append(frozenset(names))

    for name in sorted(abnormal):
        add([name])
    for name in rng.choice(absent, min(_MAX_ABSENT, len(absent)), replace=False):
        add([str(name)])
    if rng.random() < _SET_SHARE:
        count = int(rng.integers(2, len(ABNORMAL) + 1))
        add([str(name) for name in rng.choice(list(ABNORMAL), count, replace=False)])
    else:
        add(list(ABNORMAL), bank.generic[int(rng.integers(len(bank.generic)))])
    normal_targets: list[str] = []
    if normal and rng.random() < _NORMAL_TARGET_SHARE:
        normal_targets = [str(rng.choice(sorted(normal)))]
        add(normal_targets)
    return DrawnPrompts(_normal(bank, normal_targets, rng), torch.stack(rows), tuple(classes))


def _some(rows: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    count = int(rng.choice((1, 2, len(rows)), p=(0.6, 0.2, 0.2)))
    return rows[torch.from_numpy(rng.choice(len(rows), min(count, len(rows)), replace=False))]


def _normal(bank: PromptBank, without: Sequence[str], rng: np.random.Generator) -> torch.Tensor:
    rows = bank.normal(without)
    count = min(len(rows), int(rng.integers(_MIN_NORMAL, _MAX_NORMAL + 1)))
    if rng.random() < _ALL_NORMAL_SHARE:
        return rows
    return rows[torch.from_numpy(rng.choice(len(rows), count, replace=False))]
