"""Derives results from stored maps: scores, regions, trajectories and events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.analysis.plan import AnalysisPlan
from engine.core.progress import CancelToken, Progress, Report, silent
from engine.core.results import Event, Reason, Region, Trajectory
from engine.core.settings import AnalysisSettings
from engine.motion.maps import MotionMaps
from engine.scene.calibration import Calibration
from engine.scene.channel import AttributePeaks, SceneChannel, ScoredFrames
from engine.scene.reasons import event_reasons
from engine.tracking.events import assemble_events, find_events
from engine.tracking.frames import TrackingBlock
from engine.tracking.tracker import Tracker

Blocks = Iterable[tuple[MotionMaps, NDArray[np.float64]]]
"""Consecutive blocks of a stream: raw maps and stream times float64 [n]."""


@dataclass(frozen=True, eq=False)
class Results:
    """What was found in one stream.

    Attributes:
        scores: by channel, float32 [m], 0..1, one an analysed frame.
        regions: in order of frame.
        trajectories: in order of number.
        events: in order of number.
        peaks: what each attribute found, a value an analysed frame.
    """

    scores: dict[str, NDArray[np.float32]]
    regions: list[Region]
    trajectories: list[Trajectory]
    events: list[Event]
    peaks: dict[str, AttributePeaks]


def score_blocks(
    blocks: Blocks, calibration: Calibration, plan: AnalysisPlan, settings: AnalysisSettings
) -> Iterator[ScoredFrames]:
    """Scores the blocks of a stream in order; one result a block."""
    channel = SceneChannel(calibration, plan.grid.cell, plan.rate, settings.scene)
    return channel.score(blocks)


def derive(
    blocks: Callable[[], Blocks],
    calibration: Calibration,
    plan: AnalysisPlan,
    settings: AnalysisSettings,
    cancel: CancelToken,
    report: Report = silent,
    see: Callable[[int, ScoredFrames], None] | None = None,
) -> Results:
    """Derives the results of a stream.

    Args:
        blocks: gives the stored maps of all analysed frames in order.
        calibration: final.
        plan: what was analysed.
        settings: of the analysis.
        cancel: looked at between blocks.
        report: told the frames done.
        see: given the position of a block's first frame and its scored frames.

    Raises:
        CancelledError: the user stopped.
    """
    tracker = Tracker(plan.grid, settings.tracking)
    scores: list[NDArray[np.float32]] = []
    peaks: list[dict[str, AttributePeaks]] = []
    at = 0
    pairs = _paired(blocks(), lambda one: score_blocks(one, calibration, plan, settings))
    for maps, scored in pairs:
        cancel.check()
        tracker.add(_tracking_block(plan, at, maps, scored))
        scores.append(scored.scores)
        peaks.append(scored.peaks)
        if see is not None:
            see(at, scored)
        at += len(scored)
        report(Progress("deriving", at, len(plan)))
    trajectories = tracker.finish()
    found = np.concatenate(scores)
    joined = _joined(peaks)
    events = _events(found, plan, settings, trajectories, joined)
    regions = list(tracker.regions.regions(trajectories))
    return Results({"scene": found}, regions, trajectories, events, joined)


def _paired(
    blocks: Blocks, score: Callable[[Blocks], Iterator[ScoredFrames]]
) -> Iterator[tuple[MotionMaps, ScoredFrames]]:
    """Pairs scored frames with their maps, which run ahead of them by a block or two."""
    waiting: list[MotionMaps] = []

    def watched() -> Iterator[tuple[MotionMaps, NDArray[np.float64]]]:
        for maps, seconds in blocks:
            waiting.append(maps)
            yield maps, seconds

    for scored in score(watched()):
        yield waiting.pop(0), scored


def _tracking_block(
    plan: AnalysisPlan, at: int, maps: MotionMaps, scored: ScoredFrames
) -> TrackingBlock:
    here = slice(at, at + len(maps))
    return TrackingBlock(
        plan.frames[here],
        plan.pts[here],
        plan.seconds[here],
        scored.heat,
        maps.foreground,
        maps.vx,
        maps.vy,
        scored.relative_speed,
    )


def _joined(parts: list[dict[str, AttributePeaks]]) -> dict[str, AttributePeaks]:
    return {
        name: AttributePeaks(
            np.concatenate([part[name].excess for part in parts]),
            np.concatenate([part[name].value for part in parts]),
            np.concatenate([part[name].usual for part in parts]),
        )
        for name in parts[0]
    }


def _events(
    scores: NDArray[np.float32],
    plan: AnalysisPlan,
    settings: AnalysisSettings,
    trajectories: list[Trajectory],
    peaks: dict[str, AttributePeaks],
) -> list[Event]:
    spans = find_events(scores, plan.seconds, settings.tracking)
    reasons: list[tuple[Reason, ...]] = [
        event_reasons(peaks, span.first, span.last) for span in spans
    ]
    return assemble_events(
        spans,
        plan.frames,
        plan.pts,
        plan.seconds,
        trajectories,
        reasons,
        "scene",
        settings.tracking,
    )
