"""What the text channel needs of a pack's models: the values that go in and come out.

Nothing here needs torch; `engine.detectors.text.pack_text_model` is what implements it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

SLICE_BYTES = 128 << 10
"""Bytes of the projected features of one slice at most, 64 KB for each of its two frames:
docs/decisions/0011-kept-features.md."""


@dataclass(frozen=True, eq=False)
class TextWindow:
    """Consecutive frames as the text channel gives them to a backbone.

    Attributes:
        frames: uint8 [T, H, W, 3], RGB.
        seconds: float64 [T], stream time of each.
        motion: float32 [T', 6, R, C], as `engine.motion.fine_motion` describes it, a slice each.
        usual: float32 [R], usual speed a row, analysis pixels a second; 0 where unknown.
        width: of the frame at analysis size.
    """

    frames: NDArray[np.uint8]
    seconds: NDArray[np.float64]
    motion: NDArray[np.float32]
    usual: NDArray[np.float32]
    width: int


@dataclass(frozen=True, eq=False)
class PromptLogits:
    """How strongly prompts match in consecutive slices.

    Attributes:
        logits: float32 [s, R, C], the logit of the loudest abnormal prompt.
        prompt: uint8 [s, R, C], the number of that prompt.
        plain: float32 [s, R, C], the logits without the variant: as far above the limit of
            `prompt` as the prompt that is the loudest then lies above its own; None without a
            variant.
    """

    logits: NDArray[np.float32]
    prompt: NDArray[np.uint8]
    plain: NDArray[np.float32] | None = None


@dataclass(frozen=True, eq=False)
class ReplaySample:
    """Cell features of rendered footage that a pack carries, so that teaching forgets nothing.

    Attributes:
        cell_features: float32 [n, M].
        group: uint8 [n], `BACKGROUND`, `NORMAL` or `ABNORMAL`.
    """

    cell_features: NDArray[np.float32]
    group: NDArray[np.uint8]

    def of(self, *groups: int) -> NDArray[np.float32]:
        """Returns the cell features of some groups, float32 [k, M]."""
        return self.cell_features[np.isin(self.group, groups)]


BACKGROUND, NORMAL, ABNORMAL = 0, 1, 2
"""Groups of a replay sample."""


class TextModel(Protocol):
    """A pack's backbone and decoder with one prompt set.

    Attributes:
        window_frames: frames of a full window.
        patch: frames that become one slice.
        distinct_frames: how many of them it looks at; the others are copies of these.
        frame_rate: analysed frames a second that suit it.
        window_ms: time for one window; 0 when nobody measured it.
        limit: the pack's own limit, a logit.
        slope: logits of a score for one logit of a prompt.
    """

    window_frames: int
    patch: int
    distinct_frames: int
    frame_rate: float
    window_ms: float
    limit: float
    slope: float

    def frame_size(self, width: int, height: int, people: float | None) -> tuple[int, int]:
        """Returns the width and height at which it needs frames, in pixels.

        Args:
            width: of the source.
            height: of the source.
            people: height of people in the source, in pixels; None when unknown.
        """
        ...

    def project(self, window: TextWindow, grid: tuple[int, int]) -> list[NDArray[np.uint8]]:
        """Computes the features of a window as far as they go without prompts.

        Args:
            window: the frames.
            grid: rows and columns of the maps that are read from them later.

        Returns:
            For each slice bytes of equal length, `SLICE_BYTES` at most.

        Raises:
            OutOfMemoryError: the device has no memory for a window of this length.
        """
        ...

    def read(
        self,
        slices: Sequence[NDArray[np.uint8]],
        grid: tuple[int, int],
        above: Sequence[float] = (),
    ) -> PromptLogits:
        """Reads how strongly the prompts match in projected features.

        Args:
            slices: from `project`.
            grid: rows and columns, the same as there.
            above: by how much the limit of each prompt lies above the lowest, as in a
                `TextCalibration`; the loudest prompt is the one furthest above its limit.
        """
        ...

    def cell_features(
        self, projected: NDArray[np.uint8], grid: tuple[int, int]
    ) -> NDArray[np.float32]:
        """Returns what the decoder sees of each cell of a slice, float32 [M, R, C]."""
        ...

    def direction_scores(
        self,
        projected: NDArray[np.uint8],
        grid: tuple[int, int],
        weight: NDArray[np.float32],
        offset: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        """Returns `weight . features - offset` of each cell of a slice.

        Args:
            projected: the slice.
            grid: rows and columns.
            weight: float32 [K, M].
            offset: float32 [K].

        Returns:
            float32 [K, R, C].
        """
        ...

    def single_threaded(self) -> AbstractContextManager[None]:
        """Lets each thread that reads meanwhile compute by itself: several read side by side."""
        ...

    def with_variant(self, decoder: bytes) -> TextModel:
        """Returns the same models with the decoder of a variant; empty for none."""
        ...

    def replay(self) -> ReplaySample | None:
        """Returns the pack's replay sample; None when it has none."""
        ...


class OutOfMemoryError(Exception):
    """The device has no memory for a window of this length; a shorter one may fit."""
