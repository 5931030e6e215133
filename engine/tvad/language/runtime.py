"""What a language model offers the dialogue, whichever library runs it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.core.progress import CancelToken

TRANSFORMERS, LLAMA_CPP = "transformers", "llama.cpp"
"""Names of the runtimes, as answers record them."""


@dataclass(frozen=True)
class TextPart:
    """Text of a sequence.

    Attributes:
        text: the words.
        markup: whether the model's own marks (`<|im_end|>`) in it mean something. False for text
            from a person or a file, in which they are plain letters.
    """

    text: str
    markup: bool = False


@dataclass(frozen=True, eq=False)
class EmbeddingPart:
    """Rows that take the place of token embeddings.

    Attributes:
        rows: float32 [n, width], in the space of the model's token embeddings.
        kind: `video` or `anomaly`; only a model with positions in space and time needs it.
        grid: steps, rows and columns of video tokens in raster order; None where the rows have no
            grid.
    """

    rows: NDArray[np.float32]
    kind: Literal["video", "anomaly"]
    grid: tuple[int, int, int] | None = None


Part = TextPart | EmbeddingPart


@dataclass(frozen=True)
class Sampling:
    """How an answer is drawn.

    Attributes:
        max_tokens: tokens of the answer, at most.
        seed: seed of the draw; None takes the likeliest token each time.
        temperature: temperature of the draw; it has a meaning only with a seed.
    """

    max_tokens: int = 96
    seed: int | None = None
    temperature: float = 0.7


class Runtime(Protocol):
    """A loaded language model with one sequence in its memory.

    What was fed stays computed until it is rewound, so that the evidence is read once and every
    question adds only its own tokens.

    Attributes:
        name: `TRANSFORMERS` or `LLAMA_CPP`.
        width: width of its token embeddings.
        context: positions it can hold.
        position: positions in its cache now.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def width(self) -> int: ...  # noqa: D102

    @property
    def context(self) -> int: ...  # noqa: D102

    @property
    def position(self) -> int: ...  # noqa: D102

    def count(self, part: Part) -> int:
        """Returns how many positions a part takes."""
        ...

    def feed(self, parts: Sequence[Part], cancel: CancelToken | None = None) -> None:
        """Reads parts after those it holds.

        Raises:
            BadInputError: they do not fit the context, or rows are not as wide as the model.
            CancelledError: it was asked to stop; what it holds is as before.
        """
        ...

    def rewind(self, position: int) -> None:
        """Forgets everything from a position on."""
        ...

    def generate(self, sampling: Sampling, cancel: CancelToken | None = None) -> Iterator[str]:
        """Yields the answer to what was fed last, a piece at a time, one piece a token.

        Ends at the model's end mark, after `sampling.max_tokens` tokens, at the end of the context,
        or when `cancel` is set; the caller tells these apart by `cancel`. Pieces may be empty while
        a letter is incomplete. What was generated stays in the sequence.
        """
        ...
