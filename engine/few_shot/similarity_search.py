"""Finds more of the same in all videos of a case, from kept features, ranked by likeness."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.case import Case
from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, Progress, ProgressCallback, silent
from engine.detectors.text.feature_store import KeptFeatures
from engine.detectors.text.text_detector import TextUse, open_text
from engine.detectors.text.text_model import TextModel, text_recipe
from engine.detectors.text.text_recipe import TextRecipe
from engine.few_shot.colour_likeness import ranked_by_colour
from engine.few_shot.direction_learning import discriminant
from engine.few_shot.feature_reader import Footage, open_footage, text_runs
from engine.few_shot.marked_cells import MotionReader, find_place
from engine.few_shot.marks import Mark
from engine.few_shot.moments import Moment, MomentFinder
from engine.packs.prompt_sets import parse_prompts

_PACK = "compact"
_MOST_QUERY = 12
_SLICES, _CELLS = 24, 20_000
MOST_MOMENTS = 50
"""Moments in an answer."""


@dataclass(frozen=True, eq=False)
class Found:
    """What was found.

    Attributes:
        moments: most alike first.
        left_out: evidence that could not be searched, with the reason.
    """

    moments: tuple[Moment, ...]
    left_out: tuple[tuple[int, str], ...]

    def as_json(self) -> dict[str, Any]:
        """Returns JSON values, as `find --json` prints them."""
        return {
            "moments": [
                {"rank": number, **one.as_json()} for number, one in enumerate(self.moments, 1)
            ],
            "left_out": [{"evidence_id": number, "why": why} for number, why in self.left_out],
        }


@dataclass(frozen=True, eq=False)
class _Query:
    """Cells of a target.

    Attributes:
        evidence_id: the evidence.
        cells: of some slices: number of the slice, bool [R, C].
    """

    evidence_id: int
    cells: tuple[tuple[int, NDArray[np.bool_]], ...]


Maps = Callable[[Footage, NDArray[np.uint8]], NDArray[np.float32]]
"""Gives the likeness of each cell of a slice, float32 [R, C]."""


def find_like(
    case: Case,
    event_id: int | None = None,
    marks: Sequence[Mark] = (),
    cancel: CancelToken | None = None,
    progress: ProgressCallback = silent,
) -> Found:
    """Finds what looks and moves like the target of an event, or like marked targets.

    What kept features say is alike is ranked by the colours in the footage as well.

    Args:
        case: holds the runs.
        event_id: the event; None takes the marks.
        marks: of one target, in one piece of evidence.
        cancel: looked at between chunks.
        progress: told how far it is.

    Raises:
        BadInputError: there is no such event, no target in it, a mark lies on nothing, or nothing
            in the case was analysed with the text channel.
        ResourceError: the pack or its base weights are missing.
        CancelledError: the user stopped.
    """
    token = cancel or CancelToken()
    use = _use(case, None)
    footages, left_out = _footages(case, use, token, progress)
    if event_id is not None:
        query = _of_event(case, footages, event_id)
    else:
        query = _of_marks(case, footages, marks)
    weight, offset = _direction(footages, query, use, token)

    def likeness(footage: Footage, kept: NDArray[np.uint8]) -> NDArray[np.float32]:
        answers = use.model.answers(kept, footage.grid, weight[None], offset[None])
        return np.asarray(answers[0], np.float32)

    found = _search(use.model, footages, likeness, token, progress, query)
    own = footages[query.evidence_id]
    asked = [
        (own, own.frame_at(float(own.seconds[number])), cells) for number, cells in query.cells
    ]
    return Found(tuple(ranked_by_colour(case, footages, asked, found, token, progress)), left_out)


def find_words(
    case: Case, words: str, cancel: CancelToken | None = None, progress: ProgressCallback = silent
) -> Found:
    """Finds what a description in words fits; arguments and errors as `find_like`."""
    token = cancel or CancelToken()
    use = _use(case, words)
    known = use.pack_calibration()
    footages, left_out = _footages(case, use, token, progress)

    def likeness(footage: Footage, kept: NDArray[np.uint8]) -> NDArray[np.float32]:
        read = use.model.read([kept], footage.grid)
        return known.score(read.logits[0], read.prompt[0])

    return Found(tuple(_search(use.model, footages, likeness, token, progress)), left_out)


def _use(case: Case, words: str | None) -> TextUse:
    base: TextRecipe | None = None
    for evidence in case.evidence.all():
        for run in text_runs(case, evidence.id):
            base = base or TextRecipe.from_json(json.loads(run.settings)["text"])
    if base is None:
        base = text_recipe(_PACK, None, "auto")
    if words is not None:
        kept = [one for one in base.prompts.normal if one.casefold() != words.strip().casefold()]
        values = {**base.prompts.as_json(), "normal": kept or ["person"], "abnormal": [words]}
        base = base.asking(parse_prompts(values, "the description"))
    use = open_text(case.cache, base)
    assert use is not None
    return use


def _footages(
    case: Case, use: TextUse, cancel: CancelToken, progress: ProgressCallback
) -> tuple[dict[int, Footage], tuple[tuple[int, str], ...]]:
    found: dict[int, Footage] = {}
    left_out = []
    for evidence in case.evidence.all():
        try:
            found[evidence.id] = open_footage(case, evidence, use, cancel, progress)
        except BadInputError as error:
            left_out.append((evidence.id, error.what))
    if not found:
        raise BadInputError(
            "nothing in the case has kept features", case.path, "analyse with --channels scene,text"
        )
    return found, tuple(left_out)


def _of_event(case: Case, footages: dict[int, Footage], event_id: int) -> _Query:
    row = case.results.event(event_id)
    event = row.event
    if row.run_id is None or not event.trajectories:
        raise BadInputError(
            "an event without a target that was followed", event_id, "mark the target instead"
        )
    evidence_id = case.runs.get(row.run_id).evidence_id
    footage = footages.get(evidence_id)
    if footage is None:
        raise BadInputError(
            "the features of that event are gone", event_id, "analyse the evidence again"
        )
    paths = [
        one.trajectory
        for one in case.results.trajectories(row.run_id, row.derivation_id)
        if one.trajectory.number in event.trajectories
    ]
    # The target of an event is the one that is hottest in it.
    path = max(paths, key=lambda one: float(one.scores.max(initial=0)), default=None)
    if path is None or not len(path.frames):
        raise BadInputError("an event without a target", event_id, "mark the target instead")
    within = (path.frames >= event.first_frame) & (path.frames <= event.last_frame)
    chosen = np.flatnonzero(within if within.any() else np.ones_like(within))
    chosen = chosen[np.unique(np.linspace(0, len(chosen) - 1, _MOST_QUERY).round().astype(int))]
    seconds = footage.stored.seconds
    marks = []
    for place in chosen.tolist():
        x, y, w, h = (float(side) for side in path.boxes[place])
        at = float(seconds[int(path.frames[place])])
        marks.append(Mark(evidence_id, at, "target", False, "box", ((x, y), (x + w, y + h))))
    return _of_marks(case, footages, marks)


def _of_marks(case: Case, footages: dict[int, Footage], marks: Sequence[Mark]) -> _Query:
    if not marks:
        raise BadInputError("nothing to look for", "", "name an event or mark a target")
    evidence_id = marks[0].evidence_id
    if any(mark.evidence_id != evidence_id for mark in marks):
        raise BadInputError("marks of several videos", "", "mark one target in one video")
    if evidence_id not in footages:
        case.evidence.get(evidence_id)
        raise BadInputError(
            "that evidence has no kept features",
            evidence_id,
            "analyse it with --channels scene,text",
        )
    motion = MotionReader(case)
    places = [find_place(motion, footages[evidence_id], mark) for mark in marks]
    return _Query(evidence_id, tuple((place.slice, place.cells) for place in places))


def _direction(
    footages: dict[int, Footage], query: _Query, use: TextUse, cancel: CancelToken
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Learns a direction that is 1 at the target and 0 at what is met everywhere."""

    def traits(footage: Footage, number: int) -> NDArray[np.float32]:
        cancel.check()
        found = use.model.traits(footage.slice(number), footage.grid)
        return np.ascontiguousarray(found.transpose(1, 2, 0))

    own = footages[query.evidence_id]
    marks = [traits(own, number)[cells] for number, cells in query.cells]
    most = max(2, _SLICES // len(footages))
    parts = []
    for footage in footages.values():
        spread = np.linspace(0, len(footage.seconds) - 1, min(most, len(footage.seconds)))
        for number in np.unique(spread.round().astype(int)).tolist():
            cells = traits(footage, number)
            parts.append(cells.reshape(-1, cells.shape[-1]))
    rest = np.concatenate(parts)
    rest = rest[:: -(-len(rest) // _CELLS)]
    weight = discriminant(marks, rest)
    centre = float(rest.mean(0, dtype=np.float64) @ weight)
    rise = float(np.mean([one.mean(0, dtype=np.float64) @ weight for one in marks])) - centre
    if rise <= 0:
        raise BadInputError(
            "the target looks like everything else", "", "mark only the target, or another frame"
        )
    return (weight / rise).astype(np.float32), np.asarray(centre / rise, np.float32)


def _search(
    model: TextModel,
    footages: dict[int, Footage],
    likeness: Maps,
    cancel: CancelToken,
    progress: ProgressCallback,
    query: _Query | None = None,
) -> list[Moment]:
    """Follows what is alike through all footage; what was asked for is listed once."""
    total = sum(footage.stored.plan.chunks for footage in footages.values())
    found: list[Moment] = []
    done = 0
    for evidence_id, footage in footages.items():
        mine = query is not None and query.evidence_id == evidence_id
        finder = MomentFinder(footage, dict(query.cells) if query and mine else {})
        for seconds, maps in footage.read(model, partial(_likeness, footage, likeness), cancel):
            for second, one in zip(seconds, maps, strict=True):
                finder.add(second, one)
            done += 1
            progress(Progress("searching", done, total, unit="chunks"))
        found += finder.finish()
    found.sort(key=lambda one: (-one.likeness, one.evidence_id, one.peak_s))
    own = next((one for one in found if one.itself), None)
    return [one for one in found if not one.itself or one is own][:MOST_MOMENTS]


def _likeness(
    footage: Footage, likeness: Maps, kept: KeptFeatures
) -> tuple[list[float], list[NDArray[np.float32]]]:
    return kept.seconds.tolist(), [likeness(footage, one) for one in kept.slices]
