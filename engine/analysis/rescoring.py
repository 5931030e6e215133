"""Scores and heatmaps of a finished run, derived again from what the case holds.

Neither heatmaps nor frame times of skipped frames are read from the evidence: chunks, calibration
and the stored index are enough, so that results can be exported when the original is missing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from engine.analysis.deriving import score_blocks
from engine.analysis.expanding import expand_heat, expand_scores
from engine.analysis.plan import AnalysisPlan, frame_seconds, make_plan
from engine.analysis.recipe import Recipe, recipe_of
from engine.cases import Case, RunRow, StreamRow
from engine.core.arrays import unpack_arrays
from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, Progress, Report, silent
from engine.core.settings import AnalysisSettings
from engine.core.stream import FrameIndex, StreamInfo
from engine.motion.maps import MotionMaps
from engine.scene.calibration import Calibration
from engine.scene.channel import ScoredFrames

_CHANNEL = "scene"
_TOLERANCE = 1e-3
"""By how much scores may differ on another machine (`contracts.md`, Repeatability)."""


@dataclass(frozen=True, eq=False)
class StoredRun:
    """A finished run as the case holds it, without its evidence.

    Attributes:
        run: its row.
        index: of its stream.
        plan: what was analysed.
        settings: of the analysis.
        seconds: float64 [n], stream time of every frame.
    """

    run: RunRow
    index: FrameIndex
    plan: AnalysisPlan
    settings: AnalysisSettings
    seconds: NDArray[np.float64]

    @property
    def analysed(self) -> NDArray[np.bool_]:
        """Whether each frame was analysed, bool [n]; the others are interpolated."""
        flags = np.zeros(len(self.index), np.bool_)
        flags[self.plan.frames] = True
        return flags


def stored_run(case: Case, run: RunRow) -> StoredRun:
    """Rebuilds the plan of a finished run from the case alone.

    Raises:
        BadInputError: the case does not hold the stream's times, or the chunks do not fit them.
    """
    streams = [
        one for one in case.evidence.streams(run.evidence_id) if one.stream.number == run.stream
    ]
    if not streams:
        raise BadInputError(
            f"the case holds no frame times of stream {run.stream}",
            case.evidence.get(run.evidence_id).name,
            "analyse that stream in a case of its own",
        )
    info, index = _stream(streams[0])
    settings = Recipe.from_json(json.loads(run.settings)).settings
    plan = make_plan(info, index, settings)
    _check_chunks(case, run, plan)
    return StoredRun(run, index, plan, settings, frame_seconds(index))


def _stream(row: StreamRow) -> tuple[StreamInfo, FrameIndex]:
    stream = row.stream
    arrays = unpack_arrays(stream.pts or b"")
    time_base = Fraction(stream.time_base_num, stream.time_base_den)
    pts = arrays["pts"].astype(np.int64, copy=False)
    last = round(Fraction(stream.duration_s) / time_base) - int(pts[-1] - pts[0])
    index = FrameIndex(
        pts=pts,
        keyframe=arrays["keyframe"],
        duration=np.append(np.diff(pts), max(0, last)),
        time_base=time_base,
    )
    info = StreamInfo(
        number=stream.number,
        container="",
        codec=stream.codec,
        width=stream.width,
        height=stream.height,
        time_base=time_base,
        average_rate=None,
    )
    return info, index


def _check_chunks(case: Case, run: RunRow, plan: AnalysisPlan) -> None:
    spans = case.chunks.spans(run.id, _CHANNEL)
    fits = len(spans) == plan.chunks
    for span in spans if fits else ():
        start, stop = plan.span(span.seq)
        ends = int(plan.frames[start]), int(plan.frames[stop - 1])
        fits = fits and (span.first_frame, span.last_frame) == ends
    if not fits:
        raise BadInputError(
            "the stored maps do not fit this version's plan",
            f"run {run.id}",
            "analyse the evidence again",
        )


def every_score(case: Case, stored: StoredRun) -> NDArray[np.float32]:
    """Returns the stored score of every frame, float32 [n], skipped ones interpolated."""
    scores = case.results.scores(stored.run.id, _CHANNEL)
    return expand_scores(scores, stored.plan.seconds, stored.seconds)


def scored_chunks(
    case: Case,
    stored: StoredRun,
    last_frame: int | None = None,
    cancel: CancelToken | None = None,
    report: Report = silent,
) -> Iterator[tuple[int, ScoredFrames]]:
    """Scores the chunks of a run again, with the calibration its results rest on.

    Starts at the first chunk, because how long someone stays and what was left looks back
    without a limit; that costs less than a millisecond a frame.

    Args:
        case: holds the run.
        stored: the run.
        last_frame: the last frame that is needed; None for all.
        cancel: looked at between chunks.
        report: told the frames done.

    Yields:
        The position of a chunk's first analysed frame, and its scored frames.

    Raises:
        BadInputError: the calibration is missing, or the scores are not those of the run.
        CancelledError: the user stopped.
    """
    token, plan, run_id = cancel or CancelToken(), stored.plan, stored.run.id
    stop = len(plan) if last_frame is None else _after(plan, last_frame)
    known = case.results.scores(run_id, _CHANNEL)
    at = 0
    blocks = stored_blocks(case, stored, recipe_of(stored.run, case.results.current(run_id)))
    for scored in score_blocks(blocks, _calibration(case, stored.run), plan, stored.settings):
        token.check()
        _check_scores(scored, known[at : at + len(scored)], stored.run)
        yield at, scored
        at += len(scored)
        report(Progress("deriving", min(at, stop), stop))
        if at >= stop:
            return


def every_heat(
    case: Case,
    stored: StoredRun,
    first: int = 0,
    last: int | None = None,
    cancel: CancelToken | None = None,
    report: Report = silent,
) -> Iterator[NDArray[np.float32]]:
    """Yields the heatmap of every frame of a span, skipped frames interpolated.

    Args:
        case: holds the run.
        stored: the run.
        first: first frame.
        last: last frame, inclusive; None for the stream's last.
        cancel: looked at between chunks.
        report: told the frames done.

    Yields:
        float32 [R, C], 0..1.

    Raises:
        BadInputError: the heatmaps cannot be derived again.
        CancelledError: the user stopped.
    """
    plan, end = stored.plan, len(stored.index) - 1 if last is None else last
    before: NDArray[np.float32] | None = None
    done = first
    for at, scored in scored_chunks(case, stored, end, cancel, report):
        stop = at + len(scored)
        final = stop == len(plan)
        reach = min(end, len(stored.index) - 1 if final else int(plan.frames[stop - 1]))
        if reach >= done:
            low = at if before is None else at - 1
            heat = scored.heat if before is None else np.concatenate([before, scored.heat])
            wanted = stored.seconds[done : reach + 1]
            yield from expand_heat(heat, plan.seconds[low:stop], wanted)
            done = reach + 1
        before = scored.heat[-1:]


def _after(plan: AnalysisPlan, last_frame: int) -> int:
    """Returns how many analysed frames are needed to interpolate up to a frame."""
    return min(len(plan), int(np.searchsorted(plan.frames, last_frame)) + 1)


def stored_blocks(
    case: Case, stored: StoredRun, recipe: Recipe
) -> Iterator[tuple[MotionMaps, NDArray[np.float64]]]:
    """Yields the stored maps of a run in order, empty where the recipe says nothing counts.

    Raises:
        BadInputError: a chunk does not hold what the plan says.
    """
    yield from recipe.parts.applied(_blocks(case, stored), stored.plan.grid)


def _blocks(case: Case, stored: StoredRun) -> Iterator[tuple[MotionMaps, NDArray[np.float64]]]:
    for chunk in case.chunks.stream(stored.run.id, _CHANNEL):
        start, stop = stored.plan.span(chunk.span.seq)
        maps = MotionMaps.decode(chunk.raw)
        if len(maps) != stop - start:
            raise BadInputError(
                f"chunk {chunk.span.seq} holds {len(maps)} frames instead of {stop - start}",
                case.path,
                "verify the case; a recovery copy may help",
            )
        yield maps, stored.plan.seconds[start:stop]


def _calibration(case: Case, run: RunRow) -> Calibration:
    derivation = case.results.current(run.id)
    for number in derivation.calibrations if derivation else ():
        row = case.calibrations.get(number)
        if row.calibration.channel == _CHANNEL:
            return Calibration.decode(row.calibration.body)
    raise BadInputError(
        "the run has no results to derive again", f"run {run.id}", "analyse the evidence again"
    )


def _check_scores(scored: ScoredFrames, known: NDArray[np.float32], run: RunRow) -> None:
    """A heatmap that belongs to other scores than those on record must not be shown for them."""
    same = len(known) == len(scored) and np.allclose(scored.scores, known, rtol=0, atol=_TOLERANCE)
    if not same:
        raise BadInputError(
            f"this version derives other scores than run {run.id} has (version {run.version})",
            "",
            "analyse the evidence again, or use that version",
        )
