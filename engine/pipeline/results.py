"""Derives results from stored maps: scores, regions, trajectories and events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.core.findings import Event, Reason, Region, Trajectory
from engine.core.progress import CancelToken, Progress, ProgressCallback, silent
from engine.core.settings import AnalysisSettings
from engine.detectors.scene.scene_channel import AttributePeaks
from engine.detectors.scene.scene_reasons import event_reasons
from engine.detectors.text.prompt_reasons import prompt_reasons
from engine.detectors.text.text_channel import PromptPeaks, joined_prompts
from engine.motion.analysis_plan import AnalysisPlan
from engine.motion.motion_maps import MotionMaps
from engine.pipeline.fusion import FUSED, SCENE, TEXT, speaking_channel
from engine.pipeline.scoring import Calibrations, RawMaps, Verdict, joined_peaks, judge
from engine.tracking.events import EventSpan, assemble_events, find_events
from engine.tracking.tracker import Tracker
from engine.tracking.tracking_block import TrackingBlock


@dataclass(frozen=True, eq=False)
class Results:
    """What was found in one stream.

    Attributes:
        scores: by channel, float32 [m], 0..1, one an analysed frame.
        regions: in order of frame.
        trajectories: in order of number.
        events: in order of number.
        peaks: what each attribute of the scene channel found, a value an analysed frame.
        prompts: what the prompts found, likewise; None without the text channel.
    """

    scores: dict[str, NDArray[np.float32]]
    regions: list[Region]
    trajectories: list[Trajectory]
    events: list[Event]
    peaks: dict[str, AttributePeaks]
    prompts: PromptPeaks | None = None


def derive(
    raw: RawMaps,
    calibrations: Calibrations,
    plan: AnalysisPlan,
    settings: AnalysisSettings,
    prompts: tuple[str, ...],
    cancel: CancelToken,
    progress: ProgressCallback = silent,
    see: Callable[[int, Verdict], None] | None = None,
) -> Results:
    """Derives the results of a stream: regions, trajectories and events of its leading channel.

    Args:
        raw: what was measured.
        calibrations: final, of every channel that runs.
        plan: what was analysed.
        settings: of the analysis.
        prompts: the abnormal prompts of the text channel; none without it.
        cancel: looked at between blocks.
        progress: told the frames done.
        see: given the position of a block's first frame and the verdict on it.

    Raises:
        CancelledError: the user stopped.
    """
    tracker = Tracker(plan.grid, settings.tracking)
    scores: dict[str, list[NDArray[np.float32]]] = {}
    peaks: list[dict[str, AttributePeaks]] = []
    spoken: list[PromptPeaks] = []
    at = 0
    for maps, verdict in judge(raw, calibrations, plan, settings):
        cancel.check()
        tracker.add(_tracking_block(plan, at, maps, verdict))
        for name, reading in verdict.readings.items():
            scores.setdefault(name, []).append(reading.scores)
        peaks.append(verdict.peaks)
        if verdict.prompts is not None:
            spoken.append(verdict.prompts)
        if see is not None:
            see(at, verdict)
        at += len(verdict)
        progress(Progress("deriving", at, len(plan)))
    trajectories = tracker.finish()
    found = {name: np.concatenate(parts) for name, parts in scores.items()}
    joined = joined_peaks(peaks)
    loudest = joined_prompts(spoken) if spoken else None
    events = _events(found, plan, settings, trajectories, _Reasons(joined, loudest, prompts))
    regions = list(tracker.regions.regions(trajectories))
    return Results(found, regions, trajectories, events, joined, loudest)


def _tracking_block(
    plan: AnalysisPlan, at: int, maps: MotionMaps, verdict: Verdict
) -> TrackingBlock:
    here = slice(at, at + len(maps))
    return TrackingBlock(
        plan.frames[here],
        plan.pts[here],
        plan.seconds[here],
        verdict.heat,
        maps.foreground,
        maps.vx,
        maps.vy,
        verdict.relative_speed,
    )


@dataclass(frozen=True, eq=False)
class _Reasons:
    """What the channels of a whole run found, from which events take their reasons."""

    peaks: dict[str, AttributePeaks]
    spoken: PromptPeaks | None
    prompts: tuple[str, ...]

    def of(self, span: EventSpan, strongest: dict[str, float]) -> tuple[Reason, ...]:
        """Returns the reasons of a span, those of the stronger channel first."""
        scene = event_reasons(self.peaks, span.first, span.last) if self.peaks else ()
        if self.spoken is None:
            return scene
        text = prompt_reasons(self.spoken, self.prompts, span.first, span.last)
        if text and speaking_channel(strongest) == TEXT:
            return text
        louder = strongest[TEXT] > strongest.get(SCENE, 0.0)
        return (*text, *scene) if louder else (*scene, *text)


def _events(
    scores: dict[str, NDArray[np.float32]],
    plan: AnalysisPlan,
    settings: AnalysisSettings,
    trajectories: list[Trajectory],
    reasons: _Reasons,
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
        [reasons.of(span, one) for span, one in zip(spans, strongest, strict=True)],
        [speaking_channel(one) for one in strongest],
        settings.tracking,
    )
