from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.findings import Reason, Trajectory
from engine.core.settings import TrackingSettings
from engine.tracking.events import EventSpan, assemble_events, find_events

SETTINGS = TrackingSettings(
    event_on=0.6, event_off=0.4, event_least_seconds=0.3, event_join_seconds=2.0
)


def spans(scores: list[float], rate: float = 10.0) -> list[tuple[int, int, int]]:
    values = np.array(scores, np.float32)
    times = np.arange(len(scores)) / rate
    return [(s.first, s.last, s.peak) for s in find_events(values, times, SETTINGS)]


def naive(scores: list[float], rate: float) -> list[tuple[int, int]]:
    """The definition, frame by frame."""
    decoded = [i for i, score in enumerate(scores) if not np.isnan(score)]
    runs: list[list[int]] = []
    fresh = True
    for i in decoded:
        if np.float32(scores[i]) >= np.float32(0.4):
            if fresh:
                runs.append([])
            runs[-1].append(i)
            fresh = False
        else:
            fresh = True
    strong = [(r[0], r[-1]) for r in runs if max(np.float32(scores[i]) for i in r) >= 0.6]
    joined: list[tuple[int, int]] = []
    for first, last in strong:
        if joined and (first - joined[-1][1]) / rate <= 2.0 + 1e-9:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return [(a, b) for a, b in joined if (b - a) / rate >= 0.3 - 1e-9]


def test_an_event_reaches_down_to_the_lower_threshold() -> None:
    assert spans([0, 0.3, 0.5, 0.7, 0.9, 0.5, 0.41, 0.39, 0]) == [(2, 6, 4)]


def test_a_score_that_never_reaches_the_upper_threshold_is_no_event() -> None:
    assert spans([0.5] * 50) == []


def test_near_spans_are_one_event_and_far_ones_two() -> None:
    high, low = [0.8] * 5, [0.0]
    assert spans(high + low * 19 + high) == [(0, 28, 0)]
    assert len(spans(high + low * 20 + high)) == 2


def test_a_flash_is_no_event() -> None:
    assert spans([0, 0.9, 0.9, 0.9, 0]) == []
    assert spans([0, 0.9, 0.9, 0.9, 0.9, 0]) == [(1, 4, 1)]


def test_missing_frames_neither_start_nor_end_an_event() -> None:
    nan = float("nan")
    assert spans([nan, 0.9, 0.9, nan, nan, 0.95, 0.9, nan, 0.0]) == [(1, 6, 5)]
    assert spans([nan] * 9) == []
    assert spans([]) == []


def test_an_event_may_last_to_the_end() -> None:
    assert spans([0.0, 0.9, 0.9, 0.9, 0.9]) == [(1, 4, 1)]


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="times"):
        find_events(np.zeros(3, np.float32), np.zeros(4), SETTINGS)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.0, 0.3, 0.5, 0.7, 0.9, float("nan")]), max_size=90))
def test_events_are_what_the_definition_says(scores: list[float]) -> None:
    assert [s[:2] for s in spans(scores)] == naive(scores, 10.0)


def trajectory(number: int, first: int, scores: list[float], to: str = "top right") -> Trajectory:
    frames = np.arange(first, first + len(scores), dtype=np.int64)
    return Trajectory(
        number,
        frames,
        frames * 512,
        np.tile(np.array([0, 0, 10, 10], np.int32), (len(scores), 1)),
        np.array(scores, np.float32),
        first / 10,
        (first + len(scores) - 1) / 10,
        "middle left",
        to,
        "right",
        3.0,
    )


def test_an_event_carries_what_stood_out_in_it_and_says_so() -> None:
    frames = np.arange(100, dtype=np.int64)
    reason = Reason("speed", 4.1, 1.0, 4.1, "x", "4.1 times the usual speed here")
    other = Reason("direction", 1.0, 0.0, 9.0, "", "against the usual direction")
    events = assemble_events(
        [EventSpan(20, 40, 30, 0.9), EventSpan(60, 70, 61, 0.8)],
        frames,
        frames * 512,
        frames / 10,
        [
            trajectory(1, 0, [0.2] * 90),
            trajectory(2, 25, [0.7] * 10),
            trajectory(3, 10, [0.9] * 20, to="middle right"),
            trajectory(4, 50, [0.9] * 10),
        ],
        [(reason, other), ()],
        ["scene", "text"],
        SETTINGS,
    )
    first, second = events
    assert (first.number, first.first_frame, first.last_frame, first.peak_frame) == (1, 20, 40, 30)
    assert (first.start_pts, first.end_pts, first.peak_pts) == (10240, 20480, 15360)
    assert first.trajectories == (3, 2)
    assert first.reasons == (reason, other)
    assert first.summary == (
        "4.1 times the usual speed here, against the usual direction, "
        "00:00:02.000–00:00:04.000, from middle left to middle right"
    )
    assert (first.channel, second.channel) == ("scene", "text")
    assert second.trajectories == ()
    assert second.summary == "00:00:06.000–00:00:07.000"


def test_every_event_needs_its_reasons() -> None:
    frames = np.arange(9, dtype=np.int64)
    with pytest.raises(ValueError, match="reasons"):
        assemble_events(
            [EventSpan(0, 5, 1, 0.9)], frames, frames, frames / 10, [], [], ["scene"], SETTINGS
        )
