"""What an answer rests on, attached by the engine: the model never writes a citation."""

from __future__ import annotations

from collections.abc import Sequence

from engine.case import EvidenceRow, NewCitation, TrajectoryRow
from engine.core.stream import FrameIndex
from engine.dialogue.answer_parsing import places_in, yes_or_no
from engine.dialogue.facts import AskedSpan
from engine.dialogue.span_evidence import LIMIT


def citations_of(
    answer: str | None,
    evidence: EvidenceRow,
    span: AskedSpan,
    trajectories: Sequence[TrajectoryRow],
    index: FrameIndex,
) -> list[NewCitation]:
    """Returns the citations of a turn.

    Args:
        answer: what the model said; None when only facts were asked for, which cites every
            trajectory whose facts are listed.
        evidence: that is asked about.
        span: that is asked about, always cited.
        trajectories: whose facts are listed; those are cited whose *from* or *to* the answer
            states.
        index: gives PTS.
    """
    cited = [_citation(evidence, span.first, span.last, index, None)]
    for row in trajectories:
        if answer is None or _states(answer, row):
            frames = row.trajectory.frames
            cited.append(_citation(evidence, int(frames[0]), int(frames[-1]), index, row.id))
    return cited


def agreement(
    answer: str, peak_score: float, trajectories: Sequence[TrajectoryRow] = ()
) -> bool | None:
    """Says whether an answer agrees with what was measured.

    Args:
        answer: what the model said.
        peak_score: the largest calibrated score of the span.
        trajectories: in the span; the places an answer names must be those of one of them.

    Returns:
        False when its yes or no contradicts the heatmap, or its places are those of no trajectory;
        None when it says nothing that can be compared.
    """
    said, places = yes_or_no(answer), places_in(answer)
    checks = [] if said is None else [said == (peak_score >= LIMIT)]
    if places is not None and trajectories:
        known = [(row.trajectory.from_cell, row.trajectory.to_cell) for row in trajectories]
        # Of an answer that names one place only, nothing says which end is meant.
        one = places[0] == places[1]
        checks.append(any(places[0] in pair if one else places == pair for pair in known))
    return all(checks) if checks else None


def _states(answer: str, row: TrajectoryRow) -> bool:
    places = places_in(answer)
    if places is None:
        return False
    return places[0] == row.trajectory.from_cell or places[1] == row.trajectory.to_cell


def _citation(
    evidence: EvidenceRow, first: int, last: int, index: FrameIndex, trajectory_id: int | None
) -> NewCitation:
    return NewCitation(
        evidence.id,
        index.seconds(first),
        index.seconds(last),
        int(index.pts[first]),
        int(index.pts[last]),
        trajectory_id,
    )
