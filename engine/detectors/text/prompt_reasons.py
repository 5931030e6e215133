"""Reasons in words: which prompt spoke, with its number."""

from __future__ import annotations

import numpy as np

from engine.core.findings import Reason
from engine.detectors.text.text_channel import PromptPeaks

ATTRIBUTE = "prompt"
_LIMIT = 0.5


def prompt_reasons(
    peaks: PromptPeaks, prompts: tuple[str, ...], first: int, last: int
) -> tuple[Reason, ...]:
    """Says which prompts the analysed frames first..last (inclusive) look like.

    Args:
        peaks: of the whole run.
        prompts: the abnormal prompts of its set.
        first: position of the first analysed frame of the event.
        last: position of the last one.

    Returns:
        One reason for each prompt that was the loudest beyond the limit, strongest first.
    """
    scores, numbers = peaks.score[first : last + 1], peaks.prompt[first : last + 1]
    found = []
    for number in np.unique(numbers).tolist():
        best = float(scores[numbers == number].max())
        if best >= _LIMIT and number < len(prompts):
            found.append((best, prompts[number]))
    found.sort(key=lambda one: (-one[0], one[1]))
    return tuple(_reason(prompt, score) for score, prompt in found)


def _reason(prompt: str, score: float) -> Reason:
    return Reason(
        ATTRIBUTE,
        round(score, 4),
        _LIMIT,
        round(score / _LIMIT, 4),
        "score",
        f"looks like “{prompt}”: {score:.2f}, speaks from {_LIMIT} on",
    )
