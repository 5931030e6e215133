"""Similarity search: finds moments in all videos of a case, from kept features, and ranks them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.case import Case
from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, Progress, ProgressCallback, silent
from engine.detectors.text.feature_store import ChunkFeatures
from engine.detectors.text.text_detector import TextDetector, open_text
from engine.detectors.text.text_model import TextModel
from engine.few_shot.colour_likeness import rank_by_colour, rank_key
from engine.few_shot.direction_learning import FeatureDirection, direction_between
from engine.few_shot.feature_reader import RunFeatures, evenly_spaced, open_features, text_recipe_of
from engine.few_shot.marked_cells import MotionReader, locate_mark
from engine.few_shot.marks import Mark
from engine.few_shot.moments import Moment, MomentFinder
from engine.packs.prompt_sets import parse_prompts

_MAX_EVENT_MARKS = 12  # Frames of an event from which its target is learned; bounds the time.
# Slices and cells that stand for everything but the target; they bound time and memory.
_MAX_SLICES, _MAX_CELLS = 24, 20_000
MAX_MOMENTS = 50
"""Moments in a result: as many as an examiner can look through (docs/teaching.md)."""


@dataclass(frozen=True, eq=False)
class SimilaritySearchResult:
    """The moments that a similarity search found.

    Attributes:
        moments: most alike first.
        left_out: the evidence that could not be searched, with the reason.
    """

    moments: tuple[Moment, ...]
    left_out: tuple[tuple[int, str], ...]

    def as_json(self) -> dict[str, Any]:
        """Returns JSON values, as `find --json` prints them."""
        return {
            "moments": [
                {"rank": rank, **moment.as_json()} for rank, moment in enumerate(self.moments, 1)
            ],
            "left_out": [{"evidence_id": number, "why": why} for number, why in self.left_out],
        }


@dataclass(frozen=True, eq=False)
class _TargetCells:
    """The cells of the searched target.

    Attributes:
        evidence_id: the evidence.
        slices: number of a slice and the cells in it, bool [R, C]; one for each mark.
    """

    evidence_id: int
    slices: tuple[tuple[int, NDArray[np.bool_]], ...]


LikenessMap = Callable[[RunFeatures, NDArray[np.uint8]], NDArray[np.float32]]
"""A function that returns the likeness of each cell of a slice, float32 [R, C]."""


def find_similar(
    case: Case,
    event_id: int | None = None,
    marks: Sequence[Mark] = (),
    cancel: CancelToken | None = None,
    progress: ProgressCallback = silent,
) -> SimilaritySearchResult:
    """Finds moments that look like the target of an event, or like a marked target.

    The moments that are most alike by their features are then ranked by their colours as well.

    Args:
        case: the case that holds the runs.
        event_id: the event; None takes the marks.
        marks: marks of one target, in one piece of evidence.
        cancel: is checked between chunks.
        progress: is called with the number of chunks searched.

    Raises:
        BadInputError: there is no such event, no target in it, a mark lies on nothing, or nothing
            in the case was analysed with the text channel.
        ResourceError: the pack or its base weights are missing.
        CancelledError: the user stopped.
    """
    token = cancel or CancelToken()
    detector = _open_detector(case, None)
    features, left_out = _open_all_features(case, detector, token, progress)
    if event_id is not None:
        target = _cells_of_event(case, features, event_id)
    else:
        target = _cells_of_marks(case, features, marks)
    direction = _learn_target(features, target, detector, token)
    weight, offset = direction.weight[None], np.asarray([direction.offset], np.float32)

    def likeness(run: RunFeatures, slice_bytes: NDArray[np.uint8]) -> NDArray[np.float32]:
        scores = detector.model.direction_scores(slice_bytes, run.grid, weight, offset)
        return np.asarray(scores[0], np.float32)

    moments = _search(detector.model, features, likeness, token, progress, target)
    own = features[target.evidence_id]
    frames = [
        (own, own.frame_at(float(own.seconds[number])), cells) for number, cells in target.slices
    ]
    ranked = rank_by_colour(case, features, frames, moments, token, progress)
    return SimilaritySearchResult(tuple(ranked), left_out)


def find_by_text(
    case: Case, words: str, cancel: CancelToken | None = None, progress: ProgressCallback = silent
) -> SimilaritySearchResult:
    """Finds moments that a description fits; arguments and errors as in `find_similar`."""
    token = cancel or CancelToken()
    detector = _open_detector(case, words)
    calibration = detector.pack_calibration()
    features, left_out = _open_all_features(case, detector, token, progress)

    def likeness(run: RunFeatures, slice_bytes: NDArray[np.uint8]) -> NDArray[np.float32]:
        read = detector.model.read([slice_bytes], run.grid)
        return calibration.score(read.logits[0], read.prompt[0])

    moments = _search(detector.model, features, likeness, token, progress)
    return SimilaritySearchResult(tuple(moments), left_out)


def _open_detector(case: Case, words: str | None) -> TextDetector:
    """Opens the text channel that the case was analysed with; words become its abnormal prompt."""
    base = text_recipe_of(case, (row.id for row in case.evidence.all()))
    if words is not None:
        name = words.strip().casefold()
        normal = [prompt for prompt in base.prompts.normal if prompt.casefold() != name]
        values = {**base.prompts.as_json(), "normal": normal or ["person"], "abnormal": [words]}
        base = base.with_prompts(parse_prompts(values, "the description"))
    detector = open_text(case.cache_folder, base)
    assert detector is not None
    return detector


def _open_all_features(
    case: Case, detector: TextDetector, cancel: CancelToken, progress: ProgressCallback
) -> tuple[dict[int, RunFeatures], tuple[tuple[int, str], ...]]:
    """Returns the kept features by evidence, and the evidence without any with the reason."""
    features: dict[int, RunFeatures] = {}
    left_out = []
    for evidence in case.evidence.all():
        try:
            features[evidence.id] = open_features(case, evidence, detector, cancel, progress)
        except BadInputError as error:
            left_out.append((evidence.id, error.what))
    if not features:
        raise BadInputError(
            "nothing in the case has kept features", case.path, "analyse with --channels scene,text"
        )
    return features, tuple(left_out)


def _cells_of_event(case: Case, features: dict[int, RunFeatures], event_id: int) -> _TargetCells:
    """Returns the cells of the hottest target of an event, in frames spread over the event."""
    row = case.results.event(event_id)
    event = row.event
    if row.run_id is None or not event.trajectories:
        raise BadInputError(
            "an event without a target that was followed", event_id, "mark the target instead"
        )
    evidence_id = case.runs.get(row.run_id).evidence_id
    run = features.get(evidence_id)
    if run is None:
        raise BadInputError(
            "the features of that event are gone", event_id, "analyse the evidence again"
        )
    trajectories = [
        stored.trajectory
        for stored in case.results.trajectories(row.run_id, row.derivation_id)
        if stored.trajectory.number in event.trajectories
    ]
    target = max(trajectories, key=lambda path: float(path.scores.max(initial=0)), default=None)
    if target is None or not len(target.frames):
        raise BadInputError("an event without a target", event_id, "mark the target instead")
    within = (target.frames >= event.first_frame) & (target.frames <= event.last_frame)
    inside = np.flatnonzero(within if within.any() else np.ones_like(within))
    marks = []
    for number in inside[evenly_spaced(len(inside), _MAX_EVENT_MARKS)].tolist():
        x, y, w, h = (float(side) for side in target.boxes[number])
        second = float(run.stored.seconds[int(target.frames[number])])
        marks.append(Mark(evidence_id, second, "target", False, "box", ((x, y), (x + w, y + h))))
    return _cells_of_marks(case, features, marks)


def _cells_of_marks(
    case: Case, features: dict[int, RunFeatures], marks: Sequence[Mark]
) -> _TargetCells:
    if not marks:
        raise BadInputError("nothing to look for", "", "name an event or mark a target")
    evidence_id = marks[0].evidence_id
    if any(mark.evidence_id != evidence_id for mark in marks):
        raise BadInputError("marks of several videos", "", "mark one target in one video")
    if evidence_id not in features:
        case.evidence.get(evidence_id)
        raise BadInputError(
            "that evidence has no kept features",
            evidence_id,
            "analyse it with --channels scene,text",
        )
    motion = MotionReader(case)
    located = [locate_mark(motion, features[evidence_id], mark) for mark in marks]
    return _TargetCells(evidence_id, tuple((mark.slice, mark.cells) for mark in located))


def _learn_target(
    features: dict[int, RunFeatures],
    target: _TargetCells,
    detector: TextDetector,
    cancel: CancelToken,
) -> FeatureDirection:
    """Learns a direction that is 1 at the target and 0 at what is met everywhere."""

    def read(run: RunFeatures, number: int) -> NDArray[np.float32]:
        cancel.check()
        return run.cell_features(detector.model, number)

    own = features[target.evidence_id]
    marks = [read(own, number)[cells] for number, cells in target.slices]
    max_slices = max(2, _MAX_SLICES // len(features))
    parts = []
    for run in features.values():
        for number in evenly_spaced(len(run.seconds), max_slices).tolist():
            cells = read(run, number)
            parts.append(cells.reshape(-1, cells.shape[-1]))
    rest = np.concatenate(parts)
    direction = direction_between(marks, rest[:: -(-len(rest) // _MAX_CELLS)])
    if direction is None:
        raise BadInputError(
            "the target looks like everything else", "", "mark only the target, or another frame"
        )
    return direction


def _search(
    model: TextModel,
    features: dict[int, RunFeatures],
    likeness: LikenessMap,
    cancel: CancelToken,
    progress: ProgressCallback,
    target: _TargetCells | None = None,
) -> list[Moment]:
    """Follows what is alike through all evidence; the searched target itself is listed once."""
    total = sum(run.stored.plan.chunks for run in features.values())
    moments: list[Moment] = []
    done = 0
    for evidence_id, run in features.items():
        own = target is not None and target.evidence_id == evidence_id
        finder = MomentFinder(run, dict(target.slices) if target and own else {})
        for seconds, maps in run.read(model, partial(_likeness_maps, run, likeness), cancel):
            for second, likeness_map in zip(seconds, maps, strict=True):
                finder.add(second, likeness_map)
            done += 1
            progress(Progress("searching", done, total, unit="chunks"))
        moments += finder.finish()
    moments.sort(key=rank_key)
    first = next((moment for moment in moments if moment.itself), None)
    return [moment for moment in moments if not moment.itself or moment is first][:MAX_MOMENTS]


def _likeness_maps(
    run: RunFeatures, likeness: LikenessMap, chunk: ChunkFeatures
) -> tuple[list[float], list[NDArray[np.float32]]]:
    return chunk.seconds.tolist(), [likeness(run, slice_bytes) for slice_bytes in chunk.slices]
