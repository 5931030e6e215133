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

from engine.case import Case, RunRow, StreamRow
from engine.core.arrays import unpack_arrays
from engine.core.channels import SCENE, TEXT, leading_channel
from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, Progress, ProgressCallback, silent
from engine.core.settings import AnalysisSettings
from engine.core.stream import FrameIndex, StreamInfo
from engine.detectors.scene.scene_calibration import SceneCalibration
from engine.detectors.text.text_calibration import TextCalibration
from engine.motion.analysis_plan import AnalysisPlan, frame_seconds, make_plan
from engine.pipeline.channels.raw_maps import Calibrations
from engine.pipeline.channels.scoring import BlockScores, score_blocks
from engine.pipeline.interpolation import expand_heat, expand_scores
from engine.pipeline.recipe import Recipe, recipe_of
from engine.pipeline.stored_maps import stored_maps
from engine.pipeline.variant import variant_weights

_TOLERANCE = 1e-3  # By how much scores of the same run may differ between two machines.


@dataclass(frozen=True, eq=False)
class StoredRun:
    """A finished run as it is stored in a case, without its evidence.

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
    def leading(self) -> str:
        """The channel that regions and events come from."""
        return leading_channel(self.settings.channels)

    @property
    def is_analysed(self) -> NDArray[np.bool_]:
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
        row for row in case.evidence.streams(run.evidence_id) if row.stream.number == run.stream
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
    fits = True
    for channel in case.chunks.channels(run.id) or (SCENE,):
        spans = case.chunks.spans(run.id, channel)
        fits = fits and len(spans) == plan.chunks
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
    scores = case.results.scores(stored.run.id, stored.leading)
    return expand_scores(scores, stored.plan.seconds, stored.seconds)


def scored_chunks(
    case: Case,
    stored: StoredRun,
    last_frame: int | None = None,
    cancel: CancelToken | None = None,
    progress: ProgressCallback = silent,
) -> Iterator[tuple[int, BlockScores]]:
    """Scores the chunks of a run again, with the calibration its results rest on.

    Starts at the first chunk, because loitering and abandoned objects look back without a limit;
    that costs less than a millisecond a frame.

    Args:
        case: holds the run.
        stored: the run.
        last_frame: the last frame that is needed; None for all.
        cancel: looked at between chunks.
        progress: is given the frames done.

    Yields:
        The index of a chunk's first analysed frame, and the scores of its frames.

    Raises:
        BadInputError: the calibration is missing, or the scores are not those of the run.
        CancelledError: the user stopped.
    """
    token, plan, run_id = cancel or CancelToken(), stored.plan, stored.run.id
    stop = len(plan) if last_frame is None else _after(plan, last_frame)
    known = case.results.scores(run_id, stored.leading)
    done = 0
    recipe = recipe_of(stored.run, case.results.current(run_id))
    raw = stored_maps(case, run_id, plan, recipe, token)
    for _, scores in score_blocks(raw, calibrations_of(case, stored.run), plan, stored.settings):
        token.check()
        _check_scores(scores, known[done : done + len(scores)], stored.run)
        yield done, scores
        done += len(scores)
        progress(Progress("deriving", min(done, stop), stop))
        if done >= stop:
            return


def every_heat(
    case: Case,
    stored: StoredRun,
    first: int = 0,
    last: int | None = None,
    cancel: CancelToken | None = None,
    progress: ProgressCallback = silent,
) -> Iterator[NDArray[np.float32]]:
    """Yields the heatmap of every frame of a span, skipped frames interpolated.

    Args:
        case: holds the run.
        stored: the run.
        first: first frame.
        last: last frame, inclusive; None for the stream's last.
        cancel: looked at between chunks.
        progress: is given the frames done.

    Yields:
        float32 [R, C], 0..1.

    Raises:
        BadInputError: the heatmaps cannot be derived again.
        CancelledError: the user stopped.
    """
    plan, end = stored.plan, len(stored.index) - 1 if last is None else last
    before: NDArray[np.float32] | None = None
    done = first
    for start, scores in scored_chunks(case, stored, end, cancel, progress):
        stop = start + len(scores)
        final = stop == len(plan)
        reach = min(end, len(stored.index) - 1 if final else int(plan.frames[stop - 1]))
        if reach >= done:
            low = start if before is None else start - 1
            heat = scores.heat if before is None else np.concatenate([before, scores.heat])
            every = stored.seconds[done : reach + 1]
            yield from expand_heat(heat, plan.seconds[low:stop], every)
            done = reach + 1
        before = scores.heat[-1:]


def _after(plan: AnalysisPlan, last_frame: int) -> int:
    """Returns how many analysed frames are needed to interpolate up to a frame."""
    return min(len(plan), int(np.searchsorted(plan.frames, last_frame)) + 1)


def calibrations_of(case: Case, run: RunRow) -> Calibrations:
    """Returns the calibrations that the current results of a run rest on.

    Raises:
        BadInputError: the run has no results yet.
    """
    derivation = case.results.current(run.id)
    bodies = {}
    for number in derivation.calibrations if derivation else ():
        calibration = case.calibrations.get(number).calibration
        bodies[calibration.channel] = calibration.body
    if SCENE not in bodies:
        raise BadInputError(
            "the run has no results to derive again", f"run {run.id}", "analyse the evidence again"
        )
    text = TextCalibration.decode(bodies[TEXT]) if TEXT in bodies else None
    weights = variant_weights(case, Recipe.from_json(json.loads(run.settings)))
    return Calibrations(SceneCalibration.decode(bodies[SCENE]), text, weights.motion_rules)


def _check_scores(block: BlockScores, known: NDArray[np.float32], run: RunRow) -> None:
    """Refuses heatmaps of other scores than those on record; they must not be shown for them."""
    scores = block.channels[block.leading].scores
    same = len(known) == len(scores) and np.allclose(scores, known, rtol=0, atol=_TOLERANCE)
    if not same:
        raise BadInputError(
            f"this version derives other scores than run {run.id} has (version {run.version})",
            "",
            "analyse the evidence again, or use that version",
        )
