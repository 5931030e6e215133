"""Runs as JSON values, the same in every output."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from engine.case import Case, RunRow


def run_json(case: Case, run: RunRow) -> dict[str, Any]:
    """Returns a run as JSON values, as `analyze --json` prints it."""
    evidence = case.evidence.get(run.evidence_id)
    info = json.loads(run.info)
    return {
        "run_id": run.id,
        "state": run.state,
        "evidence_id": evidence.id,
        "path": evidence.path,
        "sha256": evidence.sha256,
        "frames": run.frames,
        "analysed_frames": run.analysed_frames,
        "resumed_frames": run.resumed_frames,
        "analysis_size": info["analysis_size"],
        "settings": json.loads(run.settings),
        "duration_s": info["duration_s"],
        "wall_s": round(run.wall_s, 3),
        "channels": channel_scores(case, run.id),
        "events": len(case.results.events(run.id)),
        "trajectories": len(case.results.trajectories(run.id)),
        "warnings": [warning.__dict__ for warning in run.warnings],
    }


def channel_scores(case: Case, run_id: int) -> dict[str, dict[str, float]]:
    """Returns the largest score and the 99th percentile of each channel of a run."""
    scores = {name: case.results.scores(run_id, name) for name in case.results.channels(run_id)}
    return {
        name: {"max": round(float(own.max()), 6), "p99": round(float(np.percentile(own, 99)), 6)}
        for name, own in scores.items()
    }
