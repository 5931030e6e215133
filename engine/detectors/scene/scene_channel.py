"""The scene channel: raw motion maps and a calibration in, heatmaps, scores and reasons out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from engine.core.settings import SceneSettings
from engine.detectors.scene.attributes import Attribute, Direction, Dwelling, Place, Size, Speed
from engine.detectors.scene.motion_rules import TaughtMotion, apply_taught, moving_there, quieted
from engine.detectors.scene.observation import Observation, Observer
from engine.detectors.scene.scene_calibration import Calibration
from engine.detectors.scene.standing_objects import Standing, StandingObjects
from engine.motion.motion_maps import MotionMaps

_STEEPNESS = 4
_TRUNCATE = 4.0
_WITH_MOVING_CAMERA = ("speed",)


@dataclass(frozen=True, eq=False)
class AttributePeaks:
    """What one attribute found in each frame, at its strongest cell.

    Attributes:
        excess: float32 [n], 1 = at the limit of the usual.
        value: float32 [n], what was measured there.
        usual: float32 [n], what is usual there.
    """

    excess: NDArray[np.float32]
    value: NDArray[np.float32]
    usual: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class ScoredFrames:
    """The scene channel's verdict on consecutive frames.

    Attributes:
        heat: float32 [n, R, C], calibrated heatmap, 0..1; 0.5 = at the limit of the usual.
        scores: float32 [n], calibrated frame scores, 0..1.
        peaks: what each attribute found.
        relative_speed: float32 [n, R, C], times the usual speed; 0 where nothing moves.
    """

    heat: NDArray[np.float32]
    scores: NDArray[np.float32]
    peaks: dict[str, AttributePeaks]
    relative_speed: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.scores)


@dataclass(frozen=True, eq=False)
class _Block:
    excess: NDArray[np.float32]
    relative_speed: NDArray[np.float32]

    def __len__(self) -> int:
        return int(self.excess.shape[1])


def squash(excess: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turns excess (1 = limit of the usual) into a score 0..1 (0.5 = limit)."""
    power = np.asarray(excess, np.float32) ** _STEEPNESS
    return np.asarray(power / (1 + power), np.float32)


class SceneChannel:
    """Judges one piece of footage, block by block, with a fixed calibration.

    The result does not depend on how the footage is cut into blocks, except that objects left
    or taken are looked for once a block.
    """

    def __init__(
        self,
        calibration: Calibration,
        cell: int,
        rate: float,
        settings: SceneSettings,
        taught: tuple[TaughtMotion, ...] = (),
    ) -> None:
        """Prepares the attributes.

        Args:
            calibration: what is usual.
            cell: edge of a cell in analysis pixels.
            rate: analysed frames a second.
            settings: how motion is judged.
            taught: what marks taught beyond the calibration.
        """
        rows, columns = calibration.statistics.visits.shape
        self._calibration = calibration
        self._settings = settings
        self._taught = taught
        self._sigma = settings.smoothing_seconds * rate
        self._score_sigma = settings.score_smoothing_seconds * rate
        self._observer = Observer(rows, columns, cell, settings, rate)
        self._standing = StandingObjects(rows, columns)
        self._usual = calibration.usual_speed()
        every: list[Attribute] = [
            Speed(calibration),
            Direction(calibration),
            Size(calibration),
            Place(calibration),
            Dwelling(calibration),
            Standing("left", self._standing),
            Standing("taken", self._standing),
        ]
        self.attributes = [one for one in every if one.name in settings.attributes]

    @property
    def _context(self) -> int:
        return int(_TRUNCATE * (self._sigma + self._score_sigma) + 1.5)

    def score(
        self,
        blocks: Iterable[tuple[MotionMaps, NDArray[np.float64]]],
        harmless: Callable[[], NDArray[np.bool_] | None] = lambda: None,
    ) -> Iterator[ScoredFrames]:
        """Scores blocks of raw maps with their stream times; yields one result a block.

        A result comes one block late, because smoothing looks both ways.

        Args:
            blocks: in order.
            harmless: called after each of them was taken: where another channel knows a target
                that is harmless, bool [n, R, C]; None where it knows none.
        """
        before: _Block | None = None
        pending: list[_Block] = []
        for maps, seconds in blocks:
            pending.append(self._judge(self._observer.observe(maps, seconds), harmless()))
            while len(pending) > 1 and sum(map(len, pending[1:])) >= self._context:
                yield self._smoothed(before, pending[0], pending[1:])
                before = self._kept(before, pending.pop(0))
        while pending:
            yield self._smoothed(before, pending[0], pending[1:])
            before = self._kept(before, pending.pop(0))

    def _judge(self, observation: Observation, harmless: NDArray[np.bool_] | None) -> _Block:
        self._standing.update(observation)
        scaled = np.stack([self._scaled(attribute, observation) for attribute in self.attributes])
        names = [attribute.name for attribute in self.attributes]
        excess = apply_taught(scaled, names, self._taught, observation, self._usual)
        if harmless is not None:
            excess = quieted(excess, names, moving_there(observation, harmless))
        speed = observation.motion.speed
        relative = np.zeros_like(speed) if self._usual is None else speed / self._usual[:, None]
        return _Block(excess, np.asarray(relative, np.float32))

    def _scaled(self, attribute: Attribute, observation: Observation) -> NDArray[np.float32]:
        excess = attribute.excess(observation)
        if attribute.name not in _WITH_MOVING_CAMERA:
            excess = excess * observation.still[:, None, None]
        return np.asarray(excess / np.float32(self._calibration.scale(attribute.name)), np.float32)

    def _kept(self, before: _Block | None, block: _Block) -> _Block:
        parts = [block.excess] if before is None else [before.excess, block.excess]
        joined = np.concatenate(parts, axis=1)[:, -self._context :]
        return _Block(joined, block.relative_speed[:0])

    def _smoothed(self, before: _Block | None, block: _Block, after: list[_Block]) -> ScoredFrames:
        start = 0 if before is None else len(before)
        parts = ([] if before is None else [before.excess]) + [block.excess]
        tail = np.concatenate([one.excess for one in after], 1) if after else None
        if tail is not None:
            parts.append(tail[:, : self._context])
        sigma = (self._sigma, self._settings.smoothing_cells, self._settings.smoothing_cells)
        smooth = np.concatenate(parts, axis=1)
        for excess in smooth:
            if excess.any():
                gaussian_filter(excess, sigma, output=excess, truncate=_TRUNCATE)
        top = smooth.max(0)
        frame = gaussian_filter1d(top.max((1, 2)), self._score_sigma, truncate=_TRUNCATE)
        mine = slice(start, start + len(block))
        return ScoredFrames(
            squash(top[mine]),
            squash(frame[mine]),
            {
                attribute.name: self._peaks(attribute, smooth[i, mine])
                for i, attribute in enumerate(self.attributes)
            },
            block.relative_speed,
        )

    def _peaks(self, attribute: Attribute, excess: NDArray[np.float32]) -> AttributePeaks:
        count, _, columns = excess.shape
        flat = excess.reshape(count, -1)
        where = flat.argmax(1)
        peak = flat[np.arange(count), where]
        scale = self._calibration.scale(attribute.name)
        explained = [
            attribute.explain(float(one) * scale, int(cell) // columns, int(cell) % columns)
            if one > 0
            else (0.0, 0.0)
            for one, cell in zip(peak, where, strict=True)
        ]
        pairs = np.array(explained, np.float32).reshape(count, 2)
        return AttributePeaks(peak, pairs[:, 0], pairs[:, 1])
