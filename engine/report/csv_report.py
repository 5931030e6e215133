"""Writes a report as CSV for spreadsheets: one row for each event.

A column is a name in `COLUMNS` and a value in `_rows`; what is known of an event comes from
`engine/export/event_json.py`.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.core.times import format_time
from engine.report.report_content import EvidenceContent, ReportContent

COLUMNS = (
    "event_id", "evidence_id", "evidence", "sha256_recorded", "sha256_now", "evidence_unchanged",
    "run_id", "state", "start", "end", "peak", "start_s", "end_s", "peak_s", "start_pts",
    "end_pts", "peak_pts", "peak_score", "channel", "reasons", "trajectory_ids", "from", "to",
    "direction", "summary", "state_reason", "tags",
)  # fmt: skip

_FORMULA_STARTS = ("=", "+", "-", "@")


def write_csv(path: Path, content: ReportContent) -> None:
    """Writes the events of current runs and the examiner's own, in UTF-8 with a byte order mark.

    Raises:
        OSError: the file cannot be written.
    """
    # Spreadsheets recognise the encoding by the mark; names that are no valid text are escaped.
    with path.open("w", encoding="utf-8-sig", errors="backslashreplace", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for evidence in content.evidence:
            writer.writerows(_rows(evidence))


def cell(value: object) -> object:
    """Returns a value as a cell that no spreadsheet reads as a formula; numbers stay numbers."""
    if isinstance(value, str) and _first_visible(value).startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value


def _first_visible(text: str) -> str:
    """Returns the first letter or sign that can be seen, a full-width one as its plain form."""
    for char in text:
        if unicodedata.category(char)[0] not in "CZ":
            return unicodedata.normalize("NFKC", char)
    return ""


def _rows(evidence: EvidenceContent) -> Iterator[list[object]]:
    state = evidence.state
    for event in evidence.events:
        values = {
            **event,
            "evidence": state.row.name,
            "sha256_recorded": state.row.sha256,
            "sha256_now": state.sha256_now or state.error,
            "evidence_unchanged": "yes" if state.is_unchanged else "no",
            "start": format_time(event["start_s"]),
            "end": format_time(event["end_s"]),
            "peak": format_time(event["peak_s"]),
            "reasons": "; ".join(reason["text"] for reason in event["reasons"]),
            "tags": ", ".join(event["tags"]),
            **_strongest(event),
        }
        yield [cell(values[name]) for name in COLUMNS]


def _strongest(event: dict[str, Any]) -> dict[str, Any]:
    """Returns the strongest trajectory of an event, and the ids of all."""
    trajectories = event["trajectories"]
    first = trajectories[0] if trajectories else {}
    return {
        "trajectory_ids": " ".join(str(trajectory["trajectory_id"]) for trajectory in trajectories),
        **{name: first.get(name, "") for name in ("from", "to", "direction")},
    }
