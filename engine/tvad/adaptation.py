"""What a few marks teach a decoder: one direction a name in the space of its cell features.

The *features of a cell* are the decoder's own view of it: for each depth `z / |W h + b|`, where
W = Q R and z = R h, all depths side by side (see `FeatureCodec.cell_features`). Every cosine of the
decoder is linear in them. The score of a direction is at most 0 where a cell is unlike what was
marked, so that maps stay bit for bit what they were there, and rises to 1 where it is like it; the
maps move by its square.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from engine.core.errors import BadInputError


@dataclass(frozen=True, eq=False)
class Adaptation:
    """Learned directions, one a name.

    Attributes:
        names: what was marked, a prompt at word level each.
        normal: for each name whether it is normal; otherwise abnormal.
        weight: float32 [K, M], the directions.
        offset: float32 [K], subtracted from the score of each direction.
        gain: float32 [K], logits at a score of 1: added to the prompt of an abnormal name,
            subtracted from prompts for a normal one.
        silenced: for a normal name the prompts from which its gain is subtracted, because they
            spoke of what was marked; empty for an abnormal one.
    """

    names: tuple[str, ...]
    normal: tuple[bool, ...]
    weight: NDArray[np.float32]
    offset: NDArray[np.float32]
    gain: NDArray[np.float32]
    silenced: tuple[tuple[str, ...], ...]

    def apply(
        self, odds: torch.Tensor, scores: torch.Tensor, prompts: tuple[str, ...]
    ) -> torch.Tensor:
        """Moves the log-odds of prompts.

        Args:
            odds: float32 [P, R, C], log-odds of each prompt.
            scores: float32 [K, R, C], scores of the directions.
            prompts: the P abnormal prompts.

        Returns:
            float32 [P, R, C]; the same values where no direction has a score above 0.
        """
        moved = odds.clone()
        for name, normal, gain, silenced, score in zip(
            self.names, self.normal, self.gain.tolist(), self.silenced, scores, strict=True
        ):
            # Squared: what is a little like the marks is mostly something else.
            step = gain * score.clamp(0, 1).square()
            if normal:
                indices = [index for index, word in enumerate(prompts) if word in silenced]
                moved[indices] -= _spread_over_targets(step, odds, indices)
            elif name in prompts:
                loudest = moved.amax(0)
                own = prompts.index(name)
                moved[own] = torch.where(score > 0, loudest + step, moved[own])
        return moved

    def encode(self) -> bytes:
        """Returns it as safetensors; equal adaptations give equal bytes."""
        from safetensors.numpy import save

        names = json.dumps([self.names, self.normal, self.silenced])
        tensors = {"gain": self.gain, "offset": self.offset, "weight": self.weight}
        return bytes(save(tensors, {"taught": names}))

    @classmethod
    def decode(cls, blob: bytes) -> Adaptation:
        """Restores what `encode` gave.

        Raises:
            BadInputError: it is damaged.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            head = int.from_bytes(blob[:8], "little")
            values = json.loads(json.loads(blob[8 : 8 + head])["__metadata__"]["taught"])
            tensors = load(blob)
            names, normal = tuple(map(str, values[0])), tuple(map(bool, values[1]))
            silenced = tuple(tuple(map(str, prompts)) for prompts in values[2])
            weight, offset, gain = (tensors[name] for name in ("weight", "offset", "gain"))
            if weight.ndim != 2 or not len(names) == len(normal) == len(silenced) == len(weight):
                raise ValueError("the shapes do not fit each other")
        except (KeyError, IndexError, ValueError, TypeError, SafetensorError) as error:
            raise BadInputError(
                "a taught variant that cannot be read", str(error)[:80], "teach it again"
            ) from error
        return cls(names, normal, weight, offset, gain, silenced)


def _spread_over_targets(
    step: torch.Tensor, odds: torch.Tensor, prompts: list[int]
) -> torch.Tensor:
    """Spreads the largest step in a target over all of it, because its rim is less like the marks.

    A target is a set of connected cells in which one of the prompts is the loudest and its log-odds
    favour the abnormal.
    """
    loudest = odds.max(0)
    among = torch.isin(loudest.indices, torch.tensor(prompts))
    labels, count = ndimage.label((among & (loudest.values > 0)).numpy())
    if not count:
        return step
    tops = np.zeros(count + 1, np.float32)
    np.maximum.at(tops, labels, step.numpy())
    tops[0] = 0
    return torch.maximum(step, torch.from_numpy(tops[labels]))
