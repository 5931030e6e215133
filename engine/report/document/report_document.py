"""Makes the document of a report: everything in words and in order, for HTML and PDF alike.

All values are texts, numbers, lists and mappings, so that a template never computes anything and
nothing that an examiner or a file wrote can become markup. A section is an entry here and a place
in `resources/reports/report.html.jinja` and `report.typ`, which set the order.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import PurePath
from typing import Any

from engine.core.times import format_time
from engine.export.overlay_artist import COLOUR_MAP, OPACITY
from engine.report.document.dialogue_section import span_dialogues
from engine.report.document.document_parts import (
    Section,
    hash_row,
    join_words,
    plural,
    row,
    user_text,
    when,
)
from engine.report.document.event_section import event_section
from engine.report.document.event_stills import EventStills
from engine.report.document.method_section import audit_section, limit_section, method_section
from engine.report.report_content import EvidenceContent, ReportContent
from engine.report.review_content import STATES, count_states

_MAX_METADATA = 2000  # Characters of container metadata that are printed; about half a page.

SIGN_OFF = (
    "The software measures and warns; it decides nothing. I have examined what this report "
    "shows, and the conclusions drawn from it are mine."
)


def report_document(
    content: ReportContent,
    stills: Mapping[int, EventStills],
    without_stills: Mapping[int, str],
    charts: Mapping[int, str],
) -> dict[str, Any]:
    """Makes the document of a report.

    Args:
        content: the content of the report.
        stills: the stills of each event by its id.
        without_stills: why a piece of evidence has no stills, by its id.
        charts: file name of each score chart, by id of the evidence.

    Returns:
        Values of the types that JSON has.
    """
    written = datetime.fromisoformat(content.made_utc)
    name = PurePath(content.case).name
    marks = [mark for evidence in content.evidence for mark in _marks(evidence)]
    return {
        "title": f"Examination report: {name}",
        "author": content.case_info.examiner or "examiner not named",
        "case": user_text(name),
        "made": [
            written.year,
            written.month,
            written.day,
            written.hour,
            written.minute,
            written.second,
        ],
        "cover": _cover(content, name),
        "marks": marks,
        "sign_off": SIGN_OFF,
        "summary": _summary(content, stills),
        "evidence": [_evidence(evidence, content) for evidence in content.evidence],
        "method": method_section(content),
        "findings": [
            _results(evidence, content, stills, without_stills, charts)
            for evidence in content.evidence
        ],
        "notes": _notes(content),
        "limits": limit_section(content),
        "audit": audit_section(content),
        "files": _files(content, stills),
        "head": content.audit_head,
    }


def _cover(content: ReportContent, name: str) -> list[Section]:
    info = content.case_info
    return [
        row("Case", name),
        row("Reference", info.reference or "not given"),
        row("Examiner", info.examiner or "not given"),
        row("Organisation", info.organisation or "not given"),
        row("Report made", when(content.made_utc)),
        row("Software", f"Sightline {content.version}"),
        row("Evidence", plural(len(content.evidence), "piece", "pieces")),
        row("Included", "events with a tag only" if content.tagged else "all events"),
        hash_row("Head of audit log", content.audit_head),
    ]


def _marks(evidence: EvidenceContent) -> list[Section]:
    """Returns what is wrong with a piece of evidence, now or at any time before."""
    state = evidence.state
    name = f"Evidence {state.row.id}"
    marks = []
    if state.sha256_now is None:
        marks.append(f"{name} is missing or cannot be read: {state.error}")
    elif not state.is_unchanged:
        marks.append(
            f"{name} HAS CHANGED since it was added. SHA-256 recorded {state.row.sha256}, "
            f"found now {state.sha256_now}."
        )
    elif evidence.mismatches:
        times = plural(len(evidence.mismatches), "time", "times")
        marks.append(f"{name} was found changed or missing {times} before; it is unchanged now.")
    return [user_text(mark) for mark in marks]


def _summary(content: ReportContent, stills: Mapping[int, EventStills]) -> dict[str, Any]:
    counts = []
    for evidence in content.evidence:
        triage_counts = evidence.current.triage if evidence.current else dict.fromkeys(STATES, 0)
        own = count_states(evidence.own_events)
        total = {state: triage_counts[state] + own[state] for state in STATES}
        counts.append(
            {
                "name": user_text(f"{evidence.state.row.id}  {evidence.state.row.name}"),
                "cells": [str(total[state]) for state in STATES],
                "total": str(sum(total.values())),
                "included": str(len(evidence.events)),
            }
        )
    unchanged = sum(evidence.state.is_unchanged for evidence in content.evidence)
    analysed = sum(evidence.current is not None for evidence in content.evidence)
    total_of = len(content.evidence)
    sentences = [
        f"{unchanged} of {total_of} pieces of evidence are unchanged since they were added, as "
        "their SHA-256 says.",
        f"{analysed} of {total_of} have a finished analysis. An event is a span of time in which "
        "something departed from what is usual for that camera; whether it matters is the "
        "examiner's judgement, given as the state of the event.",
    ]
    if content.tagged:
        sentences.append("This report includes only events to which the examiner gave a tag.")
    if stills:
        sentences.append(
            "Pictures are reduced JPEG illustrations made from the exact frame that is named "
            "below them. Their colours over the frame are heat "
            f"({COLOUR_MAP}, at most {100 * OPACITY:.0f} % opaque); "
            "boxes and paths are what was followed. The command export gives the frame itself."
        )
    return {"sentences": sentences, "states": list(STATES), "counts": counts}


def _evidence(evidence: EvidenceContent, content: ReportContent) -> dict[str, Any]:
    state = evidence.state
    piece = state.row
    rows = [
        row("Name", piece.name),
        row("Path when added", piece.path, mono=True),
        row("Kind", "video file" if piece.kind == "video" else "folder of images"),
        row("Size", f"{piece.size:,} bytes"),
        row("Added", when(piece.added_utc)),
        row("Copy in the case", piece.copied_to or "none; the original is read"),
        hash_row("SHA-256 recorded", piece.sha256),
    ]
    if state.sha256_now is None:
        rows.append(row("SHA-256 now", f"none: {state.error}", bad=True))
    else:
        rows.append(hash_row("SHA-256 now", state.sha256_now, bad=not state.is_unchanged))
    rows.append(
        row(
            "Integrity",
            "unchanged" if state.is_unchanged else "CHANGED",
            bad=not state.is_unchanged,
        )
        if state.sha256_now
        else row("Integrity", "MISSING", bad=True)
    )
    rows += [
        row("Found changed", f"{when(miss['utc'])}: {miss['sha256_now'] or 'missing'}", bad=True)
        for miss in evidence.mismatches
    ]
    if piece.clock_offset_s is not None:
        rows.append(row("Burned-in clock", f"{piece.clock_offset_s:+.3f} s from stream time"))
    for stream in evidence.streams:
        rows.append(row(f"Stream {stream['number']}", _stream(stream)))
    rows += _properties(json.loads(piece.properties))
    return {
        "id": piece.id,
        "name": user_text(piece.name),
        "ok": state.is_unchanged,
        "rows": rows,
        "notes": [_note(note) for note in content.review.notes_about(f"evidence:{piece.id}")],
    }


def _stream(stream: Mapping[str, Any]) -> str:
    flags = [name.replace("_", " ") for name, on in stream["flags"].items() if on]
    text = (
        f"{stream['codec']}, {stream['width']} x {stream['height']} decoded pixels, "
        f"{stream['frames']:,} frames, {format_time(stream['duration_s'])}, time base "
        f"{stream['time_base_num']}/{stream['time_base_den']} s, first PTS {stream['first_pts']}"
    )
    return f"{text}; {', '.join(flags)}" if flags else text


_COUNTS = ("duplicates", "missing", "discarded", "discontinuities", "unreadable")


def _properties(values: Mapping[str, Any]) -> list[Section]:
    """Returns what the container says; counts about frame times are given even when they are 0."""
    counts = [f"{values[name]} {name}" for name in _COUNTS if values.get(name) is not None]
    gaps = values.get("gaps") or []
    counts.append(plural(len(gaps), "gap", "gaps"))
    rows = [
        row("Container", str(values.get("container") or "unknown")),
        row("Rate", "variable" if values.get("variable_rate") else _rate(values)),
        row("Frame times", "; ".join(counts)),
    ]
    if values.get("made_pts"):
        rows.append(row("PTS", "MADE from decoding times or the frame rate; the file has none"))
    if values.get("rotation"):
        rows.append(row("Rotation", f"{values['rotation']} degrees clockwise for display"))
    if values.get("pixel_aspect") not in (None, 1, 1.0, "1", "1/1"):
        rows.append(row("Pixel aspect", str(values["pixel_aspect"])))
    if values.get("interlaced"):
        rows.append(row("Interlaced", "yes, frames are made of two fields"))
    if values.get("sound"):
        rows.append(row("Sound", "the file also has sound, which was not examined"))
    metadata = values.get("metadata") or {}
    if metadata:
        text = "; ".join(f"{name}: {text}" for name, text in metadata.items())
        rows.append(row("Container says", text[:_MAX_METADATA]))
    return rows


def _rate(values: Mapping[str, Any]) -> str:
    rate = values.get("average_rate")
    return "not stated" if rate is None else f"{rate} frames a second, as the container states"


def _results(
    evidence: EvidenceContent,
    content: ReportContent,
    stills: Mapping[int, EventStills],
    without_stills: Mapping[int, str],
    charts: Mapping[int, str],
) -> dict[str, Any]:
    run, piece = evidence.current, evidence.state.row
    events = sorted(evidence.events, key=lambda event: (event["start_s"], event["event_id"]))
    sentences = []
    if run is None:
        sentences.append("No analysis of this evidence has finished.")
    else:
        sentences += [f"Condition: {warning.text}" for warning in run.row.warnings]
        if not events:
            none = "has a tag" if content.tagged else "stands out"
            sentences.append(f"Nothing in this evidence {none}.")
    if without_stills.get(piece.id):
        sentences.append(f"There are no pictures: {without_stills[piece.id]}.")
    listed = [event for event in events if event["state"] != "dismissed"]
    return {
        "id": piece.id,
        "name": user_text(piece.name),
        "run": None if run is None else f"run {run.row.id}",
        "chart": charts.get(piece.id),
        "said": [user_text(text) for text in sentences],
        "events": [event_section(event, evidence, content, stills) for event in listed],
        "dismissed": [
            {
                "id": event["event_id"],
                "span": f"{format_time(event['start_s'])} – {format_time(event['end_s'])}",
                "score": f"{event['peak_score']:.2f}",
                "reason": user_text(event["state_reason"] or "no reason given"),
            }
            for event in events
            if event["state"] == "dismissed"
        ],
        "dialogues": span_dialogues(evidence),
        "bookmarks": [
            {
                "span": _span(mark),
                "text": user_text(mark["text"] or "no text"),
                "by": user_text(f"{mark['author']}, {when(mark['utc'])}"),
                "tags": join_words(mark["tags"]),
            }
            for mark in content.review.bookmarks
            if mark["evidence_id"] == piece.id and (mark["tags"] or not content.tagged)
        ],
    }


def _span(mark: Mapping[str, Any]) -> str:
    start = format_time(mark["start_s"])
    if mark["end_pts"] == mark["start_pts"]:
        return f"{start} (PTS {mark['start_pts']})"
    return f"{start} – {format_time(mark['end_s'])} (PTS {mark['start_pts']}–{mark['end_pts']})"


def _notes(content: ReportContent) -> dict[str, Any]:
    notes = content.review.notes
    if content.tagged:
        notes = tuple(note for note in notes if note["tags"])
    removed = content.review.removed_notes
    sentences = (
        [] if notes else ["There are no notes" + (" with a tag." if content.tagged else ".")]
    )
    if removed:
        sentences.append(
            f"{plural(removed, 'note', 'notes')} taken out of sight by the examiner; the case "
            "keeps them."
        )
    return {"said": sentences, "notes": [_note(note) for note in notes]}


def _note(note: Mapping[str, Any]) -> dict[str, Any]:
    at = "" if note["seconds"] is None else f", at {format_time(note['seconds'])}"
    about = note["object"].replace(":", " ")
    return {
        "title": f"Note {note['note_id']} about {about}{at}",
        "by": user_text(f"{note['author']}, {when(note['utc'])}"),
        "text": user_text(note["text"]),
        "tags": join_words(note["tags"]),
        "amended": [
            {
                "by": user_text(f"{version['author']}, {when(version['utc'])}"),
                "text": user_text(version["text"]),
            }
            for version in note["amended"]
        ],
    }


def _files(content: ReportContent, stills: Mapping[int, EventStills]) -> dict[str, Any]:
    return {
        "exports": [
            {
                "name": user_text(PurePath(export.path).name),
                "about": f"{export.kind}, {export.size:,} bytes, {when(export.utc)}",
                "sha256": export.sha256,
            }
            for export in content.exports
        ],
        "pictures": [
            {"name": still.name, "sha256": still.sha256}
            for number in sorted(stills)
            for still in stills[number].pictures
        ],
    }
