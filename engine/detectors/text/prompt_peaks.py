"""The loudest prompt in each frame, and the reasons that follow from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from engine.core.findings import Reason
from engine.detectors.channel_scores import ChannelPeaks

_LIMIT = 0.5  # Score at which a prompt speaks, by definition of the calibration.


@dataclass(frozen=True, eq=False)
class PromptPeaks(ChannelPeaks):
    """The prompt that is the loudest in each frame.

    Attributes:
        score: float32 [n], its score, 0..1.
        prompt: uint8 [n], its number in the set.
        prompts: the abnormal prompts of the set.
    """

    score: NDArray[np.float32]
    prompt: NDArray[np.uint8]
    prompts: tuple[str, ...]

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Joins the peaks of consecutive blocks."""
        score = np.concatenate([part.score for part in parts])
        return cls(score, np.concatenate([part.prompt for part in parts]), parts[0].prompts)

    def reasons(self, first: int, last: int) -> tuple[Reason, ...]:
        """Returns which prompts the frames first..last (indices, inclusive) look like.

        Returns:
            One reason for each prompt that was the loudest beyond the limit, strongest first.
        """
        scores, numbers = self.score[first : last + 1], self.prompt[first : last + 1]
        strongest = []
        for number in np.unique(numbers).tolist():
            score = float(scores[numbers == number].max())
            if score >= _LIMIT and number < len(self.prompts):
                strongest.append((score, self.prompts[number]))
        strongest.sort(key=lambda entry: (-entry[0], entry[1]))
        return tuple(_reason(prompt, score) for score, prompt in strongest)


def _reason(prompt: str, score: float) -> Reason:
    return Reason(
        "prompt",
        round(score, 4),
        _LIMIT,
        round(score / _LIMIT, 4),
        "score",
        f"looks like “{prompt}”: {score:.2f}, speaks from {_LIMIT} on",
    )
