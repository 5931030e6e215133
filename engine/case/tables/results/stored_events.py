"""Events as rows and back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from engine.case.store import row_fields as fields
from engine.case.store.database import Row, Value
from engine.core.findings import Event, Reason

EventState = Literal["unseen", "seen", "relevant", "dismissed"]

COLUMNS = (
    "run_id", "number", "first_frame", "last_frame", "peak_frame", "start_pts", "end_pts",
    "peak_pts", "start_s", "end_s", "peak_s", "peak_score", "channel", "reasons",
    "trajectories", "summary",
)  # fmt: skip
"""Columns of the table `event` in the order of `to_rows`."""


@dataclass(frozen=True)
class EventRow:
    """A stored event with its state of triage.

    Attributes:
        id: per case, from 1.
        run_id: its run; of an own event the run on screen then, None when there was none.
        derivation_id: the derivation it came from; None for an examiner's own event.
        event: as the analysis or the examiner made it.
        state: `unseen`, `seen`, `relevant` or `dismissed`.
        state_reason: the examiner's words; None when none were given.
    """

    id: int
    run_id: int | None
    derivation_id: int | None
    event: Event
    state: EventState
    state_reason: str | None


def to_rows(run_id: int, events: Sequence[Event]) -> Iterator[list[Value]]:
    """Yields the rows of events."""
    for event in events:
        reasons = [
            [
                reason.attribute, float(reason.value), float(reason.usual), float(reason.ratio),
                reason.unit, reason.text,
            ]
            for reason in event.reasons
        ]  # fmt: skip
        yield [
            run_id, int(event.number), int(event.first_frame), int(event.last_frame),
            int(event.peak_frame), int(event.start_pts), int(event.end_pts), int(event.peak_pts),
            *map(fields.to_real, (event.start_s, event.end_s, event.peak_s, event.peak_score)),
            event.channel, json.dumps(reasons, separators=(",", ":")),
            fields.to_json([int(number) for number in event.trajectories]), event.summary,
        ]  # fmt: skip


def read_row(row: Row) -> EventRow:
    """Restores an event with its state of triage."""
    return EventRow(
        id=fields.integer(row, "id"),
        run_id=fields.integer_or_none(row, "run_id"),
        derivation_id=fields.integer_or_none(row, "derivation_id"),
        event=_read_event(row),
        state=cast(EventState, fields.text(row, "state")),
        state_reason=fields.text_or_none(row, "state_reason"),
    )


def _read_event(row: Row) -> Event:
    reasons = tuple(
        Reason(str(name), float(value), float(usual), float(ratio), str(unit), str(text))
        for name, value, usual, ratio, unit, text in fields.items(row, "reasons")
    )
    return Event(
        number=fields.integer_or_none(row, "number") or 0,
        first_frame=fields.integer(row, "first_frame"),
        last_frame=fields.integer(row, "last_frame"),
        peak_frame=fields.integer(row, "peak_frame"),
        start_pts=fields.integer(row, "start_pts"),
        end_pts=fields.integer(row, "end_pts"),
        peak_pts=fields.integer(row, "peak_pts"),
        start_s=fields.real(row, "start_s"),
        end_s=fields.real(row, "end_s"),
        peak_s=fields.real(row, "peak_s"),
        peak_score=fields.real(row, "peak_score"),
        channel=fields.text(row, "channel"),
        reasons=reasons,
        trajectories=tuple(int(number) for number in fields.items(row, "trajectories")),
        summary=fields.text(row, "summary"),
    )
