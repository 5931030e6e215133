"""Writes a report as JSON: all its content, for programs and for the other side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from engine.report.report_content import EvidenceContent, ReportContent, RunContent


def write_json(path: Path, content: ReportContent) -> None:
    """Writes the report.

    Raises:
        OSError: the file cannot be written.
    """
    path.write_text(json_text(report_json(content)) + "\n", encoding="utf-8", newline="\n")


def json_text(value: dict[str, Any]) -> str:
    """Returns readable JSON; names that are no valid text are escaped instead of refused."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(value, ensure_ascii=True, allow_nan=False, indent=1)
    return text


def report_json(content: ReportContent) -> dict[str, Any]:
    """Returns the report as JSON values."""
    runs = [(evidence, run) for evidence in content.evidence for run in evidence.runs]
    return {
        "sightline": content.version,
        "case": content.case,
        "details": {name: text or None for name, text in content.case_info.__dict__.items()},
        "selection": "tagged" if content.tagged else "all",
        "made_utc": content.made_utc,
        "limits": list(content.limits),
        "evidence": [_evidence(evidence) for evidence in content.evidence],
        "runs": [_run(run) for _, run in runs],
        "events": [event for _, run in runs if run.current for event in run.events],
        "own_events": [event for evidence in content.evidence for event in evidence.own_events],
        "trajectories": [
            {"run_id": run.row.id, "evidence_id": run.row.evidence_id, **trajectory}
            for _, run in runs
            if run.current
            for trajectory in run.trajectories
        ],
        "dialogues": [row for evidence in content.evidence for row in evidence.dialogues],
        "notes": list(content.review.notes),
        "removed_notes": content.review.removed_notes,
        "bookmarks": list(content.review.bookmarks),
        "tags": {name: list(tags) for name, tags in content.review.tags.items()},
        "error_rates": list(content.rates),
        "backward_clocks": list(content.clocks),
        "exports": [dict(row.__dict__) for row in content.exports],
        "audit": {"entries": content.audit_entries, "head": content.audit_head},
    }


def _evidence(evidence: EvidenceContent) -> dict[str, Any]:
    row = evidence.state.row
    return {
        "evidence_id": row.id,
        "path": row.path,
        "name": row.name,
        "kind": row.kind,
        "size": row.size,
        "mtime_ns": row.mtime_ns,
        "added_utc": row.added_utc,
        "copied_to": row.copied_to,
        "fps": row.fps,
        "sha256_recorded": row.sha256,
        "sha256_now": evidence.state.sha256_now,
        "ok": evidence.state.is_unchanged,
        "error": evidence.state.error or None,
        "mismatches": list(evidence.mismatches),
        "properties": json.loads(row.properties),
        "streams": list(evidence.streams),
        "current_run": next((run.row.id for run in evidence.runs if run.current), None),
    }


def _run(run: RunContent) -> dict[str, Any]:
    row = run.row
    return {
        "run_id": row.id,
        "evidence_id": row.evidence_id,
        "current": run.current,
        "state": row.state,
        "stream": row.stream,
        "evidence_sha256": row.evidence_sha256,
        "frames": row.frames,
        "analysed_frames": row.analysed_frames,
        "resumed_frames": row.resumed_frames,
        "started_utc": row.started_utc,
        "finished_utc": row.finished_utc,
        "wall_s": round(row.wall_s, 3),
        "version": row.version,
        "environment": json.loads(row.environment),
        "settings": json.loads(row.settings),
        "settings_sha256": row.settings_sha256,
        "info": json.loads(row.info),
        "warnings": [warning.__dict__ for warning in row.warnings],
        "channels": run.channels,
        "calibrations": list(run.calibrations),
        "events": sum(run.triage.values()),
        "triage": run.triage,
        "trajectories": len(run.trajectories),
    }
