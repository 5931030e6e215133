"""What an answer rests on, attached by the engine: the model never writes a citation."""

from __future__ import annotations

from collections.abc import Sequence

from engine.case import EvidenceRow, NewCitation, TrajectoryRow
from engine.core.stream import FrameIndex
from engine.dialogue.answer_parsing import cells_in, yes_or_no
from engine.dialogue.facts import DialogueSpan
from engine.dialogue.span_results import USUAL_LIMIT


def citations_of(
    answer: str | None,
    evidence: EvidenceRow,
    span: DialogueSpan,
    trajectories: Sequence[TrajectoryRow],
    index: FrameIndex,
) -> list[NewCitation]:
    """Returns the citations of a turn.

    Args:
        answer: what the model wrote; None when only facts were asked for: then every trajectory
            whose facts are listed is cited.
        evidence: the evidence that the question is about.
        span: the span that the question is about; it is always cited.
        trajectories: those whose facts are listed; an answer cites those whose *from* or *to* it
            names.
        index: the frame index of the evidence, which gives the PTS.
    """
    citations = [_citation(evidence, span.first, span.last, index, None)]
    for row in trajectories:
        if answer is None or _states(answer, row):
            frames = row.trajectory.frames
            citations.append(_citation(evidence, int(frames[0]), int(frames[-1]), index, row.id))
    return citations


def agreement(
    answer: str, peak_score: float, trajectories: Sequence[TrajectoryRow] = ()
) -> bool | None:
    """Returns whether an answer agrees with what was measured.

    Args:
        answer: what the model wrote.
        peak_score: the largest calibrated score of the span.
        trajectories: those in the span; the cells that an answer names must be the ends of one.

    Returns:
        False when its yes or no contradicts the heatmap, or its cells are those of no trajectory;
        None when the answer states nothing that can be compared.
    """
    affirmative, cells = yes_or_no(answer), cells_in(answer)
    checks = [] if affirmative is None else [affirmative == (peak_score >= USUAL_LIMIT)]
    if cells is not None and trajectories:
        known = [(row.trajectory.from_cell, row.trajectory.to_cell) for row in trajectories]
        # Of an answer that names a single cell it is not known which end it means.
        only_one = cells[0] == cells[1]
        checks.append(any(cells[0] in pair if only_one else cells == pair for pair in known))
    return all(checks) if checks else None


def _states(answer: str, row: TrajectoryRow) -> bool:
    cells = cells_in(answer)
    if cells is None:
        return False
    return cells[0] == row.trajectory.from_cell or cells[1] == row.trajectory.to_cell


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
