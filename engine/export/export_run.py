"""Exports from a run into files, and records them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from engine.case import Case, EvidenceRow, RunRow
from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, ProgressCallback, silent
from engine.export.frame_spans import frame_named, frames_in_span
from engine.export.output_files import Output, WrittenFile, check_ending
from engine.export.run_arrays import write_region_rows, write_score_arrays, write_trajectories
from engine.export.still_marks import StillMark, write_marked
from engine.export.stills_and_clips import open_run, write_clip, write_still
from engine.pipeline.stored_run import StoredRun, stored_run

ENDINGS = ("mp4", "png", "npz", "txt", "json")
"""What exports are written as: clip, still, arrays, regions, trajectories."""


@dataclass(frozen=True)
class ExportRequest:
    """What is to be exported, and where to.

    Attributes:
        target: the file to write.
        start: stream time in seconds; None for the first frame.
        end: stream time in seconds; None for the last frame. A still has none.
        beside_evidence: whether the examiner insists on a folder that holds evidence.
        marks: marks of the examiner; a still is then written a third time with them.
        compared: whether a clip shows each frame without overlay to the left of itself with it.
    """

    target: Path
    start: float | None = None
    end: float | None = None
    beside_evidence: bool = False
    marks: tuple[StillMark, ...] = ()
    compared: bool = False


@dataclass(frozen=True)
class ExportResult:
    """The files that an export wrote, and the frames in them.

    Attributes:
        files: the written files, the target first.
        first_frame: index of the first frame.
        last_frame: index of the last frame, inclusive.
        start_s: stream time of the first frame.
        end_s: stream time of the last frame.
    """

    files: tuple[WrittenFile, ...]
    first_frame: int
    last_frame: int
    start_s: float
    end_s: float


def export_run(
    case: Case,
    evidence: EvidenceRow,
    run: RunRow,
    request: ExportRequest,
    cancel: CancelToken | None = None,
    progress: ProgressCallback = silent,
) -> ExportResult:
    """Exports from a run and records what was written.

    Args:
        case: open for writing.
        evidence: the evidence of the run.
        run: a finished run.
        request: what is to be exported, and where to.
        cancel: is checked between steps.
        progress: is called with the progress of the work.

    Raises:
        BadInputError: file name, folder or span is not allowed; the evidence is needed and is
            missing or has changed, which is recorded.
        ResourceError: the disk is full, or another process took over the case.
        CancelledError: the user stopped; nothing was written.
    """
    ending, token = check_ending(request.target, ENDINGS), cancel or CancelToken()
    stored = stored_run(case, run)
    first, last = _span(stored, request, ending)
    with Output(case, request.target, request.beside_evidence) as output:
        if ending in ("png", "mp4"):
            with open_run(case, evidence, stored, token, progress) as opened:
                if ending == "png":
                    target = output.target
                    plain = output.part("png")
                    overlay = output.part("png-overlay", f"{target.stem}-overlay{target.suffix}")
                    frame = write_still(plain, overlay, opened, first, token, progress)
                    if request.marks:
                        marked = output.part("png-marked", f"{target.stem}-marked{target.suffix}")
                        write_marked(marked, frame, request.marks, token, progress)
                else:
                    span = first, last
                    write_clip(output.part("mp4"), opened, span, request.compared, token, progress)
        else:
            _write_results(
                output.part(ending), case, stored, (first, last), ending, token, progress
            )
        files = output.commit(run.id, token, progress, _marks_entry(request, first))
    seconds = stored.index.seconds
    return ExportResult(tuple(files), first, last, seconds(first), seconds(last))


def _marks_entry(request: ExportRequest, frame: int) -> tuple[str, dict[str, object]] | None:
    """Returns the audit entry about marks drawn over a frame; None when there are none."""
    if not request.marks:
        return None
    return "still.mark", {"frame": frame, "marks": [asdict(mark) for mark in request.marks]}


def _span(stored: StoredRun, request: ExportRequest, ending: str) -> tuple[int, int]:
    if ending != "png":
        return frames_in_span(stored.index, request.start, request.end)
    if request.end is not None:
        raise BadInputError("a still has no end", request.target, "leave --end out")
    return (frame_named(stored.index, request.start or 0.0),) * 2


def _write_results(
    path: Path,
    case: Case,
    stored: StoredRun,
    span: tuple[int, int],
    ending: str,
    cancel: CancelToken,
    progress: ProgressCallback,
) -> None:
    if ending == "npz":
        write_score_arrays(path, case, stored, span, cancel, progress)
    elif ending == "txt":
        write_region_rows(path, case, stored, span)
    else:
        write_trajectories(path, case, stored, span)
