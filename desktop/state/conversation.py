"""A conversation as the window shows it: what it is about, its turns, the answer under way."""

from __future__ import annotations

from dataclasses import dataclass

from engine.case.tables.dialogues import CitationRow, TurnRow


@dataclass(frozen=True)
class Subject:
    """What is asked about: an event, or a span of the examiner's own.

    Attributes:
        evidence_id: the evidence.
        start_s: stream time of its first frame.
        end_s: stream time of its last one.
        event_id: the event; None for a span.
    """

    evidence_id: int
    start_s: float
    end_s: float
    event_id: int | None = None


@dataclass(frozen=True)
class ShownTurn:
    """A turn of the case with what it rests on."""

    row: TurnRow
    citations: tuple[CitationRow, ...]


@dataclass(frozen=True)
class ConversationView:
    """What the chat panel shows.

    Attributes:
        subject: None when nothing is selected that could be asked about.
        turns: of the case, oldest first.
        question_under_way: the question under way about this subject; empty when there is none.
        partial: what the model said to it so far.
        progress: what the engine does before it answers, in words.
        busy: whether any question is under way, also about another subject.
    """

    subject: Subject | None = None
    turns: tuple[ShownTurn, ...] = ()
    question_under_way: str = ""
    partial: str = ""
    progress: str = ""
    busy: bool = False
