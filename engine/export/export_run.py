"""One export: from a run and a file name to recorded files."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from engine.case import Case, EvidenceRow, RunRow
from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, ProgressCallback, silent
from engine.export.frame_spans import frame_named, frames_in_span
from engine.export.output_files import Output, WrittenFile, check_ending
from engine.export.run_arrays import write_region_rows, write_score_arrays, write_trajectories
from engine.export.still_marks import Mark, write_marked
from engine.export.stills_and_clips import open_run, write_clip, write_still
from engine.pipeline.stored_run import StoredRun, stored_run

ENDINGS = ("mp4", "png", "npz", "txt", "json")
"""What exports are written as: clip, still, arrays, regions, trajectories."""


@dataclass(frozen=True)
class Export:
    """What is to be exported.

    Attributes:
        target: the file.
        start: seconds of stream time; None for the first frame.
        end: seconds of stream time; None for the last frame. A still has none.
        beside_evidence: whether the examiner insists on a place beside evidence.
        marks: of the examiner over a still, which is then written a third time with them.
        compared: whether each frame of a clip stands as it is beside itself with overlay.
    """

    target: Path
    start: float | None = None
    end: float | None = None
    beside_evidence: bool = False
    marks: tuple[Mark, ...] = ()
    compared: bool = False


@dataclass(frozen=True)
class Exported:
    """What was exported.

    Attributes:
        files: as written; the target first.
        first_frame: index of the first frame shown.
        last_frame: index of the last one, inclusive.
        start_s: stream time of the first one.
        end_s: stream time of the last one.
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
    wanted: Export,
    cancel: CancelToken | None = None,
    progress: ProgressCallback = silent,
) -> Exported:
    """Exports from a run and records what was written.

    Args:
        case: open for writing.
        evidence: the run's.
        run: finished.
        wanted: what and where.
        cancel: looked at between steps.
        progress: told how far the work is.

    Raises:
        BadInputError: file name, place or span is not allowed; the evidence is missing or has
            changed (recorded) where it is needed.
        ResourceError: the disk is full or the case is not ours any more.
        CancelledError: the user stopped; nothing was written.
    """
    ending, token = check_ending(wanted.target, ENDINGS), cancel or CancelToken()
    stored = stored_run(case, run)
    first, last = _span(stored, wanted, ending)
    with Output(case, wanted.target, wanted.beside_evidence) as output:
        if ending in ("png", "mp4"):
            with open_run(case, evidence, stored, token, progress) as opened:
                if ending == "png":
                    target = output.target
                    plain = output.part("png")
                    overlay = output.part("png-overlay", f"{target.stem}-overlay{target.suffix}")
                    frame = write_still(plain, overlay, opened, first, token, progress)
                    if wanted.marks:
                        marked = output.part("png-marked", f"{target.stem}-marked{target.suffix}")
                        write_marked(marked, frame, wanted.marks, token, progress)
                else:
                    span = first, last
                    write_clip(output.part("mp4"), opened, span, wanted.compared, token, progress)
        else:
            _write_results(
                output.part(ending), case, stored, (first, last), ending, token, progress
            )
        files = output.commit(run.id, token, progress, _marks_entry(wanted, first))
    seconds = stored.index.seconds
    return Exported(tuple(files), first, last, seconds(first), seconds(last))


def _marks_entry(wanted: Export, frame: int) -> tuple[str, dict[str, object]] | None:
    """Says in the log what was drawn over a frame; None when nothing was."""
    if not wanted.marks:
        return None
    return "still.mark", {"frame": frame, "marks": [asdict(one) for one in wanted.marks]}


def _span(stored: StoredRun, wanted: Export, ending: str) -> tuple[int, int]:
    if ending != "png":
        return frames_in_span(stored.index, wanted.start, wanted.end)
    if wanted.end is not None:
        raise BadInputError("a still has no end", wanted.target, "leave --end out")
    return (frame_named(stored.index, wanted.start or 0.0),) * 2


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
