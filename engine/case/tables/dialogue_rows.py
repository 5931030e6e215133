"""Questions about evidence and their answers, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

TurnState = Literal["answering", "complete", "cancelled", "interrupted", "failed", "facts"]
"""`answering` also after the worker died, until somebody opens the dialogue again."""

ENDED: Mapping[str, str] = {
    "cancelled": "stopped by the examiner",
    "interrupted": "the engine process ended in the middle",
    "failed": "the model failed in the middle",
}
"""Why an answer is not whole, in words, by state."""


@dataclass(frozen=True)
class NewDialogue:
    """A dialogue about a span.

    Attributes:
        evidence_id: the evidence.
        run_id: the run whose results it speaks of.
        derivation_id: the derivation that was current then.
        event_id: the event it is about; None for a span of the examiner's own.
        first_frame: index of its first frame.
        last_frame: index of its last frame, inclusive.
        start_pts: PTS of the first frame.
        end_pts: PTS of the last frame.
        start_s: stream time of the first frame.
        end_s: stream time of the last frame.
    """

    evidence_id: int
    run_id: int
    derivation_id: int | None
    event_id: int | None
    first_frame: int
    last_frame: int
    start_pts: int
    end_pts: int
    start_s: float
    end_s: float


@dataclass(frozen=True)
class DialogueRow:
    """A stored dialogue; `about` is as it was given."""

    id: int
    about: NewDialogue
    author: str
    utc: str


@dataclass(frozen=True)
class NewTurn:
    """A question about to be answered.

    Attributes:
        question: the examiner's words.
        facts: what was computed from the case, of JSON's types.
        settings: everything that decided the answer, of JSON's types.
        pack: name of the pack; None without a language model.
        pack_sha256: of its manifest.
        runtime: that answers.
        missing: why there is no language model; None when there is one or none was wanted.
        state: `answering`, or `facts` when only facts were asked for.
    """

    question: str
    facts: tuple[Mapping[str, Any], ...]
    settings: Mapping[str, Any]
    pack: str | None = None
    pack_sha256: str | None = None
    runtime: str | None = None
    missing: str | None = None
    state: TurnState = "answering"


@dataclass(frozen=True)
class TurnRow:
    """A stored turn; its answer is machine-written, always.

    Attributes:
        id: per case, from 1.
        dialogue_id: the dialogue.
        number: within the dialogue, from 1.
        said: as it was asked; its `state` is the present one.
        answer: what the model said, or as much of it as there is; None without a model.
        tokens: of the answer.
        first_token_s: seconds from question to first token.
        tokens_per_s: after the first.
        agrees: whether a yes or no agrees with the calibrated heatmap; None when it says neither.
        dropped_turns: oldest turns that the model was not told any more.
        author: who asked.
        utc: when, ISO.
    """

    id: int
    dialogue_id: int
    number: int
    said: NewTurn
    answer: str | None
    tokens: int
    first_token_s: float | None
    tokens_per_s: float | None
    agrees: bool | None
    dropped_turns: int
    author: str
    utc: str


@dataclass(frozen=True)
class NewCitation:
    """Frames that a turn rests on.

    Attributes:
        evidence_id: the evidence.
        start_s: stream time of the first frame.
        end_s: stream time of the last frame.
        start_pts: PTS of the first frame.
        end_pts: PTS of the last frame.
        trajectory_id: the trajectory whose facts the answer states; None for the span itself.
    """

    evidence_id: int
    start_s: float
    end_s: float
    start_pts: int
    end_pts: int
    trajectory_id: int | None = None


@dataclass(frozen=True)
class CitationRow:
    """A stored citation; `cited` is as it was given."""

    id: int
    turn_id: int
    cited: NewCitation
