"""Scores the blocks of a run for the scene channel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import tee

from engine.detectors.scene.scene_channel import SceneChannel, SceneScores
from engine.pipeline.channels.raw_maps import RawBlock, ScoringInputs


def score_scene(blocks: Iterable[RawBlock], inputs: ScoringInputs) -> Iterator[SceneScores]:
    """Scores motion; reads a block or two ahead, because smoothing looks both ways."""
    known, plan, settings = inputs.calibrations, inputs.plan, inputs.settings.scene
    channel = SceneChannel(known.scene, plan.grid.cell, plan.rate, settings, known.motion_rules)
    motion, others = tee(blocks)
    return channel.score(
        ((block.motion, block.seconds) for block in motion), (block.harmless() for block in others)
    )
