"""The text channel's verdict: raw maps and a calibration in, heat, scores and prompts out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.detectors.text.text_calibration import TextCalibration
from engine.detectors.text.text_maps import TextMaps
from engine.motion.grid import Grid


@dataclass(frozen=True, eq=False)
class PromptPeaks:
    """The prompt that spoke loudest in each frame.

    Attributes:
        score: float32 [n], its score, 0..1.
        prompt: uint8 [n], its number in the set.
    """

    score: NDArray[np.float32]
    prompt: NDArray[np.uint8]


def joined_prompts(parts: Sequence[PromptPeaks]) -> PromptPeaks:
    """Joins consecutive frames."""
    return PromptPeaks(
        np.concatenate([one.score for one in parts]), np.concatenate([one.prompt for one in parts])
    )


class TextChannel:
    """Scores blocks of raw text maps; each block by itself, so they may come in any cut."""

    def __init__(self, calibration: TextCalibration, grid: Grid) -> None:
        self._calibration = calibration
        self._grid = grid

    def read(
        self, maps: TextMaps, seconds: NDArray[np.float64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], PromptPeaks]:
        """Scores the analysed frames of one block.

        The maps of slices are not smoothed over time; frames between two slices are
        interpolated, those before the first and after the last take the nearest.

        Args:
            maps: of the block.
            seconds: float64 [n], stream time of its analysed frames.

        Returns:
            Heatmap float32 [n, R, C] and scores float32 [n], 0..1, and the loudest prompts.
        """
        count = len(seconds)
        shape = (count, self._grid.rows, self._grid.columns)
        if not len(maps):
            silent = np.zeros(count, np.float32)
            return np.zeros(shape, np.float32), silent, PromptPeaks(silent, np.zeros(count, "u1"))
        scores = self._calibration.score(maps.logits, maps.prompt)
        low, high, part = _between(maps.seconds, seconds)
        weight = part[:, None, None]
        heat = scores[low] * (1 - weight) + scores[high] * weight
        flat = scores.reshape(len(maps), -1)
        where = flat.argmax(1)
        each = np.arange(len(maps))
        peak, prompt = flat[each, where], maps.prompt.reshape(len(maps), -1)[each, where]
        nearest = np.where(part < np.float32(0.5), low, high)
        frames = np.asarray(heat.reshape(count, -1).max(1), np.float32)
        return heat, frames, PromptPeaks(peak[nearest], prompt[nearest])


def _between(
    slices: NDArray[np.float64], frames: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Returns for each frame the slices before and after it, and how far it is to the latter."""
    high = np.clip(np.searchsorted(slices, frames), 0, len(slices) - 1)
    low = np.maximum(high - 1, 0)
    span = slices[high] - slices[low]
    part = np.divide(frames - slices[low], span, out=np.ones(len(frames)), where=span > 0)
    return low, high, np.clip(part, 0, 1).astype(np.float32)
