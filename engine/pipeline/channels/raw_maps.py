"""What scoring reads: the raw maps of a run, block by block, and the calibrations of channels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from engine.core.channels import TEXT
from engine.core.settings import AnalysisSettings
from engine.detectors.channel_scores import ChannelScores
from engine.detectors.scene.motion_rules import MotionRule
from engine.detectors.scene.observation import MotionBlock
from engine.detectors.scene.scene_calibration import SceneCalibration
from engine.detectors.text.text_calibration import TextCalibration
from engine.detectors.text.text_maps import TextMaps
from engine.motion.analysis_plan import AnalysisPlan
from engine.motion.motion_maps import MotionMaps


@dataclass(frozen=True, eq=False)
class RawBlock:
    """Raw maps of n consecutive analysed frames.

    Attributes:
        motion: of every frame.
        seconds: float64 [n], stream time.
        text: of the same time; None without the text channel.
        prompts: the abnormal prompts of the text channel.
    """

    motion: MotionMaps
    seconds: NDArray[np.float64]
    text: TextMaps | None
    prompts: tuple[str, ...]

    def harmless(self) -> NDArray[np.bool_] | None:
        """Returns where the text channel knows harmless targets, bool [n, R, C], or None."""
        return None if self.text is None else self.text.harmless(self.seconds)


@dataclass(frozen=True)
class RawMaps:
    """The raw maps of a stream, which can be gone through again and again.

    Attributes:
        motion: gives the motion maps of all analysed frames, block by block.
        text: gives the text channel's maps of the same blocks; None without that channel.
        prompts: the abnormal prompts of the text channel, for reasons.
    """

    motion: Callable[[], Iterable[MotionBlock]]
    text: Callable[[], Iterable[TextMaps]] | None = None
    prompts: tuple[str, ...] = ()

    def blocks(self, channels: tuple[str, ...]) -> Iterator[RawBlock]:
        """Yields the blocks in order with the maps that some channels read."""
        read_text = self.text if TEXT in channels else None
        texts: Iterable[TextMaps | None] = repeat(None) if read_text is None else read_text()
        for (motion, seconds), text in zip(self.motion(), texts, strict=read_text is not None):
            yield RawBlock(motion, seconds, text, self.prompts)


@dataclass(frozen=True)
class Calibrations:
    """What makes the raw maps of each channel comparable.

    Attributes:
        scene: what is usual for the camera.
        text: the limit beyond which a prompt speaks; None without that channel.
        motion_rules: of a variant, for the scene channel.
    """

    scene: SceneCalibration
    text: TextCalibration | None = None
    motion_rules: tuple[MotionRule, ...] = ()


@dataclass(frozen=True)
class ScoringInputs:
    """What scorers need beside raw maps: calibrations, what was analysed, and the settings."""

    calibrations: Calibrations
    plan: AnalysisPlan
    settings: AnalysisSettings


Scorer = Callable[[Iterable[RawBlock], ScoringInputs], Iterator[ChannelScores]]
"""Scores the blocks of a run for one channel, in order, one result a block."""
