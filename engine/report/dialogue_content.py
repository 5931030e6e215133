"""The dialogues about a piece of evidence, as plain values."""

from __future__ import annotations

from typing import Any

from engine.case import Case
from engine.case.tables.dialogues import DialogueRow, TurnRow


def dialogues_of(case: Case, evidence_id: int) -> list[dict[str, Any]]:
    """Returns the dialogues about a piece of evidence, oldest first, with all their turns."""
    return [_dialogue(case, row) for row in case.dialogues.of_evidence(evidence_id)]


def _dialogue(case: Case, row: DialogueRow) -> dict[str, Any]:
    return {
        "dialogue_id": row.id,
        **row.about.__dict__,
        "author": row.author,
        "utc": row.utc,
        "turns": [_turn(case, turn) for turn in case.dialogues.turns(row.id)],
    }


def _turn(case: Case, row: TurnRow) -> dict[str, Any]:
    return {
        "turn_id": row.id,
        "number": row.number,
        "question": row.question,
        "facts": [dict(fact) for fact in row.facts],
        "answer": row.answer,
        "machine_written": row.answer is not None,
        "state": row.state,
        "missing": row.missing,
        "agrees_with_heatmap": row.agrees,
        "pack": row.pack,
        "pack_sha256": row.pack_sha256,
        "runtime": row.runtime,
        "settings": dict(row.settings),
        "tokens": row.tokens,
        "dropped_turns": row.dropped_turns,
        "author": row.author,
        "utc": row.utc,
        "citations": [citation.citation.__dict__ for citation in case.dialogues.citations(row.id)],
    }
