"""Writes a report as one `.zip`: all that the other side needs to check and repeat it (R12)."""

from __future__ import annotations

import hashlib
import json
import shlex
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.case import Case
from engine.core.errors import SightlineError
from engine.core.progress import CancelToken, Progress, ProgressCallback
from engine.core.times import format_time
from engine.export.output_files import read_blocks
from engine.export.printable_text import one_line
from engine.export.run_arrays import write_region_rows, write_trajectories
from engine.pipeline.stored_run import stored_run
from engine.report.csv_report import write_csv
from engine.report.html_report import write_html
from engine.report.json_report import json_text, write_json
from engine.report.pdf_report import write_pdf
from engine.report.report_content import ReportContent, RunContent

MANIFEST = "manifest.json"


def write_package(
    path: Path,
    case: Case,
    content: ReportContent,
    values: dict[str, Any],
    folder: Path,
    cancel: CancelToken,
    progress: ProgressCallback,
) -> None:
    """Writes the report in every form, with the audit log, hashes, settings and results.

    Args:
        path: the file to write.
        case: the open case.
        content: the content of the report.
        values: its document.
        folder: a working folder; its folder `pictures` holds the images of the document.
        cancel: is checked between files.
        progress: is called with the progress of the work.

    Raises:
        BadInputError: Typst refuses the document.
        ResourceError: the memory did not suffice.
        CancelledError: the user stopped.
        OSError: a file cannot be written.
    """
    package = folder / "package"
    (package / "runs").mkdir(parents=True)
    write_pdf(package / "report.pdf", values, folder, cancel, progress)
    write_html(package / "report.html", values, folder)
    write_json(package / "report.json", content)
    write_csv(package / "events.csv", content)
    _write_log(package / "audit.jsonl", case)
    _write(package / "evidence.sha256", _hashes(content))
    _write(package / "READ ME FIRST.txt", _guide(content))
    for run in content.current_runs:
        _write_run(package / "runs", case, run)
    (folder / "pictures").rename(package / "pictures")
    _pack(path, package, content, cancel, progress)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")


def _write_log(path: Path, case: Case) -> None:
    with path.open("w", encoding="ascii", newline="\n") as file:
        for entry in case.audit.entries():
            file.write(json.dumps(entry.__dict__, sort_keys=True) + "\n")


def _hashes(content: ReportContent) -> str:
    """Returns the recorded hashes of the evidence in the form that `sha256sum --check` reads."""
    rows = [evidence.state.row for evidence in content.evidence]
    return "".join(f"{row.sha256}  {one_line(row.name)}\n" for row in rows)


def _write_run(folder: Path, case: Case, run: RunContent) -> None:
    """Writes the recipe of a run, and the results that a rerun repeats byte for byte."""
    row = run.row
    recipe = {
        "run_id": row.id,
        "evidence_sha256": row.evidence_sha256,
        "stream": row.stream,
        "settings": json.loads(row.settings),
        "settings_sha256": row.settings_sha256,
        "calibrations": list(run.calibrations),
        "sightline": row.version,
        "environment": json.loads(row.environment),
        "warnings": [warning.__dict__ for warning in row.warnings],
        "channels": run.channels,
    }
    _write(folder / f"run-{row.id}.json", json_text(recipe) + "\n")
    if "text" in recipe["settings"]:
        # JSON is YAML, which is what `--prompts` reads.
        prompts = json_text(recipe["settings"]["text"]["prompts"])
        _write(folder / f"run-{row.id}-prompts.yaml", prompts + "\n")
    try:
        stored = stored_run(case, row)
    except SightlineError as error:
        _write(folder / f"run-{row.id}-no-results.txt", error.line() + "\n")
        return
    whole = 0, len(stored.index) - 1
    write_trajectories(folder / f"run-{row.id}-trajectories.json", case, stored, whole)
    write_region_rows(folder / f"run-{row.id}-regions.txt", case, stored, whole)


def _guide(content: ReportContent) -> str:
    lines = [
        "What is in this package",
        "",
        "report.pdf, report.html   the report; both say the same",
        "report.json               everything the report rests on, for programs",
        "events.csv                one row an event",
        "audit.jsonl               the history of the case, one entry a line",
        "evidence.sha256           hashes of the evidence; sha256sum --check reads it",
        "runs/                     recipe of each analysis, and its results",
        "pictures/                 the pictures of the report",
        "manifest.json             size and SHA-256 of every other file",
        "",
        f"Head of the audit log: {content.audit_head} ({content.audit_entries} entries)",
        "",
        "How to repeat it",
        "",
        f"1. Install Sightline {content.version}.",
        "2. Compare the evidence with evidence.sha256.",
        "3. Analyse each piece again; its hash is compared once more:",
        "",
        *(f"   {command}" for command in _commands(content)),
        "",
        "4. Export what was found and compare it with the files in runs/. On the same machine with",
        "   the same number of threads they are equal byte for byte; elsewhere scores agree within",
        "   0.001 and the events are the same:",
        "",
        "   main.py export --case repeat.case --evidence 1 --to trajectories.json",
        "   main.py export --case repeat.case --evidence 1 --to regions.txt",
        "",
        "Limits",
        "",
        *(f"- {text}" for text in content.limits),
    ]
    return "\n".join(lines) + "\n"


def _commands(content: ReportContent) -> list[str]:
    commands = []
    for evidence in content.evidence:
        if evidence.current is None:
            continue
        run = evidence.current.row
        settings: Mapping[str, Any] = json.loads(run.settings)
        words = ["main.py", "analyze", one_line(evidence.state.row.name), "--case", "repeat.case"]
        words += ["--stream", str(run.stream)] if run.stream else []
        words += ["--stride", str(settings["stride"])] if settings["stride"] != 1 else []
        if "text" in settings:
            prompts = f"runs/run-{run.id}-prompts.yaml"
            words += ["--channels", ",".join(settings["channels"]), "--prompts", prompts]
            words += ["--pack", one_line(settings["text"]["pack"])]
        words += ["--fps", str(settings["fps"])] if settings["fps"] else []
        for normal in settings["normal"]:
            words += ["--normal", one_line(str(normal["path"]))]
        for start, end in settings["normal_spans"]:
            words += ["--normal-span", f"{format_time(start)}..{format_time(end)}"]
        commands.append(shlex.join(words))
    return commands or ["nothing was analysed"]


def _pack(
    path: Path,
    folder: Path,
    content: ReportContent,
    cancel: CancelToken,
    progress: ProgressCallback,
) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    records = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for done, file in enumerate(files, 1):
            cancel.check()
            name = file.relative_to(folder).as_posix()
            digest = hashlib.sha256()
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(info, "w") as target, file.open("rb") as source:
                for block in read_blocks(source):
                    digest.update(block)
                    target.write(block)
            size = file.stat().st_size
            records.append({"path": name, "size": size, "sha256": digest.hexdigest()})
            progress(Progress("packing", done, len(files), unit="files"))
        manifest = {
            "format": "sightline report",
            "v": 1,
            "sightline": content.version,
            "made_utc": content.made_utc,
            "audit": {"entries": content.audit_entries, "head": content.audit_head},
            "files": records,
        }
        archive.writestr(
            zipfile.ZipInfo(MANIFEST, (1980, 1, 1, 0, 0, 0)), json.dumps(manifest, indent=1) + "\n"
        )
