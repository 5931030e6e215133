"""What was asked and answered about a piece of evidence, as plain values."""

from __future__ import annotations

from typing import Any

from engine.case import Case
from engine.case.tables.dialogue_rows import DialogueRow, TurnRow


def dialogues_of(case: Case, evidence_id: int) -> list[dict[str, Any]]:
    """Returns the dialogues about a piece of evidence, oldest first, with all their turns."""
    return [_dialogue(case, one) for one in case.dialogues.of_evidence(evidence_id)]


def _dialogue(case: Case, row: DialogueRow) -> dict[str, Any]:
    return {
        "dialogue_id": row.id,
        **row.about.__dict__,
        "author": row.author,
        "utc": row.utc,
        "turns": [_turn(case, one) for one in case.dialogues.turns(row.id)],
    }


def _turn(case: Case, row: TurnRow) -> dict[str, Any]:
    said = row.said
    return {
        "turn_id": row.id,
        "number": row.number,
        "question": said.question,
        "facts": [dict(one) for one in said.facts],
        "answer": row.answer,
        "machine_written": row.answer is not None,
        "state": said.state,
        "missing": said.missing,
        "agrees_with_heatmap": row.agrees,
        "pack": said.pack,
        "pack_sha256": said.pack_sha256,
        "runtime": said.runtime,
        "settings": dict(said.settings),
        "tokens": row.tokens,
        "dropped_turns": row.dropped_turns,
        "author": row.author,
        "utc": row.utc,
        "citations": [one.cited.__dict__ for one in case.dialogues.citations(row.id)],
    }
