"""Events of a run as JSON values, the same in every output.

A new key goes into `events --json`, the JSON report and the package, and into docs/formats.md.
"""

from __future__ import annotations

from typing import Any

from engine.case import Case, EventRow, RunRow, TrajectoryRow


def run_events(case: Case, run: RunRow) -> list[dict[str, Any]]:
    """Returns the events of a run as JSON values, as `events --json` prints them."""
    trajectories = {row.trajectory.number: row for row in case.results.trajectories(run.id)}
    return [
        _event(row, run.id, run.evidence_id, trajectories) for row in case.results.events(run.id)
    ]


def own_events(case: Case, evidence_id: int) -> list[dict[str, Any]]:
    """Returns the events that examiners made in a piece of evidence, as `run_events` does."""
    return [_event(row, row.run_id, evidence_id, {}) for row in case.own_events.of(evidence_id)]


def _event(
    row: EventRow,
    run_id: int | None,
    evidence_id: int,
    trajectories: dict[int, TrajectoryRow],
) -> dict[str, Any]:
    event = row.event
    return {
        "event_id": row.id,
        "run_id": run_id,
        "evidence_id": evidence_id,
        "state": row.state,
        "state_reason": row.state_reason,
        "start_s": event.start_s,
        "end_s": event.end_s,
        "start_pts": event.start_pts,
        "end_pts": event.end_pts,
        "peak_s": event.peak_s,
        "peak_pts": event.peak_pts,
        "peak_score": event.peak_score,
        "channel": event.channel,
        "reasons": [reason.__dict__ for reason in event.reasons],
        "trajectories": [
            _trajectory(trajectories[number], event.peak_frame) for number in event.trajectories
        ],
        "summary": event.summary,
    }


def _trajectory(row: TrajectoryRow, peak_frame: int) -> dict[str, Any]:
    trajectory = row.trajectory
    return {
        "trajectory_id": row.id,
        "from": trajectory.from_cell,
        "to": trajectory.to_cell,
        "direction": trajectory.direction,
        "box_at_peak": trajectory.box_near(peak_frame),
    }
