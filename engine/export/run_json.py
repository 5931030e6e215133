"""Runs as JSON values, the same in every output."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from engine.case import Case, RunRow


def run_json(case: Case, run: RunRow) -> dict[str, Any]:
    """Returns a run as the `analyze` JSON has it."""
    evidence = case.evidence.get(run.evidence_id)
    info = json.loads(run.info)
    channels = {}
    for name in case.results.channels(run.id):
        scores = case.results.scores(run.id, name)
        channels[name] = {
            "max": round(float(scores.max()), 6),
            "p99": round(float(np.percentile(scores, 99)), 6),
        }
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
        "channels": channels,
        "events": len(case.results.events(run.id)),
        "trajectories": len(case.results.trajectories(run.id)),
        "warnings": [warning.__dict__ for warning in run.warnings],
    }
