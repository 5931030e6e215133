"""`export`: stills, clips with overlay, arrays, regions and trajectories of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.output import Json, cancellable, print_json, print_line, shown_progress
from engine.core.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.export.output_files import WrittenFile


def command(
    case: Annotated[Path, typer.Option("--case", metavar="DIR", help="The case folder.")],
    evidence: Annotated[int, typer.Option("--evidence", metavar="N", help="Which evidence.")],
    to: Annotated[
        Path, typer.Option("--to", metavar="FILE", help="Its ending says what is written.")
    ],
    run: Annotated[
        int | None, typer.Option("--run", metavar="N", help="This run, not the current one.")
    ] = None,
    start: Annotated[
        str | None, typer.Option("--start", metavar="T", help="First frame; 12.4 or 00:00:12.400.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--end", metavar="T", help="Last frame, included.")
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Clip: each frame as it is, left of the drawn one.")
    ] = False,
    beside_evidence: Annotated[
        bool, typer.Option("--beside-evidence", help="Insist on a file beside the evidence.")
    ] = False,
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
    from engine.case import Case
    from engine.export.export_run import ENDINGS, Export, export_run
    from engine.export.output_files import check_ending

    check_ending(to, ENDINGS)
    wanted = Export(
        to,
        None if start is None else parse_time(start),
        None if end is None else parse_time(end),
        beside_evidence,
        compared=compare,
    )
    with (
        cancellable() as cancel,
        shown_progress() as progress,
        Case.open(case.absolute(), write=True) as opened,
    ):
        piece = opened.evidence.get(evidence)
        chosen = opened.runs.chosen(piece, run)
        exported = export_run(opened, piece, chosen, wanted, cancel, progress)
        result = {
            "case": str(opened.path),
            "evidence_id": piece.id,
            "run_id": chosen.id,
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
        {"path": str(one.path), "kind": one.kind, "sha256": one.sha256, "size": one.size}
        for one in files
    ]


def print_files(files: Sequence[WrittenFile]) -> None:
    """Prints written files, a line each with size and hash."""
    for one in files:
        print_line(f"{one.path}: {one.size:,} bytes, SHA-256 {one.sha256}")
