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

_SET_SHARE = 0.5
_ABSENT = 2
_NORMAL_LEAST, _NORMAL_MOST = 3, 8
_NORMAL_TARGET_SHARE = 0.3


@dataclass(frozen=True, eq=False)
class PromptBank:
    """Embeddings of phrases at word level.

    Attributes:
        training: class -> float32 [n, D], what training draws from.
        held_out: class -> float32 [n, D], what only tests use.
        generic: float32 [n, D], of `GENERIC`.
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
        abnormal: float32 [P, D], a class embedding each.
        classes: for each of them the classes it asks for.
    """

    normal: torch.Tensor
    abnormal: torch.Tensor
    classes: tuple[frozenset[str], ...]


def embed_phrases(backbone: Backbone, templates: Templates) -> PromptBank:
    """Embeds all phrases of the rendered classes once."""
    phrases: dict[str, Phrases] = {**ABNORMAL, **NORMAL}

    def embedded(words: Sequence[str]) -> torch.Tensor:
        return embed_words(backbone, words, templates).cpu()

    return PromptBank(
        {name: embedded(one.training) for name, one in phrases.items()},
        {name: embedded(one.held_out) for name, one in phrases.items()},
        embedded(GENERIC),
    )


def draw_prompts(
    bank: PromptBank, abnormal: frozenset[str], normal: frozenset[str], rng: np.random.Generator
) -> DrawnPrompts:
    """Draws the prompts of a sample.

    Every abnormal class that is there is asked for by itself, two that are not as well, then a
    set of several classes or anything abnormal, and now and then a normal class.

    Args:
        bank: the phrases.
        abnormal: classes of the abnormal targets in the sample.
        normal: classes of the normal ones.
        rng: the generator.
    """
    absent = [name for name in ABNORMAL if name not in abnormal]
    rows: list[torch.Tensor] = []
    classes: list[frozenset[str]] = []

    def add(names: Sequence[str], embedding: torch.Tensor | None = None) -> None:
        drawn = [_some(bank.training[name], rng) for name in names]
        rows.append(torch.cat(drawn).mean(0) if embedding is None else embedding)
        classes.append(frozenset(names))

    for name in sorted(abnormal):
        add([name])
    for name in rng.choice(absent, min(_ABSENT, len(absent)), replace=False):
        add([str(name)])
    if rng.random() < _SET_SHARE:
        count = int(rng.integers(2, len(ABNORMAL) + 1))
        add([str(name) for name in rng.choice(list(ABNORMAL), count, replace=False)])
    else:
        add(list(ABNORMAL), bank.generic[int(rng.integers(len(bank.generic)))])
    asked: list[str] = []
    if normal and rng.random() < _NORMAL_TARGET_SHARE:
        asked = [str(rng.choice(sorted(normal)))]
        add(asked)
    return DrawnPrompts(_normal(bank, asked, rng), torch.stack(rows), tuple(classes))


def _some(rows: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    count = int(rng.choice((1, 2, len(rows)), p=(0.6, 0.2, 0.2)))
    return rows[torch.from_numpy(rng.choice(len(rows), min(count, len(rows)), replace=False))]


def _normal(bank: PromptBank, without: Sequence[str], rng: np.random.Generator) -> torch.Tensor:
    rows = bank.normal(without)
    count = min(len(rows), int(rng.integers(_NORMAL_LEAST, _NORMAL_MOST + 1)))
    if rng.random() < 0.3:
        return rows
    return rows[torch.from_numpy(rng.choice(len(rows), count, replace=False))]
