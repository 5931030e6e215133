"""Before the language model listens: the tokens of RAE and projector learn to point at its words.

A step takes milliseconds, because no language model runs: a token should lie nearer to the
embedding of the word it stands for than to those of the other words. The paper does not say how
RAE begins; without this, a thousand steps on two cores are too few to learn both to see and to be
understood.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from engine.core.directions import CELLS
from engine.core.progress import CancelToken
from engine.dialogue.answer_parsing import ACTIONS, COLOURS
from engine.dialogue.span_evidence import LIMIT
from engine.lab.dialogue_corpus.samples.detector_noise import Heat
from engine.lab.dialogue_corpus.wording import Truth
from engine.lab.training.dialogue.learner import Learner
from engine.lab.training.dialogue.lessons import Lesson
from engine.tvad.language.cached_runtime import tokens_of
from engine.tvad.region_encoder import BASE_TOKENS, REGIONS, two_class_maps

_SHARPNESS = 8.0
_ACTIVE = 0.15
_NORM_WEIGHT = 0.05
_DIRECTIONS = (
    "right", "down-right", "down", "down-left", "left", "up-left", "up", "up-right",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Words:
    """Embeddings that tokens are compared with, each of length one.

    Attributes:
        groups: by name [n, D].
        norm: mean length of the model's embeddings.
    """

    groups: dict[str, torch.Tensor]
    norm: float


def word_embeddings(model: Any, tokenizer: Any) -> Words:  # noqa: ANN401
    """Takes the words of the dialogues from a language model's embeddings."""
    embed = model.get_input_embeddings().weight.detach().float()
    centre, norm = embed.mean(0), float(embed.norm(dim=1).mean())

    def of(texts: Sequence[str]) -> torch.Tensor:
        rows = [embed[tokens_of(tokenizer, f" {text}", False)].mean(0) - centre for text in texts]
        return functional.normalize(torch.stack(rows), dim=1)

    return Words(
        {
            "cells": of(CELLS),
            "answers": of(("No", "Yes")),
            "actions": of(tuple(ACTIONS.values())),
            "colours": of(COLOURS),
            "directions": of(_DIRECTIONS),
        },
        norm,
    )


def align(
    learner: Learner,
    words: Words,
    draw: Callable[[int], tuple[list[Lesson], list[Heat]]],
    steps: int,
    rate: float,
    cancel: CancelToken,
) -> list[float]:
    """Trains RAE and projector alone.

    Args:
        learner: its encoder and projector are trained.
        words: what tokens should point at.
        draw: returns the lessons of a step, and maps that show places only.
        steps: how many.
        rate: peak learning rate.
        cancel: looked at after each step.

    Returns:
        The loss of each step.
    """
    modules = [learner.encoder, *([learner.projector] if learner.projector is not None else [])]
    parameters = [one for module in modules for one in module.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, max(2, steps), pct_start=0.1)
    losses = []
    for step in range(steps):
        lessons, maps = draw(step)
        loss = torch.stack([_loss(learner, words, one) for one in lessons]).mean()
        if maps:
            loss = loss + _place_loss(learner, words, maps)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        schedule.step()
        losses.append(float(loss.detach()))
        cancel.check()
    return losses


def _loss(learner: Learner, words: Words, lesson: Lesson) -> torch.Tensor:
    maps = two_class_maps(torch.from_numpy(np.ascontiguousarray(lesson.heat)))
    tokens = learner.encoder(maps)
    regions = tokens[:, BASE_TOKENS : BASE_TOKENS + REGIONS]
    whole = tokens[:, -1]
    truth, groups = lesson.truth, words.groups
    terms = _place_terms(tokens, maps, words)
    said = int(truth.target is not None)
    terms.append(_points_at(whole.mean(0), groups["answers"], said, words.norm))
    terms += _target_losses(tokens, maps, truth, words)
    lengths = torch.cat([regions.flatten(0, 1), whole]).norm(dim=1) / words.norm
    terms.append(_NORM_WEIGHT * ((lengths - 1) ** 2).mean())
    if learner.projector is not None:
        video = learner.projector(torch.from_numpy(np.ascontiguousarray(lesson.video)))
        terms += _look_losses(video, lesson, words)
        spread = video.flatten(0, 1).norm(dim=1) / words.norm
        terms.append(_NORM_WEIGHT * ((spread - 1) ** 2).mean())
    return torch.stack(terms).sum()


def _place_loss(learner: Learner, words: Words, heats: list[Heat]) -> torch.Tensor:
    """What maps of one shape teach about places, all of them encoded at once."""
    maps = [two_class_maps(torch.from_numpy(np.ascontiguousarray(heat))) for heat in heats]
    tokens = learner.encoder.encode(torch.cat([one[1:] - one[:-1] for one in maps]))
    each = torch.split(tokens, [len(one) - 1 for one in maps])
    terms = [_place_terms(said, one, words) for said, one in zip(each, maps, strict=True)]
    return torch.stack([region + way for region, way in terms]).mean()


def _place_terms(tokens: torch.Tensor, maps: torch.Tensor, words: Words) -> list[torch.Tensor]:
    """What the steps of one window teach about where evidence appears: of regions, of the whole."""
    grown = (maps[1:, 1] - maps[:-1, 1]).clamp(min=0)
    return [
        _region_loss(tokens[:, BASE_TOKENS:-1], grown, words),
        _way_loss(tokens[:, -1], grown, words),
    ]


def _region_loss(regions: torch.Tensor, grown: torch.Tensor, words: Words) -> torch.Tensor:
    """The region in which evidence appears says its own name louder than the others say theirs."""
    mass = functional.adaptive_max_pool2d(grown[:, None], 3).flatten(1)
    own = torch.einsum("trd,rd->tr", regions, words.groups["cells"]) * _SHARPNESS / words.norm
    active = mass.max(1).values > _ACTIVE
    quiet = torch.relu(own - _SHARPNESS / 4)[~active].sum() / max(1, own.numel())
    if not bool(active.any()):
        return quiet
    wanted = mass[active] / mass[active].sum(1, keepdim=True)
    return functional.cross_entropy(own[active], wanted**2 / (wanted**2).sum(1, True)) + quiet


def _way_loss(whole: torch.Tensor, grown: torch.Tensor, words: Words) -> torch.Tensor:
    """The global token of each step names the cell in which evidence appears."""
    peaks = grown.amax((1, 2))
    active = peaks > _ACTIVE
    if not bool(active.any()):
        return whole.new_zeros(())
    hot = torch.where(grown > peaks[:, None, None] / 2, grown, 0.0)[active]
    mass = hot.sum((1, 2)).clamp(min=1e-6)
    rows, columns = hot.shape[1:]
    row = (hot.sum(2) * (torch.arange(rows) + 0.5)).sum(1) / mass * 3 / rows
    column = (hot.sum(1) * (torch.arange(columns) + 0.5)).sum(1) / mass * 3 / columns
    wanted = row.long().clamp(0, 2) * 3 + column.long().clamp(0, 2)
    logits = whole[active] @ words.groups["cells"].T * (_SHARPNESS / words.norm)
    return functional.cross_entropy(logits, wanted)


def _target_losses(
    tokens: torch.Tensor, maps: torch.Tensor, truth: Truth, words: Words
) -> list[torch.Tensor]:
    if truth.target is None:
        return []
    whole, groups, norm = tokens[:, -1], words.groups, words.norm
    # The step in which it is first seen says where it comes from.
    first = int((maps[1:, 1].amax((1, 2)) >= LIMIT).int().argmax())
    terms = [_points_at(whole[first], groups["cells"], CELLS.index(truth.from_cell), norm)]
    if truth.direction:
        wanted = _DIRECTIONS.index(truth.direction)
        terms.append(0.5 * _points_at(whole.mean(0), groups["directions"], wanted, norm))
    if truth.target in ACTIONS:
        wanted = list(ACTIONS).index(truth.target)
        terms.append(0.5 * _points_at(whole.mean(0), groups["actions"], wanted, norm))
    return terms


def _look_losses(video: torch.Tensor, lesson: Lesson, words: Words) -> list[torch.Tensor]:
    """Bands say the colours of what they show, and all of them what it does."""
    truth, groups, norm = lesson.truth, words.groups, words.norm
    shown = torch.from_numpy(lesson.video[:, 1:, 0].max(1) > 0)
    if truth.target is None or not bool(shown.any()) or video.shape[1] < 4:
        return []
    bands = video[shown].mean(0)
    upper = truth.appearance.get("upper") or truth.appearance.get("vehicle", "")
    upper = upper or truth.appearance.get("object", "")
    terms = []
    for place, said in ((1, upper), (3, truth.appearance.get("lower", ""))):
        wanted = next((n for n, one in enumerate(COLOURS) if said.startswith(one)), None)
        if wanted is not None:
            terms.append(_points_at(bands[place], groups["colours"], wanted, norm))
    if truth.target in ACTIONS:
        wanted = list(ACTIONS).index(truth.target)
        terms.append(_points_at(bands[2], groups["actions"], wanted, norm))
    return terms


def _points_at(token: torch.Tensor, group: torch.Tensor, wanted: int, norm: float) -> torch.Tensor:
    logits = group @ token * (_SHARPNESS / norm)
    return functional.cross_entropy(logits[None], torch.tensor([wanted]))
