"""Reads what was asked and answered about a subject; runs off the window's thread."""

from __future__ import annotations

from desktop.state.conversation import ShownTurn, Subject
from engine.case import Case
from engine.case.tables.dialogues import DialogueRow

_FRAME_S = 0.05  # seconds; longer than a frame of any camera with 20 frames a second


def turns_about(case: Case, subject: Subject) -> tuple[ShownTurn, ...]:
    """Returns the turns of every dialogue about a subject, oldest first."""
    return tuple(
        ShownTurn(turn, case.dialogues.citations(turn.id))
        for dialogue in case.dialogues.of_evidence(subject.evidence_id)
        if _is_about(dialogue, subject)
        for turn in case.dialogues.turns(dialogue.id)
    )


def _is_about(dialogue: DialogueRow, subject: Subject) -> bool:
    about = dialogue.about
    if subject.event_id is not None or about.event_id is not None:
        return about.event_id == subject.event_id
    # A dialogue keeps whole frames: what was asked for lies within them to less than a frame.
    near = max(abs(about.start_s - subject.start_s), abs(about.end_s - subject.end_s))
    return near <= _FRAME_S
