"""The content of a report as plain values, the same for every form of report."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from engine.case import Case, CaseInfo, ExportRow, RunRow
from engine.case.tables.evidence import MISMATCH
from engine.core.progress import CancelToken, ProgressCallback, silent
from engine.core.version import VERSION
from engine.export.event_json import own_events, run_events
from engine.export.run_json import channel_scores
from engine.pipeline.evidence_check import EvidenceState, check_evidence, record_mismatches
from engine.report.dialogue_content import dialogues_of
from engine.report.error_rates import known_rates
from engine.report.review_content import (
    ReviewContent,
    backward_clocks,
    count_states,
    mismatches_of,
    review_of,
)

LIMITS = (
    "A score says how far a frame departs from what is usual for this camera, from 0 to 1, with "
    "0.5 at the limit of the usual. It is not a probability of anything, and what is usual for "
    "a camera may be unlawful as well as the unusual may be harmless.",
    "Hashes prove that files are unchanged since they were added, not that they are authentic.",
    "Times are stream time, counted from the first frame. Boxes are x, y, w, h in decoded pixels.",
    "The audit log proves order and tampering only if its head is also written down elsewhere.",
)
"""What a reader must know before relying on a report (R5, R11)."""


@dataclass(frozen=True)
class RunContent:
    """One finished or unfinished run.

    Attributes:
        row: the run as it is stored.
        current: whether it is the current run of its evidence.
        channels: the largest score and the 99th percentile of each channel.
        calibrations: the calibrations that its results rest on, with sources and hashes.
        events: the events that the report includes, as `events --json` prints them, with tags.
        triage: number of events in each state, included or not.
        trajectories: ends, times and speed of each trajectory, without its boxes.
    """

    row: RunRow
    current: bool
    channels: dict[str, Any]
    calibrations: tuple[dict[str, Any], ...]
    events: tuple[dict[str, Any], ...]
    triage: dict[str, int]
    trajectories: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class EvidenceContent:
    """One piece of evidence with its runs.

    Attributes:
        state: the evidence as it was recorded and as it was found for the report.
        mismatches: each time it was found changed or missing, and the hash it had then; this
            time included.
        streams: size, times and flags of its streams.
        runs: its runs, oldest first.
        own_events: the events that examiners made and that the report includes.
        dialogues: the dialogues about its events and spans; where the report includes tagged
            events only, those about included events.
    """

    state: EvidenceState
    mismatches: tuple[dict[str, Any], ...]
    streams: tuple[dict[str, Any], ...]
    runs: tuple[RunContent, ...]
    own_events: tuple[dict[str, Any], ...]
    dialogues: tuple[dict[str, Any], ...] = ()

    @property
    def current(self) -> RunContent | None:
        """The current run; None when none has finished."""
        return next((run for run in self.runs if run.current), None)

    @property
    def events(self) -> tuple[dict[str, Any], ...]:
        """The events of the current run, then those of examiners."""
        return (*(self.current.events if self.current else ()), *self.own_events)


@dataclass(frozen=True)
class ReportContent:
    """The content of a report about a case.

    Attributes:
        case: path of the case folder.
        made_utc: when the report was made, ISO.
        version: the version of Sightline.
        case_info: name, reference, examiner and organisation of the case.
        tagged: whether only events with a tag are included.
        evidence: all evidence, in order of id.
        review: what examiners added.
        clocks: the audit entries before which the clock was set back.
        rates: the error rates of each channel, as measured on benchmarks.
        exports: the files that were written from the case before this report.
        audit_entries: number of audit entries before this report was recorded.
        audit_head: hash of the last of them.
        limits: what a reader must know before relying on the report.
    """

    case: str
    made_utc: str
    version: str
    case_info: CaseInfo
    tagged: bool
    evidence: tuple[EvidenceContent, ...]
    review: ReviewContent
    clocks: tuple[dict[str, Any], ...]
    rates: tuple[dict[str, Any], ...]
    exports: tuple[ExportRow, ...]
    audit_entries: int
    audit_head: str
    limits: tuple[str, ...] = LIMITS

    @property
    def current_runs(self) -> list[RunContent]:
        """The current run of each piece of evidence that has one."""
        return [evidence.current for evidence in self.evidence if evidence.current]


def report_content(
    case: Case,
    cancel: CancelToken | None = None,
    progress: ProgressCallback = silent,
    *,
    tagged: bool = False,
) -> ReportContent:
    """Gathers the content of a report; hashes all evidence and records what has changed.

    Args:
        case: open for writing.
        cancel: is checked while hashing.
        progress: is called with the progress of hashing.
        tagged: whether only events with a tag are included.

    Raises:
        ResourceError: a change cannot be recorded.
        CancelledError: the user stopped.
    """
    states = check_evidence(case, cancel, progress)
    changed = {state.row.id: state.sha256_now for state in states if not state.is_unchanged}
    record_mismatches(case, changed)
    review = review_of(case)
    return ReportContent(
        case=str(case.path),
        made_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        version=VERSION,
        case_info=case.info.get(),
        tagged=tagged,
        evidence=tuple(_evidence(case, state, review, tagged) for state in states),
        review=review,
        clocks=backward_clocks(case),
        rates=known_rates(),
        exports=case.exports.all(),
        audit_entries=case.audit.count,
        audit_head=case.audit.head,
    )


def _evidence(
    case: Case, state: EvidenceState, review: ReviewContent, tagged: bool
) -> EvidenceContent:
    evidence_id = state.row.id
    current = case.runs.current(evidence_id)
    runs = [
        _run(case, row, current is not None and current.id == row.id, review, tagged)
        for row in case.runs.all(evidence_id)
    ]
    streams = []
    for row in case.evidence.streams(evidence_id):
        stream = {name: value for name, value in row.stream.__dict__.items() if name != "pts"}
        streams.append({**stream, "flags": json.loads(row.stream.flags)})
    own = _include(own_events(case, evidence_id), review, tagged)
    events = (*own, *(event for run in runs for event in run.events))
    ids = {event["event_id"] for event in events}
    return EvidenceContent(
        state,
        mismatches_of(case, MISMATCH, evidence_id),
        tuple(streams),
        tuple(runs),
        own,
        tuple(
            dialogue
            for dialogue in dialogues_of(case, evidence_id)
            if not tagged or dialogue["event_id"] in ids
        ),
    )


def _include(
    events: list[dict[str, Any]], review: ReviewContent, tagged: bool
) -> tuple[dict[str, Any], ...]:
    marked = [
        {**event, "tags": list(review.tags.get(f"event:{event['event_id']}", ()))}
        for event in events
    ]
    return tuple(event for event in marked if event["tags"] or not tagged)


def _run(case: Case, row: RunRow, current: bool, review: ReviewContent, tagged: bool) -> RunContent:
    derivation = case.results.current(row.id)
    used = derivation.calibrations if derivation else ()
    events = run_events(case, row)
    return RunContent(
        row,
        current,
        channel_scores(case, row.id),
        tuple(_calibration(case, calibration_id) for calibration_id in used),
        _include(events, review, tagged),
        count_states(events),
        tuple(_trajectories(case, row.id)),
    )


def _calibration(case: Case, calibration_id: int) -> dict[str, Any]:
    row = case.calibrations.get(calibration_id)
    return {
        "calibration_id": row.id,
        "channel": row.calibration.channel,
        "kind": row.calibration.kind,
        "version": row.version,
        "final": row.calibration.final,
        "sha256": row.sha256,
        "sources": json.loads(row.calibration.sources),
    }


def _trajectories(case: Case, run_id: int) -> list[dict[str, Any]]:
    return [
        {
            "trajectory_id": row.id,
            "number": row.trajectory.number,
            "start_s": row.trajectory.start_s,
            "end_s": row.trajectory.end_s,
            "start_pts": int(row.trajectory.pts[0]),
            "end_pts": int(row.trajectory.pts[-1]),
            "from": row.trajectory.from_cell,
            "to": row.trajectory.to_cell,
            "direction": row.trajectory.direction,
            "relative_speed": row.trajectory.relative_speed,
            "peak_score": float(row.trajectory.scores.max()),
        }
        for row in case.results.trajectories(run_id)
    ]
