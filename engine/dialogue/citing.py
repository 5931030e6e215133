"""What an answer rests on, attached by the engine: the model never writes a citation."""

from __future__ import annotations

from collections.abc import Sequence

from engine.cases import EvidenceRow, NewCitation, TrajectoryRow
from engine.core.stream import FrameIndex
from engine.dialogue.evidence import LIMIT
from engine.dialogue.facts import AskedSpan
from engine.dialogue.words import places_in, yes_or_no


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


def agreement(answer: str, peak_score: float) -> bool | None:
    """Says whether a yes or no agrees with the calibrated heatmap; None when it says neither."""
    said = yes_or_no(answer)
    return None if said is None else said == (peak_score >= LIMIT)


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
