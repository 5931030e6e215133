"""`events`: lists what stands out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli.output import Json, print_json, print_line
from engine.core.errors import BadInputError


def command(
    case: Annotated[Path, typer.Option("--case", metavar="DIR", help="The case folder.")],
    evidence: Annotated[
        int | None, typer.Option("--evidence", metavar="N", help="Only this evidence.")
    ] = None,
    run: Annotated[
        int | None, typer.Option("--run", metavar="N", help="This run, not the current one.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Lists the events of a case: when, how strongly, and why something stands out."""
    from engine.cli.case_options import chosen_evidence, open_to_read
    from engine.export.event_json import run_events

    with open_to_read(case) as opened:
        if run is not None and evidence is None:
            evidence = opened.runs.get(run).evidence_id
        listed: list[dict[str, Any]] = []
        pieces = chosen_evidence(opened, evidence)
        if not pieces:
            raise BadInputError("no evidence in the case", case, "analyse a video first")
        for piece in pieces:
            if run is None and evidence is None and opened.runs.current(piece.id) is None:
                continue
            chosen = opened.runs.chosen(piece, run)
            listed += run_events(opened, chosen)
            if not as_json:
                _print(piece.name, listed[-len(opened.results.events(chosen.id)) or len(listed) :])
        if as_json:
            print_json({"events": listed})


def _print(name: str, events: list[dict[str, Any]]) -> None:
    print_line(f"{name}: {len(events)} event{'' if len(events) == 1 else 's'}")
    for event in events:
        print_line(f"  {event['event_id']:>4}  {event['peak_score']:.2f}  {event['summary']}")
