"""The text channel: raw maps and a calibration in, heatmaps, scores and peaks out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.detectors.channel_scores import ChannelScores
from engine.detectors.text.prompt_peaks import PromptPeaks
from engine.detectors.text.text_calibration import TextCalibration
from engine.detectors.text.text_maps import TextMaps
from engine.motion.grid import Grid


class TextChannel:
    """Scores blocks of raw text maps; each block by itself, so they may be cut anywhere.

    Args:
        calibration: of the prompts.
        grid: of the maps.
        prompts: the abnormal prompts of the set, for the reasons.
    """

    def __init__(
        self, calibration: TextCalibration, grid: Grid, prompts: tuple[str, ...] = ()
    ) -> None:
        self._calibration = calibration
        self._grid = grid
        self._prompts = prompts

    def score(self, maps: TextMaps, seconds: NDArray[np.float64]) -> ChannelScores:
        """Scores the analysed frames of one block.

        The maps of slices are not smoothed over time; frames between two slices are
        interpolated, those before the first and after the last take the nearest.

        Args:
            maps: of the block.
            seconds: float64 [n], stream time of its analysed frames.
        """
        count = len(seconds)
        if not len(maps):
            silent = np.zeros(count, np.float32)
            heat = np.zeros((count, self._grid.rows, self._grid.columns), np.float32)
            peaks = PromptPeaks(silent, np.zeros(count, np.uint8), self._prompts)
            return ChannelScores(heat, silent, peaks)
        scores = self._calibration.score(maps.logits, maps.prompt)
        low, high, part = _between(maps.seconds, seconds)
        weight = part[:, None, None]
        heat = scores[low] * (1 - weight) + scores[high] * weight
        flat = scores.reshape(len(maps), -1)
        loudest = np.arange(len(maps)), flat.argmax(1)
        peak, prompt = flat[loudest], maps.prompt.reshape(len(maps), -1)[loudest]
        nearest = np.where(part < np.float32(0.5), low, high)
        frames = np.asarray(heat.reshape(count, -1).max(1), np.float32)
        return ChannelScores(
            heat, frames, PromptPeaks(peak[nearest], prompt[nearest], self._prompts)
        )


def _between(
    slices: NDArray[np.float64], frames: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Returns for each frame the slices before and after it, and how far it is to the latter."""
    high = np.clip(np.searchsorted(slices, frames), 0, len(slices) - 1)
    low = np.maximum(high - 1, 0)
    span = slices[high] - slices[low]
    part = np.divide(frames - slices[low], span, out=np.ones(len(frames)), where=span > 0)
    return low, high, np.clip(part, 0, 1).astype(np.float32)
