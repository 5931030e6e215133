"""Sets dialogues out in a report: facts, and apart from them what a language model wrote."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from engine.case.tables.dialogues import INCOMPLETE_REASONS
from engine.core.times import format_time
from engine.report.document.document_parts import Section, plural, user_text, when
from engine.report.report_content import EvidenceContent

_INCOMPLETE_REASONS = {"answering": "the answer was not finished", **INCOMPLETE_REASONS}
_DISAGREES = "This answer disagrees with the heatmap: compare with score and places above."


def event_turns(event_id: int, evidence: EvidenceContent) -> list[Section]:
    """Returns the turns of all dialogues about an event."""
    return _turns(row for row in evidence.dialogues if row["event_id"] == event_id)


def span_dialogues(evidence: EvidenceContent) -> list[Section]:
    """Returns the dialogues about spans that are no events."""
    return [
        {"span": f"{format_time(row['start_s'])} – {format_time(row['end_s'])}",
         "turns": _turns([row])}
        for row in evidence.dialogues if row["event_id"] is None
    ]  # fmt: skip


def _turns(dialogues: Iterable[Mapping[str, Any]]) -> list[Section]:
    turns: list[Section] = []
    before: list[Any] = []
    for turn in (turn for row in dialogues for turn in row["turns"]):
        same = turns != [] and turn["facts"] == before
        before = turn["facts"]
        turns.append(
            {
                "question": user_text(turn["question"]),
                "by": user_text(f"asked by {turn['author']}, {when(turn['utc'])}"),
                "facts": [] if same else [user_text(str(fact.get("text", ""))) for fact in before],
                "same_facts": same and bool(before),
                "answer": None if turn["answer"] is None else user_text(turn["answer"]),
                "made": user_text(_authorship(turn)),
                "marks": [user_text(mark) for mark in _marks(turn)],
                "cited": user_text("; ".join(map(_citation_text, turn["citations"]))),
            }
        )
    return turns


def _authorship(turn: Mapping[str, Any]) -> str:
    if turn["pack"] is None:
        return ""
    sampling = turn["settings"].get("sampling") or {}
    seed = sampling.get("seed")
    drawn = "likeliest words" if seed is None else f"drawn with seed {seed}"
    return (
        f"Machine-written by the pack {turn['pack']} (SHA-256 {turn['pack_sha256']}), "
        f"{turn['runtime']}, {drawn}, {turn['tokens']} tokens"
    )


def _marks(turn: Mapping[str, Any]) -> list[str]:
    marks = []
    if turn["agrees_with_heatmap"] is False:
        marks.append(_DISAGREES)
    if turn["state"] in _INCOMPLETE_REASONS:
        marks.append(f"Incomplete: {_INCOMPLETE_REASONS[turn['state']]}.")
    if turn["missing"]:
        marks.append(f"No answer of a language model: {turn['missing']}.")
    if turn["dropped_turns"]:
        oldest = plural(turn["dropped_turns"], "turn", "turns")
        marks.append(f"The model no longer knew the oldest {oldest}.")
    return marks


def _citation_text(citation: Mapping[str, Any]) -> str:
    return (
        f"{format_time(citation['start_s'])} – {format_time(citation['end_s'])} "
        f"(PTS {citation['start_pts']}–{citation['end_pts']})"
    )
