"""`report`: the case as a file for others."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.case_options import BesideEvidenceOption, CaseOption, OutputOption
from engine.cli.output import Json, cancellable, print_json, print_line, shown_progress

if TYPE_CHECKING:
    from engine.case import Case


def command(
    case: CaseOption,
    to: OutputOption,
    tagged: Annotated[
        bool, typer.Option("--tagged", help="Only events, bookmarks and notes with a tag.")
    ] = False,
    examiner: Annotated[
        str | None, typer.Option("--examiner", metavar="NAME", help="Who is responsible.")
    ] = None,
    organisation: Annotated[
        str | None, typer.Option("--organisation", metavar="NAME", help="For whom they work.")
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option("--reference", metavar="TEXT", help="What the case is called elsewhere."),
    ] = None,
    beside_evidence: BesideEvidenceOption = False,
    as_json: Json = False,
) -> None:
    """Writes a report of the whole case; it is hashed and recorded in the case.

    .pdf  PDF/A-2b: cover, summary, evidence, method, events with pictures, notes, limits

    .html the same in one file, readable without a network and without scripts

    .json everything the report rests on, for programs

    .csv  one row an event, for spreadsheets

    .zip  all of these with the audit log, hashes, recipes and results: what it takes to repeat it

    All evidence is hashed again. What is missing or has changed since it was added is marked in
    the report and stays on record. The names given are kept in the case for the next report.
    """
    from engine.case import Case
    from engine.cli.export import files_json, print_files
    from engine.export.output_files import check_ending
    from engine.report.write_report import ENDINGS, write_report

    check_ending(to, ENDINGS)
    details = {"examiner": examiner, "organisation": organisation, "reference": reference}
    with (
        cancellable() as cancel,
        Case.open(case.absolute(), write=True) as opened,
    ):
        _store_details(opened, {name: text for name, text in details.items() if text is not None})
        with shown_progress() as progress:
            content, written = write_report(
                opened,
                to,
                tagged=tagged,
                beside_evidence=beside_evidence,
                cancel=cancel,
                progress=progress,
            )
        changed = [each.state for each in content.evidence if not each.state.is_unchanged]
        result = {
            "case": str(opened.path),
            "examiner": content.case_info.examiner or None,
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


def _store_details(case: Case, details: dict[str, str]) -> None:
    """Stores details of the case, and asks once for an examiner where none is known."""
    if not details.get("examiner") and not case.info.get().examiner:
        if sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty():
            question = "Examiner responsible for this report (empty: not given)"
            details["examiner"] = typer.prompt(question, default="", show_default=False, err=True)
        if not details.get("examiner"):
            sys.stderr.write(
                "warning: no examiner is named, which the report says; name one with --examiner\n"
            )
    if details:
        with case.change() as change:
            change.info.set(**details)
