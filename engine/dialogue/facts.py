"""Facts about a span, computed from the case before the language model is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from engine.case import Case, EventRow, NewStream, RunRow, TrajectoryRow
from engine.core.progress import CancelToken
from engine.core.times import format_time
from engine.dialogue.span_results import USUAL_LIMIT, dialogue_channel, peak_score
from engine.dialogue.target_colours import dominant_colours
from engine.media import Source

_COLOUR_FRAMES = 5  # Frames that are decoded for the colours of a target; a choice of cost.
_MAX_TRAJECTORIES = 8  # Bounds the list of facts of a crowded span to what can be read; a choice.


@dataclass(frozen=True)
class Fact:
    """A sentence that was computed from the case, with the frames that show it.

    Attributes:
        kind: `time`, `score`, `reason`, `from`, `to`, `rest`, `direction`, `speed`, `duration`,
            `colour`.
        text: the fact as one sentence.
        value: the fact as a value.
        unit: unit of the value; empty without one.
        trajectory_id: the trajectory that it is about; None for the span.
        start_s: stream time of the first frame that shows it.
        end_s: stream time of the last one.
    """

    kind: str
    text: str
    value: str | float
    unit: str
    trajectory_id: int | None
    start_s: float
    end_s: float

    def as_json(self) -> dict[str, Any]:
        """Returns the fact as `ask --json` prints it."""
        return asdict(self)


@dataclass(frozen=True)
class DialogueSpan:
    """The span that a dialogue is about.

    Attributes:
        first: index of its first frame.
        last: index of its last frame, inclusive.
        start_s: stream time of the first frame.
        end_s: stream time of the last frame.
        event: the event whose span it is; None for a span that the examiner chose.
    """

    first: int
    last: int
    start_s: float
    end_s: float
    event: EventRow | None = None


def span_trajectories(case: Case, run: RunRow, span: DialogueSpan) -> list[TrajectoryRow]:
    """Returns the trajectories of an event, or those that overlap a span, hottest first."""
    rows = case.results.trajectories(run.id, span.event.derivation_id if span.event else None)
    if span.event is not None and span.event.derivation_id is not None:
        by_number = {row.trajectory.number: row for row in rows}
        chosen = [by_number[n] for n in span.event.event.trajectories if n in by_number]
    else:
        overlapping = [
            row
            for row in rows
            if row.trajectory.start_s <= span.end_s and row.trajectory.end_s >= span.start_s
        ]
        chosen = sorted(overlapping, key=lambda row: -float(row.trajectory.scores.max(initial=0)))
    return chosen[:_MAX_TRAJECTORIES]


def facts_of(
    case: Case,
    run: RunRow,
    span: DialogueSpan,
    trajectories: Sequence[TrajectoryRow],
    source: Source | None,
    cancel: CancelToken | None = None,
) -> list[Fact]:
    """Computes the facts about a span.

    Args:
        case: the case that holds the run.
        run: the run whose results the facts are computed from.
        span: the span.
        trajectories: those in it, from `span_trajectories`.
        source: the evidence, for colours; None leaves them out.
        cancel: is checked between frames.

    Raises:
        CancelledError: the user stopped.
    """
    facts = _span_facts(case, run, span)
    streams = (row.stream for row in case.evidence.streams(run.evidence_id))
    stream = next(stream for stream in streams if stream.number == run.stream)
    for number, row in enumerate(trajectories):
        facts += _trajectory_facts(row, stream)
        if source is not None and number == 0:
            facts += _colour_facts(row, source, cancel)
    return facts


def _span_facts(case: Case, run: RunRow, span: DialogueSpan) -> list[Fact]:
    def fact(kind: str, text: str, value: str | float, unit: str) -> Fact:
        return Fact(kind, text, value, unit, None, span.start_s, span.end_s)

    length = span.end_s - span.start_s
    times = f"{format_time(span.start_s)} to {format_time(span.end_s)}"
    facts = [fact("time", f"The span lasts {length:.1f} s, from {times}.", round(length, 3), "s")]
    channel = dialogue_channel(case, run)
    score = round(peak_score(case, run, channel, span.first, span.last), 4)
    beyond = "beyond" if score >= USUAL_LIMIT else "below"
    text = f"The {channel} score reaches {score:.2f}, {beyond} the limit of the usual (0.5)."
    facts.append(fact("score", text, score, ""))
    for reason in span.event.event.reasons if span.event else ():
        facts.append(fact("reason", _sentence(reason.text), float(reason.value), reason.unit))
    return facts


def _trajectory_facts(row: TrajectoryRow, stream: NewStream) -> list[Fact]:
    trajectory, number = row.trajectory, row.id

    def fact(kind: str, text: str, value: str | float, unit: str = "") -> Fact:
        return Fact(kind, text, value, unit, number, trajectory.start_s, trajectory.end_s)

    name, length = f"Trajectory {number}", trajectory.end_s - trajectory.start_s
    direction = trajectory.direction
    moves = "stays in place" if direction == "in place" else f"moves {direction}"
    facts = [
        fact("from", f"{name} comes from the {trajectory.from_cell}.", trajectory.from_cell),
        fact("to", f"{name} goes to the {trajectory.to_cell}.", trajectory.to_cell),
        fact("direction", f"{name} {moves} on screen.", direction),
        fact("duration", f"{name} is followed for {length:.1f} s.", round(length, 3), "s"),
    ]
    if trajectory.ends_inside((stream.width, stream.height), stream.duration_s):
        text = f"{name} ends inside the picture: it stands still there or is hidden."
        facts.append(fact("rest", text, trajectory.to_cell))
    if trajectory.relative_speed is not None:
        speed = round(trajectory.relative_speed, 2)
        text = f"{name} moves at {speed:.1f} times the usual speed of its places."
        facts.append(fact("speed", text, speed, "times the usual"))
    return facts


def _colour_facts(row: TrajectoryRow, source: Source, cancel: CancelToken | None) -> list[Fact]:
    trajectory = row.trajectory
    count = min(_COLOUR_FRAMES, len(trajectory.frames))
    numbers = np.unique(np.linspace(0, len(trajectory.frames) - 1, count).round().astype(int))
    images, boxes = [], []
    for number in numbers:
        if cancel is not None:
            cancel.check()
        image = source.frame(int(trajectory.frames[number]), "rgb").image
        if image is not None:
            images.append(image)
            boxes.append([int(side) for side in trajectory.boxes[number]])
    colours = dominant_colours(images, boxes)
    if colours is None:
        return []
    upper, lower = colours
    text = f"Trajectory {row.id} is mostly {upper} above and {lower} below."
    return [
        Fact("colour", text, f"{upper}, {lower}", "", row.id, trajectory.start_s, trajectory.end_s)
    ]


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith(".") else f"{text[:1].upper()}{text[1:]}."
