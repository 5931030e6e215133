"""The choice of the next token, the same for every runtime."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.tvad.language.runtime import EmbeddingPart, Part, Sampling

_INCOMPLETE = "\ufffd"
# Probability of the likeliest tokens together of which one is drawn (nucleus sampling); a choice.
_TOP_P = 0.9


class TokenSampler:
    """Draws tokens from logits as a `Sampling` says; equal seeds draw equally."""

    def __init__(self, sampling: Sampling) -> None:
        self._sampling = sampling
        seed = sampling.seed
        self._random = None if seed is None else np.random.default_rng(seed)

    def sample(self, logits: NDArray[np.float32]) -> int:
        """Chooses a token from logits float32 [vocabulary]."""
        if self._random is None or self._sampling.temperature <= 0:
            return int(logits.argmax())
        scaled = logits.astype(np.float64) / self._sampling.temperature
        probabilities = np.exp(scaled - scaled.max())
        probabilities /= probabilities.sum()
        order = np.argsort(-probabilities, kind="stable")
        count = int(np.searchsorted(np.cumsum(probabilities[order]), _TOP_P)) + 1
        nucleus = order[:count]
        weights = probabilities[nucleus]
        return int(self._random.choice(nucleus, p=weights / weights.sum()))


class IncrementalDecoder:
    """Turns tokens into text as they come; the bytes of one letter wait for each other."""

    def __init__(self, decode: Callable[[Sequence[int]], str]) -> None:
        self._decode = decode
        self._tokens: list[int] = []
        self._length = 0

    def add(self, token: int) -> str:
        """Adds a token and returns the text that it completes, often none within a letter."""
        self._tokens.append(token)
        text = self._decode(self._tokens)
        if text.endswith(_INCOMPLETE):
            return ""
        piece = text[self._length :]
        self._length = len(text)
        return piece


def check_rows(parts: Sequence[Part], width: int) -> None:
    """Refuses embeddings of another width.

    Raises:
        BadInputError: rows are not as wide as the model, or hold no numbers.
    """
    for part in parts:
        if isinstance(part, EmbeddingPart) and (part.rows.ndim != 2 or part.rows.shape[1] != width):
            shape = "x".join(str(side) for side in part.rows.shape)
            raise BadInputError(
                f"{part.kind} tokens of {shape} for a language model {width} wide",
                "",
                "use a pack whose parts were trained together",
            )
        if isinstance(part, EmbeddingPart) and not np.isfinite(part.rows).all():
            raise BadInputError(f"{part.kind} tokens that are no numbers", "", "restore the pack")


def check_room(position: int, added: int, context: int) -> None:
    """Refuses what does not fit the context.

    Raises:
        BadInputError: it does not.
    """
    if position + added > context:
        raise BadInputError(
            f"{position + added} positions for a model of {context}", "", "ask something shorter"
        )
