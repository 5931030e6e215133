"""From marks to a variant of the pack, kept in the case; and back, to see that it repeats."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.case import Case, NewVariant, VariantRow, check_variant_name
from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, Progress, ProgressCallback, silent
from engine.core.version import VERSION
from engine.detectors.text.text_calibration import TextCalibration, learn_text
from engine.detectors.text.text_detector import TextUse, open_text
from engine.detectors.text.text_meter import read_maps
from engine.detectors.text.text_model import ABNORMAL, ReplaySample, text_recipe
from engine.detectors.text.text_recipe import TextRecipe
from engine.few_shot.direction_learning import Direction, Lesson, learn_direction
from engine.few_shot.feature_reader import Footage, open_footage, text_runs
from engine.few_shot.marked_cells import MotionReader, Place, check_agreement, find_place
from engine.few_shot.marks import Mark, parse_marks, taught_prompts
from engine.few_shot.motion_learning import learn_motion
from engine.few_shot.preview import Preview, preview
from engine.pipeline.variant import Taught

_PACK = "compact"
_MOST_SLICES, _MOST_CELLS = 48, 24_000
_MOST_PLACES = 240
_MOST_READ = 150
_MOST_GAIN = 8.0
_SILENCE = 8.0
_MUCH = 0.1
_LEAST_ANSWER = 0.25
_ALONE = "one mark only: mark the same target in one more frame, or the change may reach too far"


@dataclass(frozen=True, eq=False)
class Taken:
    """A variant that was taught, with what it changes.

    Attributes:
        row: the variant as it is kept.
        previews: of the evidence that was marked.
        warnings: what must be known about it.
    """

    row: VariantRow
    previews: tuple[Preview, ...]
    warnings: tuple[str, ...]

    def as_json(self, curves: bool = False) -> dict[str, Any]:
        """Returns JSON values, as `teach --json` prints them."""
        return {
            "variant": variant_json(self.row),
            "preview": [one.as_json(curves) for one in self.previews],
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True, eq=False)
class _Learned:
    taught: Taught
    use: TextUse
    footages: dict[int, Footage]
    warnings: list[str]


def teach(
    case: Case,
    marks: tuple[Mark, ...],
    name: str,
    cancel: CancelToken | None = None,
    progress: ProgressCallback = silent,
) -> Taken:
    """Teaches a variant and keeps it; nothing is kept when it fails or is cancelled.

    Args:
        case: open for writing.
        marks: what was pointed at.
        name: of the variant.
        cancel: looked at throughout.
        progress: told how far it is.

    Raises:
        BadInputError: the name is taken, a mark lies on nothing, marks contradict each other, the
            pack was replaced since the evidence was analysed, or nothing can be learned.
        ResourceError: pack, base weights or device are missing.
        CancelledError: the user stopped.
    """
    token = cancel or CancelToken()
    check_variant_name(case.variants, name)
    base = _base_recipe(case, marks)
    learned = _learn(case, marks, base, {}, token, progress)
    model = learned.use.model.taught(learned.taught.decoder)
    use = replace(learned.use, model=model)
    previews = tuple(
        preview(case, footage, use, learned.taught, token, progress)
        for footage in learned.footages.values()
    )
    token.check()
    runs = {str(number): one.run.id for number, one in learned.footages.items()}
    recipe = {"text": learned.use.recipe.as_json(), "runs": runs, "version": VERSION}
    new = NewVariant(
        name,
        base.pack,
        base.pack_sha256,
        json.dumps([mark.as_json() for mark in marks]),
        json.dumps(recipe, sort_keys=True),
        learned.taught.encode(),
    )
    with case.change() as change:
        change.variants.add(new)
    return Taken(case.variants.named(name), previews, tuple(learned.warnings))


def repeat_teaching(
    case: Case, name: str, cancel: CancelToken | None = None, progress: ProgressCallback = silent
) -> bool:
    """Teaches a variant again from its own marks and says whether it is the same bit for bit.

    Raises:
        BadInputError: there is no such variant, or the pack was replaced since.
        ResourceError: pack, base weights or device are missing.
        CancelledError: the user stopped.
    """
    row = case.variants.named(name)
    said = json.loads(row.variant.recipe)
    marks = parse_marks(json.loads(row.variant.marks))
    runs = {int(number): int(run) for number, run in said["runs"].items()}
    base = TextRecipe.from_json(said["text"])
    learned = _learn(case, marks, base, runs, cancel or CancelToken(), progress)
    return learned.taught.encode() == row.variant.body


def variant_json(row: VariantRow) -> dict[str, Any]:
    """Returns what lists say about a variant."""
    marks = json.loads(row.variant.marks)
    return {
        "variant_id": row.id,
        "name": row.variant.name,
        "pack": row.variant.pack,
        "sha256": row.sha256,
        "marks": len(marks),
        "names": sorted({str(mark["name"]) for mark in marks}),
        "author": row.author,
        "utc": row.utc,
    }


def _base_recipe(case: Case, marks: tuple[Mark, ...]) -> TextRecipe:
    """Returns how the marked evidence was read: the pack and prompts of its current run."""
    for number in dict.fromkeys(mark.evidence_id for mark in marks):
        case.evidence.get(number)
        for run in text_runs(case, number):
            return TextRecipe.from_json(json.loads(run.settings)["text"])
    return text_recipe(_PACK, None, "auto")


def _learn(
    case: Case,
    marks: tuple[Mark, ...],
    base: TextRecipe,
    runs: dict[int, int],
    cancel: CancelToken,
    progress: ProgressCallback,
) -> _Learned:
    recipe = base.asking(taught_prompts(base.prompts, marks))
    asked = open_text(case.cache, recipe)
    assert asked is not None
    footages = {
        number: open_footage(
            case, case.evidence.get(number), asked, cancel, progress, runs.get(number), base
        )
        for number in dict.fromkeys(mark.evidence_id for mark in marks)
    }
    reader = MotionReader(case)
    places = [find_place(reader, footages[mark.evidence_id], mark) for mark in marks]
    check_agreement(places)
    by_name: dict[str, list[Place]] = {}
    for place in places:
        by_name.setdefault(place.mark.name.casefold(), []).append(place)
    warnings = [_ALONE] if len(marks) == 1 else []
    decoder = _decoder(footages, by_name, asked, warnings, cancel, progress)
    motion = []
    for mine in by_name.values():
        found = learn_motion(case, footages, _spread(mine), mine[0].mark.normal, cancel)
        if found is None:
            warnings.append(f'the scene channel learns nothing from "{mine[0].mark.name}"')
        else:
            motion.append(found)
        progress(Progress("learning motion", len(motion), len(by_name), unit="names"))
    if decoder is None and not motion:
        if all(mark.normal for mark in marks):
            raise BadInputError(
                "no channel speaks of these marks, so there is nothing to quiet",
                marks[0].where(),
                "mark what raises an alarm",
            )
        raise BadInputError(
            "nothing can be learned from these marks",
            marks[0].where(),
            "mark more frames, or only the target itself",
        )
    return _Learned(Taught(decoder or b"", tuple(motion)), asked, footages, warnings)


def _decoder(
    footages: dict[int, Footage],
    by_name: dict[str, list[Place]],
    use: TextUse,
    warnings: list[str],
    cancel: CancelToken,
    progress: ProgressCallback,
) -> bytes | None:
    from engine.tvad.adaptation import Adaptation

    traits = _Traits(footages, use, cancel, progress)
    lessons = {
        key: Lesson(mine[0].mark.normal, tuple(traits.of(place) for place in _spread(mine)))
        for key, mine in by_name.items()
    }
    unmarked = traits.unmarked([place for mine in by_name.values() for place in mine])
    replay = use.model.replay()
    limits = {number: _limit(footage, use) for number, footage in footages.items()}
    if replay is None:
        warnings.append("the pack has no replayed sample: what it knew may be forgotten")
    names, found, gain, quiets = [], [], [], []
    for key, lesson in lessons.items():
        cancel.check()
        others = [other for name, other in lessons.items() if name != key]
        direction = learn_direction(lesson, others, unmarked, replay)
        said = by_name[key][0].mark.name
        if direction is None:
            warnings.append(f'the text channel cannot tell "{said}" from what is around it')
            continue
        spoke: tuple[str, ...] = ()
        if not lesson.normal:
            gain.append(_gain(footages, limits, by_name[key], direction, use))
        elif spoke := _spoke(footages, limits, by_name[key], use):
            gain.append(_SILENCE)
            warnings += _reaches(said, direction, replay)
        else:
            warnings.append(f'no prompt speaks of "{said}": the text channel has nothing to quiet')
            continue
        names.append(key)
        found.append(direction)
        quiets.append(spoke)
    if not names:
        return None
    words = {
        word.casefold(): word for word in (*use.recipe.prompts.normal, *use.recipe.prompts.abnormal)
    }
    made = Adaptation(
        tuple(words[key] for key in names),
        tuple(lessons[key].normal for key in names),
        np.stack([one.weight for one in found]).astype(np.float32),
        np.array([one.offset for one in found], np.float32),
        np.array(gain, np.float32),
        tuple(quiets),
    )
    return made.encode()


def _reaches(said: str, found: Direction, replay: ReplaySample | None) -> list[str]:
    """Warns where what is declared harmless looks like much that is abnormal elsewhere."""
    abnormal = None if replay is None else replay.of(ABNORMAL)
    if abnormal is None or not len(abnormal):
        return []
    share = float((abnormal @ found.weight > found.offset).mean())
    if share < _MUCH:
        return []
    return [
        f'"{said}" looks like {share:.0%} of what is abnormal in the sample of the pack: '
        "on the prompts that speak of it this falls silent as well"
    ]


class _Traits:
    """Reads traits of slices, each once."""

    def __init__(
        self,
        footages: dict[int, Footage],
        use: TextUse,
        cancel: CancelToken,
        progress: ProgressCallback,
    ) -> None:
        self._footages = footages
        self._use = use
        self._cancel = cancel
        self._progress = progress
        self._known: dict[tuple[int, int], NDArray[np.float32]] = {}

    def slice(self, evidence_id: int, number: int) -> NDArray[np.float32]:
        """Returns the traits of a slice, float32 [R, C, M]."""
        key = (evidence_id, number)
        if key not in self._known:
            self._cancel.check()
            footage = self._footages[evidence_id]
            found = self._use.model.traits(footage.slice(number), footage.grid)
            self._known[key] = np.ascontiguousarray(found.transpose(1, 2, 0))
            self._progress(Progress("reading features", len(self._known), 0, unit="slices"))
        return self._known[key]

    def of(self, place: Place) -> NDArray[np.float32]:
        """Returns the traits of the cells of a mark, float32 [k, M]."""
        return self.slice(place.mark.evidence_id, place.slice)[place.cells]

    def unmarked(self, places: list[Place]) -> NDArray[np.float32]:
        """Returns traits of cells that nobody marked, evenly spread, float32 [n, M]."""
        most = max(1, _MOST_SLICES // len(self._footages))
        parts = []
        for number, footage in self._footages.items():
            spread = np.linspace(0, len(footage.seconds) - 1, min(most, len(footage.seconds)))
            for one in np.unique(spread.round().astype(int)).tolist():
                free = np.ones(footage.grid, np.bool_)
                for place in places:
                    if place.mark.evidence_id == number and place.slice == one:
                        free &= ~place.cells
                parts.append(self.slice(number, one)[free])
        cells = np.concatenate(parts)
        return cells[:: -(-len(cells) // _MOST_CELLS)]


def _spread(places: list[Place]) -> list[Place]:
    """Returns the places that are read: of very many an even choice."""
    chosen = np.linspace(0, len(places) - 1, min(_MOST_PLACES, len(places))).round().astype(int)
    return [places[number] for number in np.unique(chosen).tolist()]


def _limit(footage: Footage, use: TextUse) -> TextCalibration:
    """Returns where the prompts begin to speak in a run that asks them, from some slices."""
    own, spans, camera = use.pack_calibration(), footage.recipe.normal_spans, footage.camera(use)
    if camera is not None:
        return camera
    count = len(footage.seconds)
    chosen = np.unique(np.linspace(0, count - 1, min(_MOST_READ, count)).round().astype(int))
    slices = [footage.slice(one) for one in chosen.tolist()]
    maps = read_maps(use.model, footage.seconds[chosen], slices, footage.grid).within(spans)
    return learn_text("normal" if spans else "self", [maps], own)


def _gain(
    footages: dict[int, Footage],
    limits: dict[int, TextCalibration],
    places: list[Place],
    found: Direction,
    use: TextUse,
) -> float:
    """Returns the logits that bring marks of an abnormal name over its limit."""
    steps = []
    for place in _spread(places)[:_MOST_SLICES]:
        footage = footages[place.mark.evidence_id]
        kept, known = footage.slice(place.slice), limits[place.mark.evidence_id]
        read = use.model.read([kept], footage.grid, known.above)
        over = (read.logits[0] - known.limits(read.prompt[0]))[place.cells]
        offset = np.asarray([found.offset], np.float32)
        answers = use.model.answers(kept, footage.grid, found.weight[None], offset)
        heard = np.clip(answers[0][place.cells], _LEAST_ANSWER, 1) ** 2
        steps.append(float(((1.0 / known.slope - over) / heard).min()))
    least = 1.0 / limits[places[0].mark.evidence_id].slope
    return float(min(_MOST_GAIN, max(least, float(np.median(steps)))))


def _spoke(
    footages: dict[int, Footage],
    limits: dict[int, TextCalibration],
    places: list[Place],
    use: TextUse,
) -> tuple[str, ...]:
    """Returns the prompts that speak of marks, within a step of the limit or beyond it."""
    words = use.recipe.prompts.abnormal
    found: set[int] = set()
    for place in _spread(places)[:_MOST_SLICES]:
        footage, known = footages[place.mark.evidence_id], limits[place.mark.evidence_id]
        read = use.model.read([footage.slice(place.slice)], footage.grid, known.above)
        loud = place.cells & (read.logits[0] >= known.limits(read.prompt[0]) - 1.0 / known.slope)
        found |= set(read.prompt[0][loud].tolist())
    return tuple(words[number] for number in sorted(found))
