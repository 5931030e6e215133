"""Events: spans in which the frame score stands out, with their trajectories and reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.core.findings import Event, Reason, Trajectory
from engine.core.settings import TrackingSettings
from engine.core.times import format_time

_ROUNDING_S = 1e-9  # Stream times are rounded; this much shorter or longer is as long.


@dataclass(frozen=True)
class EventSpan:
    """A span of analysed frames that stands out.

    Attributes:
        first: index of its first frame among the analysed frames.
        last: index of its last frame, inclusive.
        peak: index of the frame with the highest score; the first of equals.
        score: the score there.
    """

    first: int
    last: int
    peak: int
    score: float


def find_events(
    scores: NDArray[np.float32], seconds: NDArray[np.float64], settings: TrackingSettings
) -> list[EventSpan]:
    """Finds the spans in which the score stands out.

    A span reaches as far as the score stays at or above `event_off` around a frame at or above
    `event_on` (hysteresis). Frames that were not decoded (NaN) neither start nor end a span. Spans
    with a gap of at most `event_join_seconds` are one; spans shorter than `event_least_seconds` are
    dropped.

    Args:
        scores: float32 [n], calibrated frame scores 0..1, NaN where a frame is missing.
        seconds: float64 [n], stream time, ascending.
        settings: thresholds and times.

    Raises:
        ValueError: the arrays differ in length.
    """
    if scores.shape != seconds.shape:
        raise ValueError(f"{scores.shape} scores for {seconds.shape} times")
    known = np.flatnonzero(~np.isnan(scores))
    if not len(known):
        return []
    values, times = scores[known], seconds[known]
    starts, ends = _runs(values >= settings.event_off)
    if not len(starts):
        return []
    is_strong = np.maximum.reduceat(values, _pairs(starts, ends))[::2] >= settings.event_on
    starts, ends = starts[is_strong], ends[is_strong]
    if not len(starts):
        return []
    is_apart = times[starts[1:]] - times[ends[:-1]] > settings.event_join_seconds + _ROUNDING_S
    starts = starts[np.r_[True, is_apart]]
    ends = ends[np.r_[is_apart, True]]
    lasts = times[ends] - times[starts] >= settings.event_least_seconds - _ROUNDING_S
    return [
        _span(values, known, int(start), int(end))
        for start, end in zip(starts[lasts], ends[lasts], strict=True)
    ]


def assemble_events(
    spans: Sequence[EventSpan],
    frames: NDArray[np.int64],
    pts: NDArray[np.int64],
    seconds: NDArray[np.float64],
    trajectories: Sequence[Trajectory],
    reasons: Sequence[tuple[Reason, ...]],
    channels: Sequence[str],
    settings: TrackingSettings,
) -> list[Event]:
    """Makes events of spans.

    Args:
        spans: in order of time.
        frames: int64 [n], index of each analysed frame.
        pts: int64 [n], their PTS.
        seconds: float64 [n], their stream time.
        trajectories: of the run; those that stand out within a span belong to its event.
        reasons: per span, strongest first.
        channels: per span, the channel that spoke.
        settings: says what stands out.

    Raises:
        ValueError: there are not as many reasons or channels as spans.
    """
    if not len(reasons) == len(channels) == len(spans):
        raise ValueError(
            f"{len(reasons)} sets of reasons and {len(channels)} channels for {len(spans)} spans"
        )
    starts = np.array([trajectory.start_s for trajectory in trajectories], np.float64)
    ends = np.array([trajectory.end_s for trajectory in trajectories], np.float64)

    def inside(span: EventSpan) -> list[Trajectory]:
        meets = (starts <= seconds[span.last]) & (ends >= seconds[span.first])
        meeting = [trajectories[i] for i in np.flatnonzero(meets).tolist()]
        first, last = int(frames[span.first]), int(frames[span.last])
        return trajectories_within(meeting, first, last, settings.region_score)

    return [
        _event(number, span, frames, pts, seconds, inside(span), span_reasons, channel)
        for number, (span, span_reasons, channel) in enumerate(
            zip(spans, reasons, channels, strict=True), start=1
        )
    ]


def _event(
    number: int,
    span: EventSpan,
    frames: NDArray[np.int64],
    pts: NDArray[np.int64],
    seconds: NDArray[np.float64],
    trajectories: Sequence[Trajectory],
    reasons: tuple[Reason, ...],
    channel: str,
) -> Event:
    start_s, end_s = float(seconds[span.first]), float(seconds[span.last])
    return Event(
        number=number,
        first_frame=int(frames[span.first]),
        last_frame=int(frames[span.last]),
        peak_frame=int(frames[span.peak]),
        start_pts=int(pts[span.first]),
        end_pts=int(pts[span.last]),
        peak_pts=int(pts[span.peak]),
        start_s=start_s,
        end_s=end_s,
        peak_s=float(seconds[span.peak]),
        peak_score=span.score,
        channel=channel,
        reasons=reasons,
        trajectories=tuple(trajectory.number for trajectory in trajectories),
        summary=summarise(reasons, start_s, end_s, trajectories),
    )


def trajectories_within(
    trajectories: Sequence[Trajectory], first: int, last: int, min_score: float
) -> list[Trajectory]:
    """Returns the trajectories that stand out within frames first..last, strongest first.

    Args:
        trajectories: to choose from.
        first: index of the first frame.
        last: index of the last frame, inclusive.
        min_score: score at which a target stands out.
    """
    ranked: list[tuple[float, int, int, Trajectory]] = []
    for trajectory in trajectories:
        low = int(np.searchsorted(trajectory.frames, first))
        high = int(np.searchsorted(trajectory.frames, last, side="right"))
        scores = trajectory.scores[low:high]
        hot = int((scores >= min_score).sum())
        if hot:
            ranked.append((-float(scores.max()), -hot, trajectory.number, trajectory))
    return [rank[-1] for rank in sorted(ranked, key=lambda rank: rank[:3])]


def summarise(
    reasons: Sequence[Reason],
    start_s: float,
    end_s: float,
    trajectories: Sequence[Trajectory],
) -> str:
    """Returns one line: why and when, and from where to where the strongest trajectory goes."""
    parts = [reason.text for reason in reasons]
    parts.append(f"{format_time(start_s)}–{format_time(end_s)}")
    if trajectories:
        strongest = trajectories[0]
        if strongest.from_cell == strongest.to_cell:
            parts.append(f"{strongest.from_cell}")
        else:
            parts.append(f"from {strongest.from_cell} to {strongest.to_cell}")
    return ", ".join(parts)


def _runs(on: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns the first and last indices, inclusive, of the runs of true values."""
    edges = np.diff(np.concatenate([[False], on, [False]]).astype(np.int8))
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1


def _pairs(starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Interleaves starts and exclusive ends for `reduceat`; the last end is left open."""
    return np.stack([starts, ends + 1], axis=1).ravel()[:-1]


def _span(values: NDArray[np.float32], known: NDArray[np.int64], start: int, end: int) -> EventSpan:
    peak = start + int(values[start : end + 1].argmax())
    return EventSpan(int(known[start]), int(known[end]), int(known[peak]), float(values[peak]))
