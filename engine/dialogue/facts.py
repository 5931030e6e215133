"""What the case itself knows about a span, computed before any model speaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from engine.case import Case, EventRow, NewStream, RunRow, TrajectoryRow
from engine.core.progress import CancelToken
from engine.core.times import format_time
from engine.dialogue.span_evidence import leading_channel, peak_score
from engine.dialogue.target_colours import dominant_colours
from engine.media import Source

_PICTURES = 5
_MOST_TRAJECTORIES = 8


@dataclass(frozen=True)
class Fact:
    """One thing that is known, with the frames that show it.

    Attributes:
        kind: `time`, `score`, `reason`, `from`, `to`, `rest`, `direction`, `speed`, `duration`,
            `colour`.
        text: one sentence.
        value: the fact itself.
        unit: of the value; empty without one.
        trajectory_id: the target it is about; None for the span.
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
        """Returns the fact as `ask --json` has it."""
        return asdict(self)


@dataclass(frozen=True)
class AskedSpan:
    """The span that is asked about.

    Attributes:
        first: index of its first frame.
        last: index of its last frame, inclusive.
        start_s: stream time of the first frame.
        end_s: stream time of the last frame.
        event: the event it is; None for a span of the examiner's own.
    """

    first: int
    last: int
    start_s: float
    end_s: float
    event: EventRow | None = None


def span_trajectories(case: Case, run: RunRow, span: AskedSpan) -> list[TrajectoryRow]:
    """Returns the trajectories of an event, or those that a span cuts, strongest first."""
    rows = case.results.trajectories(run.id, span.event.derivation_id if span.event else None)
    if span.event is not None and span.event.derivation_id is not None:
        by_number = {row.trajectory.number: row for row in rows}
        found = [by_number[n] for n in span.event.event.trajectories if n in by_number]
    else:
        cut = [
            row
            for row in rows
            if row.trajectory.start_s <= span.end_s and row.trajectory.end_s >= span.start_s
        ]
        found = sorted(cut, key=lambda row: -float(row.trajectory.scores.max(initial=0)))
    return found[:_MOST_TRAJECTORIES]


def facts_of(
    case: Case,
    run: RunRow,
    span: AskedSpan,
    trajectories: Sequence[TrajectoryRow],
    source: Source | None,
    cancel: CancelToken | None = None,
) -> list[Fact]:
    """Computes what is known of a span.

    Args:
        case: holds the run.
        run: whose results are spoken of.
        span: that is asked about.
        trajectories: in it, from `span_trajectories`.
        source: the evidence, for colours; None leaves them out.
        cancel: looked at between frames.

    Raises:
        CancelledError: it was asked to stop.
    """
    facts = _span_facts(case, run, span)
    streams = (one.stream for one in case.evidence.streams(run.evidence_id))
    stream = next(one for one in streams if one.number == run.stream)
    for place, row in enumerate(trajectories):
        facts += _trajectory_facts(row, stream)
        if source is not None and place == 0:
            facts += _colour_facts(row, source, cancel)
    return facts


def _span_facts(case: Case, run: RunRow, span: AskedSpan) -> list[Fact]:
    def fact(kind: str, text: str, value: str | float, unit: str) -> Fact:
        return Fact(kind, text, value, unit, None, span.start_s, span.end_s)

    length = span.end_s - span.start_s
    times = f"{format_time(span.start_s)} to {format_time(span.end_s)}"
    facts = [fact("time", f"The span lasts {length:.1f} s, from {times}.", round(length, 3), "s")]
    channel = leading_channel(case, run)
    score = round(peak_score(case, run, channel, span.first, span.last), 4)
    beyond = "beyond" if score >= 0.5 else "below"
    text = f"The {channel} score reaches {score:.2f}, {beyond} the limit of the usual (0.5)."
    facts.append(fact("score", text, score, ""))
    for reason in span.event.event.reasons if span.event else ():
        facts.append(fact("reason", _sentence(reason.text), float(reason.value), reason.unit))
    return facts


def _trajectory_facts(row: TrajectoryRow, stream: NewStream) -> list[Fact]:
    one, number = row.trajectory, row.id

    def fact(kind: str, text: str, value: str | float, unit: str = "") -> Fact:
        return Fact(kind, text, value, unit, number, one.start_s, one.end_s)

    name, length = f"Trajectory {number}", one.end_s - one.start_s
    moves = "stays in place" if one.direction == "in place" else f"moves {one.direction}"
    facts = [
        fact("from", f"{name} comes from the {one.from_cell}.", one.from_cell),
        fact("to", f"{name} goes to the {one.to_cell}.", one.to_cell),
        fact("direction", f"{name} {moves} on screen.", one.direction),
        fact("duration", f"{name} is followed for {length:.1f} s.", round(length, 3), "s"),
    ]
    if one.ends_inside((stream.width, stream.height), stream.duration_s):
        text = f"{name} ends inside the picture: it stands still there or is hidden."
        facts.append(fact("rest", text, one.to_cell))
    if one.relative_speed is not None:
        speed = round(one.relative_speed, 2)
        text = f"{name} moves at {speed:.1f} times the usual speed of its places."
        facts.append(fact("speed", text, speed, "times the usual"))
    return facts


def _colour_facts(row: TrajectoryRow, source: Source, cancel: CancelToken | None) -> list[Fact]:
    one = row.trajectory
    count = min(_PICTURES, len(one.frames))
    places = np.unique(np.linspace(0, len(one.frames) - 1, count).round().astype(int))
    pictures, boxes = [], []
    for place in places:
        if cancel is not None:
            cancel.check()
        image = source.frame(int(one.frames[place]), "rgb").image
        if image is not None:
            pictures.append(image)
            boxes.append([int(side) for side in one.boxes[place]])
    named = dominant_colours(pictures, boxes)
    if named is None:
        return []
    upper, lower = named
    text = f"Trajectory {row.id} is mostly {upper} above and {lower} below."
    return [Fact("colour", text, f"{upper}, {lower}", "", row.id, one.start_s, one.end_s)]


def _sentence(text: str) -> str:
    said = text.strip()
    return said if said.endswith(".") else f"{said[:1].upper()}{said[1:]}."
