"""The scene channel: raw motion maps and a calibration in, heatmaps, scores and peaks out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from engine.core.channels import SCENE_ATTRIBUTES
from engine.core.settings import SceneSettings
from engine.detectors.channel_scores import ChannelScores
from engine.detectors.scene.attributes.attribute import Attribute
from engine.detectors.scene.motion_rules import (
    MotionRule,
    apply_motion_rules,
    moving_targets,
    suppress_motion,
)
from engine.detectors.scene.observation import MotionBlock, Observation, Observer
from engine.detectors.scene.scene_calibration import SceneCalibration
from engine.detectors.scene.scene_peaks import AttributePeaks, ScenePeaks

_STEEPNESS = 4  # A choice: an excess of 1.5 makes a score of 0.84, one of 0.67 a score of 0.17.
_TRUNCATE = 4.0  # Sigmas at which a Gaussian ends, as scipy has it; decides how late results come.


@dataclass(frozen=True, eq=False)
class SceneScores(ChannelScores):
    """What the scene channel makes of n consecutive frames.

    Attributes:
        peaks: what each attribute found.
        relative_speed: float32 [n, R, C], in multiples of the usual speed; 0 where nothing moves.
    """

    peaks: ScenePeaks
    relative_speed: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class _RawScores:
    """Excess float32 [A, n, R, C] before smoothing, and relative speed float32 [n, R, C]."""

    excess: NDArray[np.float32]
    relative_speed: NDArray[np.float32]

    def __len__(self) -> int:
        return int(self.excess.shape[1])


def excess_to_score(excess: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turns excess (1 = limit of the usual) into a score 0..1 (0.5 = limit)."""
    power = np.asarray(excess, np.float32) ** _STEEPNESS
    return np.asarray(power / (1 + power), np.float32)


class SceneChannel:
    """Scores one piece of footage, block by block, with a fixed calibration.

    The result does not depend on how the footage is cut into blocks, except that abandoned and
    removed objects are looked for once a block.
    """

    def __init__(
        self,
        calibration: SceneCalibration,
        cell: int,
        rate: float,
        settings: SceneSettings,
        rules: tuple[MotionRule, ...] = (),
    ) -> None:
        """Prepares the attributes.

        Args:
            calibration: what is usual.
            cell: edge of a cell in analysis pixels.
            rate: analysed frames a second.
            settings: of the channel.
            rules: of a variant, applied beyond the calibration.
        """
        rows, columns = calibration.statistics.visits.shape
        self._calibration = calibration
        self._settings = settings
        self._rules = rules
        self._sigma = settings.smoothing_seconds * rate
        self._score_sigma = settings.score_smoothing_seconds * rate
        self._observer = Observer(rows, columns, cell, settings, rate)
        self._usual_speed = calibration.usual_speed()
        self.attributes: list[Attribute] = [
            attribute(calibration)
            for name, attribute in SCENE_ATTRIBUTES.items()
            if name in settings.attributes
        ]

    @property
    def _context(self) -> int:
        return int(_TRUNCATE * (self._sigma + self._score_sigma) + 1.5)

    def score(
        self,
        blocks: Iterable[MotionBlock],
        harmless: Iterable[NDArray[np.bool_] | None] = repeat(None),
    ) -> Iterator[SceneScores]:
        """Scores blocks in order; yields one result a block.

        A result comes one block late, because smoothing looks both ways.

        Args:
            blocks: raw maps with stream times.
            harmless: for each block where another channel knows a target that is harmless, bool
                [n, R, C]; None where it knows none.
        """
        before: _RawScores | None = None
        pending: list[_RawScores] = []
        for (maps, seconds), harmless_cells in zip(blocks, harmless, strict=False):
            observation = self._observer.observe(maps, seconds)
            pending.append(self._measure(observation, harmless_cells))
            while len(pending) > 1 and sum(map(len, pending[1:])) >= self._context:
                yield self._smooth(before, pending[0], pending[1:])
                before = self._context_after(before, pending.pop(0))
        while pending:
            yield self._smooth(before, pending[0], pending[1:])
            before = self._context_after(before, pending.pop(0))

    def _measure(self, observation: Observation, harmless: NDArray[np.bool_] | None) -> _RawScores:
        scaled = np.stack([self._scale(attribute, observation) for attribute in self.attributes])
        excess = apply_motion_rules(
            scaled, self.attributes, self._rules, observation, self._usual_speed
        )
        if harmless is not None:
            targets = moving_targets(observation, harmless)
            excess = suppress_motion(excess, self.attributes, targets)
        speed, usual = observation.motion.speed, self._usual_speed
        relative = np.zeros_like(speed) if usual is None else speed / usual[:, None]
        return _RawScores(excess, np.asarray(relative, np.float32))

    def _scale(self, attribute: Attribute, observation: Observation) -> NDArray[np.float32]:
        excess = attribute.excess(observation)
        if not attribute.allows_moving_camera:
            excess = excess * observation.still[:, None, None]
        return np.asarray(excess / np.float32(self._calibration.scale(attribute.name)), np.float32)

    def _context_after(self, before: _RawScores | None, block: _RawScores) -> _RawScores:
        parts = [block.excess] if before is None else [before.excess, block.excess]
        joined = np.concatenate(parts, axis=1)[:, -self._context :]
        return _RawScores(joined, block.relative_speed[:0])

    def _smooth(
        self, before: _RawScores | None, block: _RawScores, after: list[_RawScores]
    ) -> SceneScores:
        start = 0 if before is None else len(before)
        parts = ([] if before is None else [before.excess]) + [block.excess]
        if after:
            following = np.concatenate([later.excess for later in after], 1)
            parts.append(following[:, : self._context])
        sigma = (self._sigma, self._settings.smoothing_cells, self._settings.smoothing_cells)
        smooth = np.concatenate(parts, axis=1)
        for excess in smooth:
            if excess.any():
                gaussian_filter(excess, sigma, output=excess, truncate=_TRUNCATE)
        top = smooth.max(0)
        frame = gaussian_filter1d(top.max((1, 2)), self._score_sigma, truncate=_TRUNCATE)
        own = slice(start, start + len(block))
        peaks = {
            attribute.name: self._peaks(attribute, smooth[i, own])
            for i, attribute in enumerate(self.attributes)
        }
        heat, scores = excess_to_score(top[own]), excess_to_score(frame[own])
        return SceneScores(heat, scores, ScenePeaks(peaks), block.relative_speed)

    def _peaks(self, attribute: Attribute, excess: NDArray[np.float32]) -> AttributePeaks:
        count, _, columns = excess.shape
        flat = excess.reshape(count, -1)
        cells = flat.argmax(1)
        peak = flat[np.arange(count), cells]
        scale = self._calibration.scale(attribute.name)
        values_and_usual = [
            attribute.explain(float(value) * scale, int(cell) // columns, int(cell) % columns)
            if value > 0
            else (0.0, 0.0)
            for value, cell in zip(peak, cells, strict=True)
        ]
        pairs = np.array(values_and_usual, np.float32).reshape(count, 2)
        return AttributePeaks(peak, pairs[:, 0], pairs[:, 1])
