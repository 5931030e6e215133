"""Alignment: tokens of RAE and projector learn to point at words, before a model reads them.

A step takes milliseconds, because no language model runs: a token should lie nearer to the
embedding of the word it stands for than to those of the other words. The paper does not say how
RAE is initialised; without alignment, a thousand steps on two cores are too few to learn both to
see and to be understood.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from engine.core.geometry import CELLS
from engine.core.progress import CancelToken
from engine.dialogue.span_results import USUAL_LIMIT
from engine.lab.dialogue_corpus.answer_words import ACTIONS, COLOURS
from engine.lab.dialogue_corpus.samples.detector_noise import Heat
from engine.lab.dialogue_corpus.wording import SpanTruth
from engine.lab.training.dialogue.trainable_model import TrainableDialogueModel
from engine.lab.training.dialogue.training_sample import TrainingSample
from engine.tvad.language.cached_runtime import tokens_of
from engine.tvad.region_encoder import BASE_TOKENS, REGIONS, two_class_maps

_SHARPNESS = 8.0  # factor on cosines before the softmax, which sharpens it; a choice
_MIN_GROWTH = 0.15  # heat that appears in a step before it counts: above noise; a choice
_NORM_WEIGHT = 0.05  # of the loss that keeps tokens as long as word embeddings; a choice
_DIRECTIONS = (
    "right", "down-right", "down", "down-left", "left", "up-left", "up", "up-right",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Words:
    """Embeddings that tokens are compared with, each of length one.

    Attributes:
        groups: embeddings [n, D] by the name of the group.
        norm: mean length of the embeddings of the model.
    """

    groups: dict[str, torch.Tensor]
    norm: float


def word_embeddings(model: Any, tokenizer: Any) -> Words:  # noqa: ANN401
    """Returns the embeddings that a language model has for the words of the dialogues."""
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
    model: TrainableDialogueModel,
    words: Words,
    draw: Callable[[int], tuple[list[TrainingSample], list[Heat]]],
    steps: int,
    rate: float,
    cancel: CancelToken,
) -> list[float]:
    """Trains RAE and projector alone.

    Args:
        model: the model whose encoder and projector are trained.
        words: the words that tokens should point at.
        draw: returns the samples of a step, and heatmaps of which only the cells are learned.
        steps: number of steps.
        rate: peak learning rate.
        cancel: looked at after each step.

    Returns:
        The loss of each step.
    """
    modules = [model.encoder, *([model.projector] if model.projector is not None else [])]
    parameters = [parameter for module in modules for parameter in module.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, max(2, steps), pct_start=0.1)
    losses = []
    for step in range(steps):
        samples, heatmaps = draw(step)
        loss = torch.stack([_loss(model, words, sample) for sample in samples]).mean()
        if heatmaps:
            loss = loss + _cell_loss(model, words, heatmaps)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        schedule.step()
        losses.append(float(loss.detach()))
        cancel.check()
    return losses


def _loss(model: TrainableDialogueModel, words: Words, sample: TrainingSample) -> torch.Tensor:
    maps = two_class_maps(torch.from_numpy(np.ascontiguousarray(sample.heat)))
    tokens = model.encoder(maps)
    regions = tokens[:, BASE_TOKENS : BASE_TOKENS + REGIONS]
    whole = tokens[:, -1]
    truth, groups = sample.truth, words.groups
    terms = _cell_terms(tokens, maps, words)
    answer = int(truth.target is not None)
    terms.append(_pointing_loss(whole.mean(0), groups["answers"], answer, words.norm))
    terms += _target_losses(tokens, maps, truth, words)
    lengths = torch.cat([regions.flatten(0, 1), whole]).norm(dim=1) / words.norm
    terms.append(_NORM_WEIGHT * ((lengths - 1) ** 2).mean())
    if model.projector is not None:
        video = model.projector(torch.from_numpy(np.ascontiguousarray(sample.video)))
        terms += _band_losses(video, sample, words)
        spread = video.flatten(0, 1).norm(dim=1) / words.norm
        terms.append(_NORM_WEIGHT * ((spread - 1) ** 2).mean())
    return torch.stack(terms).sum()


def _cell_loss(model: TrainableDialogueModel, words: Words, heats: list[Heat]) -> torch.Tensor:
    """Returns the loss of cells for heatmaps of one shape, which are encoded together."""
    maps = [two_class_maps(torch.from_numpy(np.ascontiguousarray(heat))) for heat in heats]
    tokens = model.encoder.encode(torch.cat([steps[1:] - steps[:-1] for steps in maps]))
    split = torch.split(tokens, [len(steps) - 1 for steps in maps])
    terms = [_cell_terms(own, steps, words) for own, steps in zip(split, maps, strict=True)]
    return torch.stack([region + whole for region, whole in terms]).mean()


def _cell_terms(tokens: torch.Tensor, maps: torch.Tensor, words: Words) -> list[torch.Tensor]:
    """Returns the losses of the cells in which heat appears: of regions, and of the whole."""
    growth = (maps[1:, 1] - maps[:-1, 1]).clamp(min=0)
    return [
        _region_loss(tokens[:, BASE_TOKENS:-1], growth, words),
        _whole_loss(tokens[:, -1], growth, words),
    ]


def _region_loss(regions: torch.Tensor, growth: torch.Tensor, words: Words) -> torch.Tensor:
    """Returns how badly the tokens of regions point at their own cell where heat appears there."""
    mass = functional.adaptive_max_pool2d(growth[:, None], 3).flatten(1)
    own = torch.einsum("trd,rd->tr", regions, words.groups["cells"]) * _SHARPNESS / words.norm
    active = mass.max(1).values > _MIN_GROWTH
    quiet = torch.relu(own - _SHARPNESS / 4)[~active].sum() / max(1, own.numel())
    if not bool(active.any()):
        return quiet
    shares = mass[active] / mass[active].sum(1, keepdim=True)
    return functional.cross_entropy(own[active], shares**2 / (shares**2).sum(1, True)) + quiet


def _whole_loss(whole: torch.Tensor, growth: torch.Tensor, words: Words) -> torch.Tensor:
    """Returns how badly the global token of each step points at the cell in which heat appears."""
    peaks = growth.amax((1, 2))
    active = peaks > _MIN_GROWTH
    if not bool(active.any()):
        return whole.new_zeros(())
    hot = torch.where(growth > peaks[:, None, None] / 2, growth, 0.0)[active]
    mass = hot.sum((1, 2)).clamp(min=1e-6)
    rows, columns = hot.shape[1:]
    row = (hot.sum(2) * (torch.arange(rows) + 0.5)).sum(1) / mass * 3 / rows
    column = (hot.sum(1) * (torch.arange(columns) + 0.5)).sum(1) / mass * 3 / columns
    cells = row.long().clamp(0, 2) * 3 + column.long().clamp(0, 2)
    logits = whole[active] @ words.groups["cells"].T * (_SHARPNESS / words.norm)
    return functional.cross_entropy(logits, cells)


def _target_losses(
    tokens: torch.Tensor, maps: torch.Tensor, truth: SpanTruth, words: Words
) -> list[torch.Tensor]:
    if truth.target is None:
        return []
    whole, groups, norm = tokens[:, -1], words.groups, words.norm
    # The first step above the usual limit tells where the target comes from.
    first = int((maps[1:, 1].amax((1, 2)) >= USUAL_LIMIT).int().argmax())
    terms = [_pointing_loss(whole[first], groups["cells"], CELLS.index(truth.from_cell), norm)]
    if truth.direction:
        index = _DIRECTIONS.index(truth.direction)
        terms.append(0.5 * _pointing_loss(whole.mean(0), groups["directions"], index, norm))
    if truth.target in ACTIONS:
        index = list(ACTIONS).index(truth.target)
        terms.append(0.5 * _pointing_loss(whole.mean(0), groups["actions"], index, norm))
    return terms


def _band_losses(video: torch.Tensor, sample: TrainingSample, words: Words) -> list[torch.Tensor]:
    """Returns how badly the bands of video tokens point at the target's colours and action."""
    truth, groups, norm = sample.truth, words.groups, words.norm
    visible = torch.from_numpy(sample.video[:, 1:, 0].max(1) > 0)
    if truth.target is None or not bool(visible.any()) or video.shape[1] < 4:
        return []
    bands = video[visible].mean(0)
    upper = truth.appearance.get("upper") or truth.appearance.get("vehicle", "")
    upper = upper or truth.appearance.get("object", "")
    terms = []
    for band, description in ((1, upper), (3, truth.appearance.get("lower", ""))):
        index = next((n for n, name in enumerate(COLOURS) if description.startswith(name)), None)
        if index is not None:
            terms.append(_pointing_loss(bands[band], groups["colours"], index, norm))
    if truth.target in ACTIONS:
        index = list(ACTIONS).index(truth.target)
        terms.append(_pointing_loss(bands[2], groups["actions"], index, norm))
    return terms


def _pointing_loss(
    token: torch.Tensor, group: torch.Tensor, index: int, norm: float
) -> torch.Tensor:
    logits = group @ token * (_SHARPNESS / norm)
    return functional.cross_entropy(logits[None], torch.tensor([index]))
