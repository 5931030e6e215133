"""The channels of a run: raw maps and calibrations in, one verdict for each block out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.core.settings import AnalysisSettings
from engine.detectors.scene.motion_rules import TaughtMotion
from engine.detectors.scene.scene_calibration import Calibration
from engine.detectors.scene.scene_channel import AttributePeaks, SceneChannel, ScoredFrames
from engine.detectors.text.text_calibration import TextCalibration
from engine.detectors.text.text_channel import PromptPeaks, TextChannel
from engine.detectors.text.text_maps import TextMaps
from engine.motion.analysis_plan import AnalysisPlan
from engine.motion.motion_maps import MotionMaps
from engine.pipeline.fusion import FUSED, SCENE, TEXT, fuse, leading_channel

Block = tuple[MotionMaps, NDArray[np.float64]]
"""Raw maps of consecutive analysed frames and their stream times float64 [n]."""


@dataclass(frozen=True)
class RawMaps:
    """The stored maps of a stream, which can be gone through again and again.

    Attributes:
        motion: gives the motion maps of all analysed frames, block by block.
        text: gives the text channel's maps of the same blocks; None without that channel.
    """

    motion: Callable[[], Iterable[Block]]
    text: Callable[[], Iterable[TextMaps]] | None = None


@dataclass(frozen=True)
class Calibrations:
    """What makes the raw maps of each channel comparable.

    Attributes:
        scene: what is usual for the camera.
        text: the limit beyond which a prompt speaks; None without that channel.
        taught: what marks taught the scene channel.
    """

    scene: Calibration
    text: TextCalibration | None = None
    taught: tuple[TaughtMotion, ...] = ()


@dataclass(frozen=True, eq=False)
class Reading:
    """What one channel makes of consecutive analysed frames.

    Attributes:
        heat: float32 [n, R, C], 0..1; 0.5 = at the limit.
        scores: float32 [n], 0..1.
    """

    heat: NDArray[np.float32]
    scores: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Verdict:
    """What the channels of a run make of consecutive analysed frames.

    Attributes:
        readings: by channel; `fused` is among them when there are several.
        leading: the channel that regions, trajectories and events come from.
        peaks: what each attribute of the scene channel found; none without that channel.
        prompts: what each prompt found; None without the text channel.
        relative_speed: float32 [n, R, C], times the usual speed; 0 where nothing moves.
    """

    readings: dict[str, Reading]
    leading: str
    peaks: dict[str, AttributePeaks]
    prompts: PromptPeaks | None
    relative_speed: NDArray[np.float32]

    @property
    def heat(self) -> NDArray[np.float32]:
        """Heatmap of the leading channel, float32 [n, R, C]."""
        return self.readings[self.leading].heat

    def __len__(self) -> int:
        return len(self.readings[self.leading].scores)


def judge(
    raw: RawMaps, calibrations: Calibrations, plan: AnalysisPlan, settings: AnalysisSettings
) -> Iterator[tuple[MotionMaps, Verdict]]:
    """Lets the channels of a run judge its blocks in order.

    Args:
        raw: what was measured.
        calibrations: of every channel that runs.
        plan: what was analysed.
        settings: of the analysis; say which channels run.

    Yields:
        The motion maps of a block and the verdict on it.
    """
    channel = SceneChannel(
        calibrations.scene, plan.grid.cell, plan.rate, settings.scene, calibrations.taught
    )
    texts = iter(raw.text()) if TEXT in settings.channels and raw.text is not None else None
    reader = TextChannel(calibrations.text, plan.grid) if calibrations.text is not None else None
    taken: deque[tuple[MotionMaps, NDArray[np.float64], TextMaps | None]] = deque()

    def blocks() -> Iterator[Block]:
        for maps, seconds in raw.motion():
            taken.append((maps, seconds, None if texts is None else next(texts)))
            yield maps, seconds

    def harmless() -> NDArray[np.bool_] | None:
        _, seconds, text = taken[-1]
        return None if text is None else text.harmless(seconds)

    # Blocks are taken ahead of their scores, by one or two.
    for scored in channel.score(blocks(), harmless):
        maps, seconds, text = taken.popleft()
        readings = {SCENE: Reading(scored.heat, scored.scores)}
        prompts = None
        if text is not None and reader is not None:
            heat, scores, prompts = reader.read(text, seconds)
            readings[TEXT] = Reading(heat, scores)
        yield maps, _verdict(readings, scored, prompts, settings.channels)


def _verdict(
    readings: dict[str, Reading],
    scored: ScoredFrames,
    prompts: PromptPeaks | None,
    channels: tuple[str, ...],
) -> Verdict:
    kept = {name: one for name, one in readings.items() if name in channels}
    leading = leading_channel(channels)
    if leading == FUSED:
        kept[FUSED] = Reading(
            fuse(*(one.heat for one in kept.values())), fuse(*(one.scores for one in kept.values()))
        )
    peaks = scored.peaks if SCENE in channels else {}
    return Verdict(kept, leading, peaks, prompts, scored.relative_speed)


def joined_peaks(parts: list[dict[str, AttributePeaks]]) -> dict[str, AttributePeaks]:
    """Joins what the attributes found in consecutive blocks."""
    return {
        name: AttributePeaks(
            np.concatenate([part[name].excess for part in parts]),
            np.concatenate([part[name].value for part in parts]),
            np.concatenate([part[name].usual for part in parts]),
        )
        for name in parts[0]
    }
