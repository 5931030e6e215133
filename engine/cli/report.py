"""`report`: the case as a file for others."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.output import Json, cancellable, print_json, print_line, shown_progress


def command(
    case: Annotated[Path, typer.Option("--case", metavar="DIR", help="The case folder.")],
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="The report: .json or .csv.")],
    beside_evidence: Annotated[
        bool, typer.Option("--beside-evidence", help="Insist on a file beside the evidence.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Writes a report of the whole case; it is hashed and recorded in the case.

    .json evidence with hashes and properties, runs with settings and environment, events,
    trajectories, calibrations, exports, head of the audit log

    .csv  one row an event, for spreadsheets

    All evidence is hashed again. What is missing or has changed since it was added is marked in
    the report and stays on record.
    """
    from engine.cases import Case
    from engine.cli.export import files_json, print_files
    from engine.reports.output import check_ending
    from engine.reports.reporting import ENDINGS, write_report

    check_ending(to, ENDINGS)
    with (
        cancellable() as cancel,
        shown_progress() as report,
        Case.open(case.absolute(), write=True) as opened,
    ):
        content, written = write_report(
            opened, to, beside_evidence=beside_evidence, cancel=cancel, report=report
        )
        changed = [one.state for one in content.evidence if not one.state.unchanged]
        result = {
            "case": str(opened.path),
            "changed_evidence": [state.row.id for state in changed],
            "audit": {"entries": content.audit_entries, "head": content.audit_head},
            "files": files_json([written]),
        }
    for state in changed:
        what = "cannot be read" if state.sha256_now is None else "has changed since it was added"
        sys.stderr.write(f"warning: evidence {state.row.id} {what}\n")
    if as_json:
        print_json(result)
    else:
        print_files([written])
        print_line(f"head of the audit log: {content.audit_head} ({content.audit_entries} entries)")
