"""Which events and trajectories the threshold and the channel filters leave."""

from __future__ import annotations

from desktop.state.evidence_view import EvidenceView
from engine.case import EventRow, TrajectorySummary

EXAMINER = "examiner"
"""Channel of events that the examiner made; the threshold does not hide them."""


def visible_events(
    view: EvidenceView | None, threshold: float, hidden: frozenset[str]
) -> list[EventRow]:
    """Returns the events to be shown, in order of start.

    Args:
        view: the evidence.
        threshold: smallest peak score of events that the engine found.
        hidden: names of hidden channels.
    """
    return [
        row
        for row in (() if view is None else view.events)
        if row.event.channel not in hidden
        and (row.event.channel == EXAMINER or row.event.peak_score >= threshold)
    ]


def visible_trajectories(view: EvidenceView | None, threshold: float) -> list[TrajectorySummary]:
    """Returns the trajectories to be shown, in order of number.

    One whose peak score an older version did not keep is shown always.
    """
    return [
        trajectory
        for trajectory in (() if view is None else view.trajectories)
        if trajectory.peak_score is None or trajectory.peak_score >= threshold
    ]
