"""Derives results from stored maps: scores, regions, trajectories and events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from engine.core.channels import FUSED, SCENE
from engine.core.findings import Event, Reason, Region, Trajectory
from engine.core.progress import CancelToken, Progress, ProgressCallback, silent
from engine.core.settings import AnalysisSettings
from engine.detectors.channel_scores import ChannelPeaks
from engine.motion.analysis_plan import AnalysisPlan
from engine.motion.motion_maps import MotionMaps
from engine.pipeline.channels.fusion import dominant_channel
from engine.pipeline.channels.raw_maps import Calibrations, RawMaps
from engine.pipeline.channels.scoring import BlockScores, score_blocks
from engine.tracking.events import EventSpan, assemble_events, find_events
from engine.tracking.tracker import Tracker
from engine.tracking.tracking_block import TrackingBlock


@dataclass(frozen=True, eq=False)
class Results:
    """What follows from the raw maps of one stream.

    Attributes:
        scores: by channel, float32 [m], 0..1, one an analysed frame.
        regions: in order of frame.
        trajectories: in order of number.
        events: in order of number.
    """

    scores: dict[str, NDArray[np.float32]]
    regions: list[Region]
    trajectories: list[Trajectory]
    events: list[Event]


def derive_results(
    raw: RawMaps,
    calibrations: Calibrations,
    plan: AnalysisPlan,
    settings: AnalysisSettings,
    cancel: CancelToken,
    progress: ProgressCallback = silent,
    on_block: Callable[[int, BlockScores], None] | None = None,
) -> Results:
    """Derives the results of a stream: regions, trajectories and events of its leading channel.

    Args:
        raw: what was measured.
        calibrations: final, of every channel that runs.
        plan: what was analysed.
        settings: of the analysis.
        cancel: looked at between blocks.
        progress: is given the frames done.
        on_block: is given the index of a block's first frame and its scores.

    Raises:
        CancelledError: the user stopped.
    """
    tracker = Tracker(plan.grid, settings.tracking)
    score_parts: defaultdict[str, list[NDArray[np.float32]]] = defaultdict(list)
    peak_parts: defaultdict[str, list[ChannelPeaks]] = defaultdict(list)
    done = 0
    for maps, block in score_blocks(raw, calibrations, plan, settings):
        cancel.check()
        tracker.add(_tracking_block(plan, done, maps, block))
        for name, channel in block.channels.items():
            score_parts[name].append(channel.scores)
            if channel.peaks is not None:
                peak_parts[name].append(channel.peaks)
        if on_block is not None:
            on_block(done, block)
        done += len(block)
        progress(Progress("deriving", done, len(plan)))
    trajectories = tracker.finish()
    scores = {name: np.concatenate(parts) for name, parts in score_parts.items()}
    peaks = {name: parts[0].join(parts) for name, parts in peak_parts.items()}
    events = _events(scores, peaks, plan, settings, trajectories)
    regions = list(tracker.regions.regions(trajectories))
    return Results(scores, regions, trajectories, events)


def _tracking_block(
    plan: AnalysisPlan, start: int, maps: MotionMaps, scores: BlockScores
) -> TrackingBlock:
    frames = slice(start, start + len(maps))
    return TrackingBlock(
        plan.frames[frames],
        plan.pts[frames],
        plan.seconds[frames],
        scores.heat,
        maps.foreground,
        maps.vx,
        maps.vy,
        scores.relative_speed,
    )


def _events(
    scores: dict[str, NDArray[np.float32]],
    peaks: dict[str, ChannelPeaks],
    plan: AnalysisPlan,
    settings: AnalysisSettings,
    trajectories: list[Trajectory],
) -> list[Event]:
    leading = scores.get(FUSED, next(iter(scores.values())))
    spans = find_events(leading, plan.seconds, settings.tracking)
    strongest = [
        {
            name: float(values[span.first : span.last + 1].max())
            for name, values in scores.items()
            if name != FUSED
        }
        for span in spans
    ]
    return assemble_events(
        spans,
        plan.frames,
        plan.pts,
        plan.seconds,
        trajectories,
        [_reasons(peaks, *pair) for pair in zip(spans, strongest, strict=True)],
        [dominant_channel(scores_of_span) for scores_of_span in strongest],
        settings.tracking,
    )


def _reasons(
    peaks: dict[str, ChannelPeaks], span: EventSpan, strongest: dict[str, float]
) -> tuple[Reason, ...]:
    """Returns the reasons of a span, those of the stronger channel first.

    Args:
        peaks: of a whole run, by channel.
        span: that stands out.
        strongest: for each channel, its largest score in the span.
    """
    reasons = {name: part.reasons(span.first, span.last) for name, part in peaks.items()}
    speaking = dominant_channel(strongest)
    if speaking != SCENE and reasons.get(speaking):
        return reasons[speaking]
    by_strength = sorted(reasons, key=lambda name: -strongest[name])
    return tuple(chain.from_iterable(reasons[name] for name in by_strength))
