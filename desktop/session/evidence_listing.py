"""The evidence of a case as lines of a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from desktop.session.engine_work import WorkItem
from desktop.state.evidence_item import EvidenceItem
from engine.case import Case, EvidenceRow

_STATES = {
    "running": "stopped",
    "finished": "analysed",
    "cancelled": "stopped",
    "failed": "failed",
}


def evidence_items(case: Case, verified: frozenset[int]) -> tuple[EvidenceItem, ...]:
    """Reads the lines of the evidence list.

    Args:
        case: open for reading.
        verified: ids of the evidence found unchanged in this session.
    """
    rows = sorted(case.evidence.all(), key=lambda row: (row.position or row.id, row.id))
    return tuple(_item(case, row, verified) for row in rows)


def with_work(item: EvidenceItem, working: Sequence[WorkItem]) -> EvidenceItem:
    """Returns a line as it is while the engine process works."""
    for position, work in enumerate(working):
        if work.evidence_id != item.id:
            continue
        if position:
            return replace(item, run_state="waiting")
        progress = work.progress
        share = progress.done / progress.total if progress and progress.total else None
        return replace(item, run_state="analysing", progress=share)
    return item


def items_to_be(working: Sequence[WorkItem]) -> tuple[EvidenceItem, ...]:
    """Returns the lines of files that are still being added; their ids are negative."""
    lines = []
    for position, work in enumerate(working):
        if work.adding:
            progress = work.progress
            share = progress.done / progress.total if progress and progress.total else None
            path = Path(work.adding)
            state = "waiting" if position else "adding"
            lines.append(
                EvidenceItem(-work.request_id, path.name, str(path), None, state, share, "hashing")
            )
    return tuple(lines)


def _item(case: Case, evidence: EvidenceRow, verified: frozenset[int]) -> EvidenceItem:
    streams = case.evidence.streams(evidence.id)
    path = case.evidence_path(evidence)
    current = case.runs.current(evidence.id)
    runs = case.runs.all(evidence.id)
    state = _STATES[runs[-1].state] if runs else "not analysed"
    unseen, events = (0, 0) if current is None else case.results.event_counts(current.id)
    return EvidenceItem(
        id=evidence.id,
        name=evidence.name,
        path=str(path),
        duration_s=streams[0].stream.duration_s if streams else None,
        run_state="analysed" if current is not None and state == "stopped" else state,
        integrity=_integrity(case, evidence, path.exists(), verified),
        warnings=() if current is None else tuple(warning.text for warning in current.warnings),
        unseen=unseen,
        events=events,
        clock_offset_s=evidence.clock_offset_s,
    )


def _integrity(case: Case, evidence: EvidenceRow, there: bool, verified: frozenset[int]) -> str:
    if case.evidence.mismatches(evidence.id):
        return "changed"
    if not there:
        return "missing"
    return "verified" if evidence.id in verified else "recorded"
