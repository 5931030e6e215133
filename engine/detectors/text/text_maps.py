"""Raw maps of the text channel: the logits of prompts that a chunk stores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import pack_arrays, unpack_arrays
from engine.core.errors import BadInputError
from engine.core.times import Span

NO_LOGIT = np.float16(-60_000)
"""Logit of a cell that does not count."""

_HARMLESS_FALL = 1.0  # A choice: logits by which a variant must lower a cell to call it harmless.


@dataclass(frozen=True, eq=False)
class TextMaps:
    """How strongly prompts match in consecutive slices of a chunk, over the plan's grid of cells.

    A slice is what the backbone makes of a few frames, mostly two.

    Attributes:
        seconds: float64 [s], stream time of each slice.
        logits: float16 [s, R, C], the logit of the loudest abnormal prompt against the normal
            ones; not calibrated.
        prompt: uint8 [s, R, C], the number of that prompt in the set.
        plain: float16 [s, R, C], the logits without the variant, from which what is usual is
            learned; None without a variant.
    """

    seconds: NDArray[np.float64]
    logits: NDArray[np.float16]
    prompt: NDArray[np.uint8]
    plain: NDArray[np.float16] | None = None

    def __len__(self) -> int:
        return len(self.seconds)

    def largest(self) -> NDArray[np.float32]:
        """Returns the largest logit of each slice, float32 [s]."""
        return np.asarray(self.logits.max((1, 2)), np.float32)

    def usual(self) -> NDArray[np.float32]:
        """Returns the largest logit of each slice without the variant, float32 [s]."""
        return self.largest() if self.plain is None else np.asarray(self.plain.max((1, 2)), "f4")

    def usual_by_prompt(self) -> NDArray[np.float32]:
        """Returns how loud each prompt is in each slice without the variant.

        Returns:
            float32 [s, P], the largest logit among the cells in which it is the loudest, up to
            the last prompt that is loudest anywhere; `NO_LOGIT` where it is so nowhere.
        """
        logits = self.logits if self.plain is None else self.plain
        numbers = range(int(self.prompt.max(initial=0)) + 1)
        loudest = [np.where(self.prompt == n, logits, NO_LOGIT).max((1, 2)) for n in numbers]
        return np.stack(loudest, 1).astype(np.float32)

    def harmless(self, seconds: NDArray[np.float64]) -> NDArray[np.bool_] | None:
        """Returns where the variant knows a target as harmless: where it silences its prompt.

        Args:
            seconds: float64 [n], stream time of frames; each takes the nearest slice.

        Returns:
            bool [n, R, C]; None without a variant or where nothing is harmless.
        """
        if self.plain is None or not len(self):
            return None
        is_harmless = self.plain.astype(np.float32) - self.logits >= _HARMLESS_FALL
        if not is_harmless.any():
            return None
        nearest = np.abs(self.seconds[None] - seconds[:, None]).argmin(1)
        return np.asarray(is_harmless[nearest], np.bool_)

    def within(self, spans: Sequence[Span]) -> TextMaps:
        """Returns the slices inside spans of stream time; all of them without any span."""
        if not spans:
            return self
        inside = np.any(
            [(self.seconds >= span.start) & (self.seconds <= span.end) for span in spans], axis=0
        )
        plain = None if self.plain is None else self.plain[inside]
        return TextMaps(self.seconds[inside], self.logits[inside], self.prompt[inside], plain)

    def encode(self) -> bytes:
        """Packs the maps into a compressed blob; equal maps give equal bytes."""
        arrays: dict[str, NDArray[Any]] = {
            "seconds": self.seconds,
            "logits": self.logits,
            "prompt": self.prompt,
        }
        if self.plain is not None:
            return pack_arrays({**arrays, "plain": self.plain}, level=6)
        return pack_arrays(arrays, level=6)

    @classmethod
    def decode(cls, blob: bytes) -> TextMaps:
        """Unpacks what `encode` wrote.

        Raises:
            BadInputError: the blob is damaged.
        """
        arrays = unpack_arrays(blob)
        try:
            maps = cls(arrays["seconds"], arrays["logits"], arrays["prompt"], arrays.get("plain"))
            shape = maps.logits.shape
            if len(shape) != 3 or maps.prompt.shape != shape or maps.seconds.shape != shape[:1]:
                raise ValueError("the shapes do not fit each other")
            if maps.plain is not None and maps.plain.shape != shape:
                raise ValueError("the shapes do not fit each other")
        except (KeyError, ValueError) as error:
            raise BadInputError(
                "stored text maps are damaged", str(error), "verify the case"
            ) from error
        return maps


def silence_masked(maps: Iterable[TextMaps], mask: NDArray[np.bool_]) -> Iterator[TextMaps]:
    """Silences the cells that do not count.

    Args:
        maps: block by block.
        mask: bool [R, C], which cells count.
    """
    for block in maps:
        plain = None if block.plain is None else _silence(block.plain, mask)
        yield replace(block, logits=_silence(block.logits, mask), plain=plain)


def _silence(logits: NDArray[np.float16], mask: NDArray[np.bool_]) -> NDArray[np.float16]:
    return np.where(mask, logits, NO_LOGIT).astype(np.float16)
