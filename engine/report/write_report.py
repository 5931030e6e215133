"""Writes a report of a case into a file, and records it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from engine.case import Case
from engine.core.files import translated_write_errors
from engine.core.progress import CancelToken, ProgressCallback, silent
from engine.export.output_files import Output, WrittenFile, check_ending
from engine.report.csv_report import write_csv
from engine.report.json_report import write_json
from engine.report.report_content import ReportContent, report_content

ENDINGS = ("pdf", "html", "json", "csv", "zip")
"""The forms of reports, as endings of files."""


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

    Evidence is hashed again; the report says, and the audit log records, which is missing or has
    changed, and whether no examiner was named.

    Args:
        case: open for writing.
        target: the file; its ending gives the form.
        tagged: whether only what has a tag is included.
        beside_evidence: whether the examiner insists on a folder that holds evidence.
        cancel: is checked throughout the work.
        progress: is called with the progress of the work.

    Returns:
        The content of the report, and the file.

    Raises:
        BadInputError: the path is not allowed, or cannot be written.
        ResourceError: the disk is full, or another process took over the case.
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
        entry = "report.write", _audit_params(output.target, ending, content)
        (written,) = output.commit(cancel=token, progress=progress, entry=entry)
    return content, written


def preview_report(
    case: Case,
    *,
    tagged: bool = False,
    cancel: CancelToken | None = None,
    progress: ProgressCallback = silent,
) -> list[Path]:
    """Writes the pages of a report as images into the cache of the case, not out of it.

    Evidence is hashed as for a report, and a mismatch is recorded; an earlier preview is removed.

    Args:
        case: open for writing.
        tagged: whether only what has a tag is included.
        cancel: is checked throughout the work.
        progress: is called with the progress of the work.

    Returns:
        The paths of the pages in order.

    Raises:
        BadInputError: Typst refuses the document.
        ResourceError: the disk is full, or the memory did not suffice.
        CancelledError: the user stopped.
    """
    from engine.report.document.illustrations import illustrate_report
    from engine.report.pdf_report import write_pages

    token = cancel or CancelToken()
    folder = case.cache_folder / "preview"
    shutil.rmtree(folder, ignore_errors=True)
    with translated_write_errors(folder):
        folder.mkdir()
        content = report_content(case, token, progress, tagged=tagged)
        values = illustrate_report(case, content, folder, token, progress)
        return write_pages(values, folder, token, progress)


def _write_document(
    part: Path,
    ending: str,
    case: Case,
    content: ReportContent,
    cancel: CancelToken,
    progress: ProgressCallback,
) -> None:
    from engine.report.document.illustrations import illustrate_report
    from engine.report.report_package import write_package

    # Stills go into the cache of the case, which holds no evidence and is removed with the case.
    with tempfile.TemporaryDirectory(prefix="report-", dir=case.cache_folder) as name:
        folder = Path(name)
        values = illustrate_report(case, content, folder, cancel, progress)
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
    """Writes a document as `pdf` or `html`; arguments as in `write_pdf`."""
    from engine.report.html_report import write_html
    from engine.report.pdf_report import write_pdf

    if ending == "pdf":
        write_pdf(path, values, folder, cancel, progress)
    else:
        write_html(path, values, folder)


def _audit_params(target: Path, ending: str, content: ReportContent) -> dict[str, object]:
    return {
        "to": str(target),
        "form": ending,
        "selection": "tagged" if content.tagged else "all",
        "events": sum(len(evidence.events) for evidence in content.evidence),
        "examiner": content.case_info.examiner or None,
        "head": content.audit_head,
    }
