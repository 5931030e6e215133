"""Pixel cross-entropy, balanced over four groups, with other anomalies as negatives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from engine.lab.training.feature_cache import CachedWindow
from engine.lab.training.prompt_bank import DrawnPrompts
from engine.tvad.backbones.backbone import Features
from engine.tvad.heatmap_decoder import AnomalyHeatmapDecoder

TARGET, OTHER, NORMAL, BACKGROUND, IGNORED = 0, 1, 2, 3, 4
"""Groups of pixels, from the point of view of one prompt."""


@dataclass(frozen=True)
class Balance:
    """How much each group of pixels weighs.

    Attributes:
        target: pixels of what the prompt describes.
        other: pixels of other anomalies.
        normal: pixels of normal people and objects.
        background: all other pixels.
        hard: share of a negative group's weight that goes to its hardest pixels.
        hard_share: how many pixels these are at most, as a share of the picture.
    """

    target: float = 0.35
    other: float = 0.15
    normal: float = 0.25
    background: float = 0.5
    hard: float = 0.5
    hard_share: float = 0.005


def pixel_groups(window: CachedWindow, classes: tuple[frozenset[str], ...]) -> NDArray[np.uint8]:
    """Sorts the pixels of a window into groups for each prompt.

    Args:
        window: the window with its object ids.
        classes: for each prompt the classes that it describes.

    Returns:
        uint8 [P, n, h, w] of `TARGET`, `OTHER`, `NORMAL`, `BACKGROUND`.
    """
    groups = np.empty((len(classes), *window.ids.shape), np.uint8)
    for prompt, classes_of_prompt in enumerate(classes):
        for slice_index, frame in enumerate(window.frames):
            table = np.full(256, BACKGROUND, np.uint8)
            for target in window.video.targets:
                abnormal = target.abnormal_at(int(frame))
                is_target = target.class_at(int(frame)) in classes_of_prompt
                table[target.number] = TARGET if is_target else OTHER if abnormal else NORMAL
            groups[prompt, slice_index] = table[window.ids[slice_index]]
    return groups


class Stage1Loss(nn.Module):
    """The decoder with its loss, as one module that several processes can share."""

    def __init__(self, decoder: AnomalyHeatmapDecoder, balance: Balance) -> None:
        super().__init__()
        self.decoder = decoder
        self._balance = balance

    def forward(
        self, features: Features, prompts: DrawnPrompts, groups: torch.Tensor
    ) -> torch.Tensor:
        """Computes the loss of a window.

        Args:
            features: features of its slices.
            prompts: the prompts that were drawn for it.
            groups: uint8 [P, n, h, w] from `pixel_groups`.
        """
        hidden = self.decoder.hidden_maps(features)
        odds = self.decoder.log_odds(hidden, prompts.normal, prompts.abnormal)
        odds = functional.interpolate(
            odds, (groups.shape[-2], groups.shape[-1]), mode="bilinear", align_corners=False
        )
        return balanced_cross_entropy(odds, groups, self._balance)


def balanced_cross_entropy(
    odds: torch.Tensor, groups: torch.Tensor, balance: Balance
) -> torch.Tensor:
    """Averages two-way cross-entropy within groups, over slices, then over groups by weight.

    Each group is averaged within each slice first, so that a small target counts as much as a
    large one.

    Args:
        odds: float32 [P, n, h, w], log-odds.
        groups: uint8 of the same shape.
        balance: the weights; groups without pixels do not count.
    """
    flat, kinds = odds.flatten(2), groups.flatten(2)
    weights = (balance.target, balance.other, balance.normal, balance.background)
    total = odds.new_zeros(())
    for group, weight in enumerate(weights):
        inside = kinds == group
        there = inside.any(2)
        if not bool(there.any()):
            continue
        losses = functional.softplus(-flat if group == TARGET else flat)
        mean = (losses * inside).sum(2) / inside.sum(2).clamp(min=1)
        if group != TARGET:
            mean = (1 - balance.hard) * mean + balance.hard * _hardest(losses, inside, balance)
        total = total + weight * mean[there].mean()
    return total


def _hardest(losses: torch.Tensor, inside: torch.Tensor, balance: Balance) -> torch.Tensor:
    """Averages the largest losses of each slice, because the hottest cell decides on a frame."""
    count = max(1, int(losses.shape[2] * balance.hard_share))
    top = torch.where(inside, losses, losses.new_zeros(())).topk(count, 2).values
    return top.sum(2) / inside.sum(2).clamp(min=1, max=count)
