"""Sets one event out in a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.core.times import format_time
from engine.report.document.dialogue_section import event_turns
from engine.report.document.document_parts import Section, join_words, plural, row, user_text, when
from engine.report.document.event_stills import EventStills
from engine.report.report_content import EvidenceContent, ReportContent

_KIND_TEXTS = {
    "plain": "the frame as it is",
    "overlay": "the same frame with heat, boxes and paths",
    "whole": "the whole event: all its heat and the whole of every path, over the same frame",
}


def event_section(
    event: Mapping[str, Any],
    evidence: EvidenceContent,
    content: ReportContent,
    stills: Mapping[int, EventStills],
) -> Section:
    """Returns an event with stills, reasons, facts and what the examiner added."""
    drawn = stills.get(event["event_id"])
    notes = content.review.notes_about(f"event:{event['event_id']}")
    return {
        "id": event["event_id"],
        "span": f"{format_time(event['start_s'])} – {format_time(event['end_s'])}",
        "score": f"{event['peak_score']:.2f}",
        "state": event["state"],
        "summary": user_text(event["summary"]),
        "reasons": [user_text(reason["text"]) for reason in event["reasons"]],
        "facts": _facts(event, evidence),
        "judgement": _judgement(event),
        "tags": join_words(event["tags"]),
        "notes": [
            {"by": user_text(f"{note['author']}, {when(note['utc'])}"),
             "text": user_text(note["text"]), "versions": len(note["amended"]) + 1}
            for note in notes
        ],
        "turns": event_turns(event["event_id"], evidence),
        "pictures": [
            {"file": picture.name, "kind": picture.kind, "alt": _alt(event, picture.kind),
             "tall": picture.height > picture.width}
            for picture in (drawn.pictures if drawn else ())
        ],
        "caption": "" if drawn is None else _caption(drawn, event),
    }  # fmt: skip


def _judgement(event: Mapping[str, Any]) -> Section:
    judgement = {
        "relevant": "relevant, says the examiner",
        "seen": "seen by the examiner, without a judgement",
        "dismissed": "dismissed by the examiner",
        "unseen": "not yet seen by the examiner",
    }[event["state"]]
    reason = event["state_reason"]
    return user_text(f"{judgement}: {reason}" if reason else judgement)


def _facts(event: Mapping[str, Any], evidence: EvidenceContent) -> list[Section]:
    own = event["channel"] == "examiner"
    facts = [
        row("Peak", f"{format_time(event['peak_s'])}, score {event['peak_score']:.3f}"),
        row("PTS", f"{event['start_pts']} – {event['end_pts']}, peak {event['peak_pts']}"),
        row("Found by", "the examiner" if own else f"the {event['channel']} channel"),
    ]
    offset = evidence.state.row.clock_offset_s
    if offset is not None:
        ends = [format_time(event[name] + offset) for name in ("start_s", "end_s")]
        facts.append(row("Burned-in clock", " – ".join(ends)))
    trajectories = evidence.current.trajectories if evidence.current else ()
    known = {path["trajectory_id"]: path for path in trajectories}
    for path in event["trajectories"]:
        whole = known.get(path["trajectory_id"], {})
        speed = whole.get("relative_speed")
        text = f"from {path['from']} to {path['to']}, moving {path['direction']}"
        if speed is not None:
            text += f", {speed:.1f} times the usual speed"
        if whole:
            text += f"; {format_time(whole['start_s'])} – {format_time(whole['end_s'])}"
        number = whole.get("number", path["trajectory_id"])
        facts.append(row(f"Target {number}", text))
    return facts


def _alt(event: Mapping[str, Any], kind: str) -> str:
    return f"Event {event['event_id']} at {format_time(event['peak_s'])}: {_KIND_TEXTS[kind]}"


def _caption(drawn: EventStills, event: Mapping[str, Any]) -> str:
    about = f"Frame {drawn.frame}, PTS {drawn.pts}, {format_time(event['peak_s'])}"
    if drawn.pict_type != "?":
        about += f", type {drawn.pict_type}"
    if drawn.damaged:
        about += ", damaged"
    if not drawn.pictures:
        return f"{about}: this frame cannot be decoded."
    kinds = "; ".join(_KIND_TEXTS[picture.kind] for picture in drawn.pictures)
    return f"{about}. {plural(len(drawn.pictures), 'picture', 'pictures')}: {kinds}."
