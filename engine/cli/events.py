"""`events`: lists what stands out."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from engine.cli.case_options import CaseOption, RunOption, open_to_read, select_evidence
from engine.cli.output import Json, print_json, print_line
from engine.core.errors import BadInputError


def command(
    case: CaseOption,
    evidence: Annotated[
        int | None, typer.Option("--evidence", metavar="N", help="Only this evidence.")
    ] = None,
    run: RunOption = None,
    as_json: Json = False,
) -> None:
    """Lists the events of a case: when, how strongly, and why something stands out."""
    from engine.export.event_json import run_events

    with open_to_read(case) as opened:
        if run is not None and evidence is None:
            evidence = opened.runs.get(run).evidence_id
        all_events: list[dict[str, Any]] = []
        rows = select_evidence(opened, evidence)
        if not rows:
            raise BadInputError("no evidence in the case", case, "analyse a video first")
        for row in rows:
            if run is None and evidence is None and opened.runs.current(row.id) is None:
                continue
            events = run_events(opened, opened.runs.resolve(row, run))
            all_events += events
            if not as_json:
                _print(row.name, events)
        if as_json:
            print_json({"events": all_events})


def _print(name: str, events: list[dict[str, Any]]) -> None:
    print_line(f"{name}: {len(events)} event{'' if len(events) == 1 else 's'}")
    for event in events:
        print_line(f"  {event['event_id']:>4}  {event['peak_score']:.2f}  {event['summary']}")
