"""Scores the blocks of a run for the text channel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.detectors.channel_scores import ChannelScores
from engine.detectors.text.text_channel import TextChannel
from engine.pipeline.channels.raw_maps import RawBlock, ScoringInputs


def score_text(blocks: Iterable[RawBlock], inputs: ScoringInputs) -> Iterator[ChannelScores]:
    """Scores prompts, each block by itself."""
    for block in blocks:
        assert block.text is not None
        assert inputs.calibrations.text is not None
        channel = TextChannel(inputs.calibrations.text, inputs.plan.grid, block.prompts)
        yield channel.score(block.text, block.seconds)
