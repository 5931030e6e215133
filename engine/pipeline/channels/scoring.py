"""Scores the blocks of a run: raw maps and calibrations in, the scores of every channel out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import tee

import numpy as np
from numpy.typing import NDArray

from engine.core.channels import CHANNELS, FUSED, SCENE, leading_channel
from engine.core.registry import Registry
from engine.core.settings import AnalysisSettings
from engine.detectors.channel_scores import ChannelScores
from engine.detectors.scene.scene_channel import SceneScores
from engine.motion.analysis_plan import AnalysisPlan
from engine.motion.motion_maps import MotionMaps
from engine.pipeline.channels.fusion import fuse
from engine.pipeline.channels.raw_maps import Calibrations, RawMaps, Scorer, ScoringInputs

SCORERS: Registry[Scorer] = Registry({name: channel.scorer for name, channel in CHANNELS.items()})


@dataclass(frozen=True, eq=False)
class BlockScores:
    """The scores of n consecutive analysed frames of a run.

    Attributes:
        channels: by name; `fused` is among them when there are several.
        leading: the channel that regions, trajectories and events come from.
        relative_speed: float32 [n, R, C], in multiples of the usual speed; 0 where nothing moves.
    """

    channels: dict[str, ChannelScores]
    leading: str
    relative_speed: NDArray[np.float32]

    @property
    def heat(self) -> NDArray[np.float32]:
        """Heatmap of the leading channel, float32 [n, R, C]."""
        return self.channels[self.leading].heat

    def __len__(self) -> int:
        return len(self.channels[self.leading])


def score_blocks(
    raw: RawMaps, calibrations: Calibrations, plan: AnalysisPlan, settings: AnalysisSettings
) -> Iterator[tuple[MotionMaps, BlockScores]]:
    """Scores the blocks of a run in order.

    The scene channel is scored in any run, because tracking needs its relative speed.

    Args:
        raw: what was measured.
        calibrations: of every channel that runs.
        plan: what was analysed.
        settings: of the analysis; name the channels that run.

    Yields:
        The motion maps of a block and its scores.
    """
    names = [name for name in CHANNELS if name == SCENE or name in settings.channels]
    # Channels may read ahead, so that each goes through the blocks by itself.
    blocks, *copies = tee(raw.blocks(settings.channels), 1 + len(names))
    inputs = ScoringInputs(calibrations, plan, settings)
    scores = [SCORERS[name](copy, inputs) for name, copy in zip(names, copies, strict=True)]
    for block, *block_scores in zip(blocks, *scores, strict=True):
        by_channel = dict(zip(names, block_scores, strict=True))
        yield block.motion, _fuse_block(by_channel, settings.channels)


def _fuse_block(scores: dict[str, ChannelScores], channels: tuple[str, ...]) -> BlockScores:
    scene = scores[SCENE]
    assert isinstance(scene, SceneScores)
    running = {name: scores[name] for name in scores if name in channels}
    leading = leading_channel(channels)
    if leading == FUSED:
        parts = list(running.values())
        heat = fuse(*(part.heat for part in parts))
        running[FUSED] = ChannelScores(heat, fuse(*(part.scores for part in parts)), None)
    return BlockScores(running, leading, scene.relative_speed)
