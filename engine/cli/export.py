"""`export`: stills, clips with overlay, arrays, regions and trajectories of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.case_options import (
    BesideEvidenceOption,
    CaseOption,
    OutputOption,
    RunOption,
    open_to_work,
)
from engine.cli.output import Json, print_json, print_line
from engine.core.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.export.output_files import WrittenFile


def command(
    case: CaseOption,
    evidence: Annotated[int, typer.Option("--evidence", metavar="N", help="Which evidence.")],
    to: OutputOption,
    run: RunOption = None,
    start: Annotated[
        str | None, typer.Option("--start", metavar="T", help="First frame; 12.4 or 00:00:12.400.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--end", metavar="T", help="Last frame, included.")
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Clip: each frame as it is, left of the drawn one.")
    ] = False,
    beside_evidence: BesideEvidenceOption = False,
    as_json: Json = False,
) -> None:
    """Exports what a run found; each file is hashed and recorded in the case.

    .mp4  frames with heatmap, boxes, paths, time, frame number and score

    .png  the frame at --start as decoded; with overlay beside it as NAME-overlay.png

    .npz  scores, heatmap, pts, analysed; one entry a frame, skipped frames interpolated

    .txt  regions: frame_id,x_min,y_min,x_max,y_max,score; frames counted from 0

    .json trajectories: boxes x, y, w, h in decoded pixels; where from, where to

    Only .mp4 and .png need the evidence itself, which is hashed first. A file that is there
    already is replaced only when this case wrote it and nobody changed it since.
    """
    from engine.export.export_run import ENDINGS, ExportRequest, export_run
    from engine.export.output_files import check_ending

    check_ending(to, ENDINGS)
    request = ExportRequest(
        to,
        None if start is None else parse_time(start),
        None if end is None else parse_time(end),
        beside_evidence,
        compared=compare,
    )
    with open_to_work(case) as (opened, cancel, progress):
        row = opened.evidence.get(evidence)
        run_row = opened.runs.resolve(row, run)
        exported = export_run(opened, row, run_row, request, cancel, progress)
        result = {
            "case": str(opened.path),
            "evidence_id": row.id,
            "run_id": run_row.id,
            "first_frame": exported.first_frame,
            "last_frame": exported.last_frame,
            "start_s": exported.start_s,
            "end_s": exported.end_s,
            "files": files_json(exported.files),
        }
    if as_json:
        print_json(result)
    else:
        print_files(exported.files)


def files_json(files: Sequence[WrittenFile]) -> list[dict[str, Any]]:
    """Returns written files as JSON values."""
    return [
        {"path": str(file.path), "kind": file.kind, "sha256": file.sha256, "size": file.size}
        for file in files
    ]


def print_files(files: Sequence[WrittenFile]) -> None:
    """Prints written files, a line each with size and hash."""
    for file in files:
        print_line(f"{file.path}: {file.size:,} bytes, SHA-256 {file.sha256}")
