"""A report as a document: everything in words and in order; HTML and PDF only set it.

All values are texts, numbers, lists and mappings, so that a template never computes anything and
nothing that an examiner or a file wrote can become markup.
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
    joined,
    plural,
    row,
    user_text,
    when,
)
from engine.report.document.event_section import event_section
from engine.report.document.event_stills import EventPictures
from engine.report.document.method_section import audit_section, limit_section, method_section
from engine.report.report_content import EvidenceContent, ReportContent
from engine.report.review_content import STATES, triage

_LONGEST_METADATA = 2000

SIGN_OFF = (
    "The software measures and warns; it decides nothing. I have examined what this report "
    "shows, and the conclusions drawn from it are mine."
)


def document(
    content: ReportContent,
    pictures: Mapping[int, EventPictures],
    without_pictures: Mapping[int, str],
    charts: Mapping[int, str],
) -> dict[str, Any]:
    """Sets a report out as a document.

    Args:
        content: what the report says.
        pictures: of each event by its id.
        without_pictures: why a piece of evidence has no pictures, by its id.
        charts: file name of each score chart, by id of the evidence.

    Returns:
        Values of JSON's types.
    """
    made = datetime.fromisoformat(content.made_utc)
    name = PurePath(content.case).name
    marks = [mark for one in content.evidence for mark in _marks(one)]
    return {
        "title": f"Examination report: {name}",
        "author": content.details.examiner or "examiner not named",
        "case": user_text(name),
        "made": [made.year, made.month, made.day, made.hour, made.minute, made.second],
        "cover": _cover(content, name),
        "marks": marks,
        "sign_off": SIGN_OFF,
        "summary": _summary(content, pictures),
        "evidence": [_evidence(one, content) for one in content.evidence],
        "method": method_section(content),
        "findings": [
            _findings(one, content, pictures, without_pictures, charts) for one in content.evidence
        ],
        "notes": _notes(content),
        "limits": limit_section(content),
        "audit": audit_section(content),
        "files": _files(content, pictures),
        "head": content.audit_head,
    }


def _cover(content: ReportContent, name: str) -> list[Section]:
    details = content.details
    return [
        row("Case", name),
        row("Reference", details.reference or "not given"),
        row("Examiner", details.examiner or "not given"),
        row("Organisation", details.organisation or "not given"),
        row("Report made", when(content.made_utc)),
        row("Software", f"Sightline {content.version}"),
        row("Evidence", plural(len(content.evidence), "piece", "pieces")),
        row("Included", "events with a tag only" if content.tagged else "all events"),
        hash_row("Head of audit log", content.audit_head),
    ]


def _marks(one: EvidenceContent) -> list[Section]:
    """Says in so many words what is wrong with a piece of evidence, now or ever."""
    state = one.state
    name = f"Evidence {state.row.id}"
    marks = []
    if state.sha256_now is None:
        marks.append(f"{name} is missing or cannot be read: {state.error}")
    elif not state.unchanged:
        marks.append(
            f"{name} HAS CHANGED since it was added. SHA-256 recorded {state.row.sha256}, "
            f"found now {state.sha256_now}."
        )
    elif one.mismatches:
        marks.append(
            f"{name} was found changed or missing {plural(len(one.mismatches), 'time', 'times')} "
            "before; it is unchanged now."
        )
    return [user_text(mark) for mark in marks]


def _summary(content: ReportContent, pictures: Mapping[int, EventPictures]) -> dict[str, Any]:
    counts = []
    for one in content.evidence:
        found = one.current.triage if one.current else dict.fromkeys(STATES, 0)
        own = triage(one.own_events)
        total = {state: found[state] + own[state] for state in STATES}
        included = len(one.own_events) + (len(one.current.events) if one.current else 0)
        counts.append(
            {
                "name": user_text(f"{one.state.row.id}  {one.state.row.name}"),
                "cells": [str(total[state]) for state in STATES],
                "total": str(sum(total.values())),
                "included": str(included),
            }
        )
    unchanged = sum(one.state.unchanged for one in content.evidence)
    analysed = sum(one.current is not None for one in content.evidence)
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
    if pictures:
        sentences.append(
            "Pictures are reduced JPEG illustrations made from the exact frame that is named "
            "below them. Their colours over the frame are heat "
            f"({COLOUR_MAP}, at most {100 * OPACITY:.0f} % opaque); "
            "boxes and paths are what was followed. The command export gives the frame itself."
        )
    return {"sentences": sentences, "states": list(STATES), "counts": counts}


def _evidence(one: EvidenceContent, content: ReportContent) -> dict[str, Any]:
    state = one.state
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
        rows.append(hash_row("SHA-256 now", state.sha256_now, bad=not state.unchanged))
    rows.append(
        row("Integrity", "unchanged" if state.unchanged else "CHANGED", bad=not state.unchanged)
        if state.sha256_now
        else row("Integrity", "MISSING", bad=True)
    )
    rows += [
        row("Found changed", f"{when(miss['utc'])}: {miss['sha256_now'] or 'missing'}", bad=True)
        for miss in one.mismatches
    ]
    if piece.clock_offset_s is not None:
        rows.append(row("Burned-in clock", f"{piece.clock_offset_s:+.3f} s from stream time"))
    for stream in one.streams:
        rows.append(row(f"Stream {stream['number']}", _stream(stream)))
    rows += _properties(json.loads(piece.properties))
    return {
        "id": piece.id,
        "name": user_text(piece.name),
        "ok": state.unchanged,
        "rows": rows,
        "notes": [_note(note) for note in content.review.notes_about(f"evidence:{piece.id}")],
    }


def _stream(stream: Mapping[str, Any]) -> str:
    flags = [name.replace("_", " ") for name, on in stream["flags"].items() if on]
    said = (
        f"{stream['codec']}, {stream['width']} x {stream['height']} decoded pixels, "
        f"{stream['frames']:,} frames, {format_time(stream['duration_s'])}, time base "
        f"{stream['time_base_num']}/{stream['time_base_den']} s, first PTS {stream['first_pts']}"
    )
    return f"{said}; {', '.join(flags)}" if flags else said


_COUNTS = ("duplicates", "missing", "discarded", "discontinuities", "unreadable")


def _properties(values: Mapping[str, Any]) -> list[Section]:
    """Sets out what the container says; what it says of frame times is given even when it is 0."""
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
        said = "; ".join(f"{name}: {text}" for name, text in metadata.items())
        rows.append(row("Container says", said[:_LONGEST_METADATA]))
    return rows


def _rate(values: Mapping[str, Any]) -> str:
    rate = values.get("average_rate")
    return "not stated" if rate is None else f"{rate} frames a second, as the container states"


def _findings(
    one: EvidenceContent,
    content: ReportContent,
    pictures: Mapping[int, EventPictures],
    without_pictures: Mapping[int, str],
    charts: Mapping[int, str],
) -> dict[str, Any]:
    run, piece = one.current, one.state.row
    events = [*(run.events if run else ()), *one.own_events]
    events.sort(key=lambda event: (event["start_s"], event["event_id"]))
    said = []
    if run is None:
        said.append("No analysis of this evidence has finished.")
    else:
        said += [f"Condition: {warning.text}" for warning in run.row.warnings]
        if not events:
            none = "has a tag" if content.tagged else "stands out"
            said.append(f"Nothing in this evidence {none}.")
    if without_pictures.get(piece.id):
        said.append(f"There are no pictures: {without_pictures[piece.id]}.")
    kept = [event for event in events if event["state"] != "dismissed"]
    return {
        "id": piece.id,
        "name": user_text(piece.name),
        "run": None if run is None else f"run {run.row.id}",
        "chart": charts.get(piece.id),
        "said": [user_text(text) for text in said],
        "events": [event_section(event, one, content, pictures) for event in kept],
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
        "dialogues": span_dialogues(one),
        "bookmarks": [
            {
                "span": _span(mark),
                "text": user_text(mark["text"] or "no text"),
                "by": user_text(f"{mark['author']}, {when(mark['utc'])}"),
                "tags": joined(mark["tags"]),
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
        notes = tuple(one for one in notes if one["tags"])
    removed = content.review.removed_notes
    said = [] if notes else ["There are no notes" + (" with a tag." if content.tagged else ".")]
    if removed:
        said.append(
            f"{plural(removed, 'note', 'notes')} taken out of sight by the examiner; the case "
            "keeps them."
        )
    return {"said": said, "notes": [_note(one) for one in notes]}


def _note(note: Mapping[str, Any]) -> dict[str, Any]:
    at = "" if note["seconds"] is None else f", at {format_time(note['seconds'])}"
    about = note["object"].replace(":", " ")
    return {
        "title": f"Note {note['note_id']} about {about}{at}",
        "by": user_text(f"{note['author']}, {when(note['utc'])}"),
        "text": user_text(note["text"]),
        "tags": joined(note["tags"]),
        "amended": [
            {
                "by": user_text(f"{one['author']}, {when(one['utc'])}"),
                "text": user_text(one["text"]),
            }
            for one in note["amended"]
        ],
    }


def _files(content: ReportContent, pictures: Mapping[int, EventPictures]) -> dict[str, Any]:
    return {
        "exports": [
            {
                "name": user_text(PurePath(one.path).name),
                "about": f"{one.kind}, {one.size:,} bytes, {when(one.utc)}",
                "sha256": one.sha256,
            }
            for one in content.exports
        ],
        "pictures": [
            {"name": picture.name, "sha256": picture.sha256}
            for number in sorted(pictures)
            for picture in pictures[number].pictures
        ],
    }
