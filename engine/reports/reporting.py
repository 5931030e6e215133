"""One report: from a case and a file name to a recorded file."""

from __future__ import annotations

from pathlib import Path

from engine.cases import Case
from engine.core.progress import CancelToken, Report, silent
from engine.reports.content import ReportContent, report_content
from engine.reports.csv_report import write_csv
from engine.reports.json_report import write_json
from engine.reports.output import Output, WrittenFile, check_ending

ENDINGS = ("json", "csv")
"""What this version writes reports as."""


def write_report(
    case: Case,
    target: Path,
    *,
    beside_evidence: bool = False,
    cancel: CancelToken | None = None,
    report: Report = silent,
) -> tuple[ReportContent, WrittenFile]:
    """Writes a report and records it.

    Evidence is hashed again; what is missing or has changed is said in the report and recorded.

    Args:
        case: open for writing.
        target: the file; its ending says in which form.
        beside_evidence: whether the examiner insists on a place beside evidence.
        cancel: looked at while hashing.
        report: told how far hashing is.

    Returns:
        What the report says, and the file.

    Raises:
        BadInputError: the file's name or place is not allowed, or it cannot be written.
        ResourceError: the disk is full or the case is not ours any more.
        CancelledError: the user stopped; nothing was written.
    """
    ending = check_ending(target, ENDINGS)
    with Output(case, target, beside_evidence) as output:
        content = report_content(case, cancel, report)
        write = write_json if ending == "json" else write_csv
        write(output.part(ending), content)
        (written,) = output.commit(cancel=cancel, report=report)
    return content, written
