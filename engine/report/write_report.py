"""One report: from a case and a file name to a recorded file."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from engine.case import Case
from engine.core.progress import CancelToken, ProgressCallback, silent
from engine.export.output_files import Output, WrittenFile, check_ending, translated
from engine.report.csv_report import write_csv
from engine.report.json_report import write_json
from engine.report.report_content import ReportContent, report_content

ENDINGS = ("pdf", "html", "json", "csv", "zip")
"""What reports are written as."""


def write_report(
    case: Case,
    target: Path,
    *,
    tagged: bool = False,
    beside_evidence: bool = False,
    cancel: CancelToken | None = None,
    progress: ProgressCallback = silent,
) -> tuple[ReportContent, WrittenFile]:
    """Writes a report and records it.

    Evidence is hashed again; what is missing or has changed is said in the report and recorded, as
    is that no examiner was named.

    Args:
        case: open for writing.
        target: the file; its ending says in which form.
        tagged: whether only what has a tag is included.
        beside_evidence: whether the examiner insists on a place beside evidence.
        cancel: looked at while the work goes on.
        progress: told how far it is.

    Returns:
        What the report says, and the file.

    Raises:
        BadInputError: the file's name or place is not allowed, or it cannot be written.
        ResourceError: the disk is full or the case is not ours any more.
        CancelledError: the user stopped; nothing was written.
    """
    ending, token = check_ending(target, ENDINGS), cancel or CancelToken()
    with Output(case, target, beside_evidence) as output:
        part = output.part(ending)
        content = report_content(case, token, progress, tagged=tagged)
        if ending == "json":
            write_json(part, content)
        elif ending == "csv":
            write_csv(part, content)
        else:
            _write_document(part, ending, case, content, token, progress)
        entry = "report.write", _said(output.target, ending, content)
        (written,) = output.commit(cancel=token, progress=progress, entry=entry)
    return content, written


def preview_report(
    case: Case,
    *,
    tagged: bool = False,
    cancel: CancelToken | None = None,
    progress: ProgressCallback = silent,
) -> list[Path]:
    """Sets the pages of a report as pictures in the case's cache; nothing leaves the case.

    Evidence is hashed as for a report, and a mismatch recorded; a preview before is removed.

    Args:
        case: open for writing.
        tagged: whether only what has a tag is included.
        cancel: looked at while the work goes on.
        progress: told how far it is.

    Returns:
        The pages in order.

    Raises:
        BadInputError: the report cannot be set.
        ResourceError: the disk is full, or the memory did not suffice.
        CancelledError: the user stopped.
    """
    from engine.report.document.illustrations import illustrated
    from engine.report.pdf_report import write_pages

    token = cancel or CancelToken()
    folder = case.cache / "preview"
    shutil.rmtree(folder, ignore_errors=True)
    with translated(folder):
        folder.mkdir()
        content = report_content(case, token, progress, tagged=tagged)
        values = illustrated(case, content, folder, token, progress)
        return write_pages(values, folder, token, progress)


def _write_document(
    part: Path,
    ending: str,
    case: Case,
    content: ReportContent,
    cancel: CancelToken,
    progress: ProgressCallback,
) -> None:
    from engine.report.document.illustrations import illustrated
    from engine.report.report_package import write_package

    # Pictures lie in the case's own cache, which is no evidence's folder and goes with the case.
    with tempfile.TemporaryDirectory(prefix="report-", dir=case.cache) as name:
        folder = Path(name)
        values = illustrated(case, content, folder, cancel, progress)
        if ending == "zip":
            write_package(part, case, content, values, folder, cancel, progress)
        else:
            write_document(part, ending, values, folder, cancel, progress)


def write_document(
    path: Path,
    ending: str,
    values: dict[str, Any],
    folder: Path,
    cancel: CancelToken,
    progress: ProgressCallback,
) -> None:
    """Sets a document as `pdf` or `html`; arguments as in `write_pdf`."""
    from engine.report.html_report import write_html
    from engine.report.pdf_report import write_pdf

    if ending == "pdf":
        write_pdf(path, values, folder, cancel, progress)
    else:
        write_html(path, values, folder)


def _said(target: Path, ending: str, content: ReportContent) -> dict[str, object]:
    events = sum(
        len(one.own_events) + (len(one.current.events) if one.current else 0)
        for one in content.evidence
    )
    return {
        "to": str(target),
        "form": ending,
        "selection": "tagged" if content.tagged else "all",
        "events": events,
        "examiner": content.details.examiner or None,
        "head": content.audit_head,
    }
