"""What a few marks teach a decoder: one direction a name over what its depths saw of a cell.

A *trait* of a cell is the decoder's own view of it: for each depth `z / |W h + b|`, where W = Q R
and z = R h, all depths side by side (see `BoundedDecoder.traits`). Every cosine of the decoder is
linear in it. A taught direction answers 0 where a cell is unlike what was marked, so that maps stay
bit for bit what they were there, and rises to 1 where it is like it; the maps move by its square.
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
    """Taught directions, one a name.

    Attributes:
        names: what was marked, a prompt at word level each.
        normal: whether that is normal; otherwise abnormal.
        weight: float32 [K, M], the directions.
        offset: float32 [K], taken from what a direction answers.
        gain: float32 [K], logits at an answer of 1: added to the prompt of an abnormal name,
            taken from prompts for a normal one.
        quiets: of a normal name the prompts that it is taken from, which spoke of what was
            marked; empty for an abnormal one.
    """

    names: tuple[str, ...]
    normal: tuple[bool, ...]
    weight: NDArray[np.float32]
    offset: NDArray[np.float32]
    gain: NDArray[np.float32]
    quiets: tuple[tuple[str, ...], ...]

    def apply(
        self, odds: torch.Tensor, answers: torch.Tensor, prompts: tuple[str, ...]
    ) -> torch.Tensor:
        """Moves the log-odds of prompts.

        Args:
            odds: float32 [P, R, C].
            answers: float32 [K, R, C], what the directions answer.
            prompts: the P abnormal prompts.

        Returns:
            float32 [P, R, C]; the same values where every direction answers 0.
        """
        moved = odds.clone()
        for name, normal, gain, quiets, answer in zip(
            self.names, self.normal, self.gain.tolist(), self.quiets, answers, strict=True
        ):
            # Squared: what is a little like the marks is mostly something else.
            step = gain * answer.clamp(0, 1).square()
            if normal:
                at = [n for n, word in enumerate(prompts) if word in quiets]
                moved[at] -= _over_targets(step, odds, at)
            elif name in prompts:
                loudest = moved.amax(0)
                own = prompts.index(name)
                moved[own] = torch.where(answer > 0, loudest + step, moved[own])
        return moved

    def encode(self) -> bytes:
        """Returns it as safetensors; equal adaptations give equal bytes."""
        from safetensors.numpy import save

        said = json.dumps([self.names, self.normal, self.quiets])
        tensors = {"gain": self.gain, "offset": self.offset, "weight": self.weight}
        return bytes(save(tensors, {"taught": said}))

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
            said = json.loads(json.loads(blob[8 : 8 + head])["__metadata__"]["taught"])
            tensors = load(blob)
            names, normal = tuple(map(str, said[0])), tuple(map(bool, said[1]))
            quiets = tuple(tuple(map(str, one)) for one in said[2])
            weight, offset, gain = (tensors[name] for name in ("weight", "offset", "gain"))
            if weight.ndim != 2 or not len(names) == len(normal) == len(quiets) == len(weight):
                raise ValueError("the shapes do not fit each other")
        except (KeyError, IndexError, ValueError, TypeError, SafetensorError) as error:
            raise BadInputError(
                "a taught variant that cannot be read", str(error)[:80], "teach it again"
            ) from error
        return cls(names, normal, weight, offset, gain, quiets)


def _over_targets(step: torch.Tensor, odds: torch.Tensor, prompts: list[int]) -> torch.Tensor:
    """Takes the largest step of a target for all of it: its rim is less like the marks.

    A target is a connected part of the picture in which one of the prompts is the loudest and its
    log-odds favour the abnormal.
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
