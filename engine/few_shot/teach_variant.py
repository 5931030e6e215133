"""Teaches a variant of a pack from marks, and teaches it again to check that it repeats."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from engine.case import Case, NewVariant, VariantRow, check_variant_name
from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, Progress, ProgressCallback, silent
from engine.core.version import VERSION
from engine.detectors.text.text_detector import TextDetector, open_text
from engine.detectors.text.text_recipe import TextRecipe
from engine.few_shot.feature_reader import RunFeatures, open_features, text_recipe_of
from engine.few_shot.marked_cells import LocatedMark, MotionReader, check_agreement, locate_mark
from engine.few_shot.marks import Mark, parse_marks, prompts_with_marks
from engine.few_shot.motion_learning import learn_motion
from engine.few_shot.preview import VariantPreview, preview_variant
from engine.few_shot.text_learning import TextLearner, spread_marks
from engine.pipeline.variant import VariantWeights

_ONE_MARK = "one mark only: mark the same target in one more frame, or the change may reach too far"


@dataclass(frozen=True, eq=False)
class TeachingResult:
    """A new variant, with a preview of what it changes.

    Attributes:
        row: the variant as it is stored.
        previews: one for each piece of marked evidence.
        warnings: what the examiner must know about it.
    """

    row: VariantRow
    previews: tuple[VariantPreview, ...]
    warnings: tuple[str, ...]

    def as_json(self, curves: bool = False) -> dict[str, Any]:
        """Returns JSON values, as `teach --json` prints them."""
        return {
            "variant": variant_json(self.row),
            "preview": [preview.as_json(curves) for preview in self.previews],
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True, eq=False)
class _LearnedVariant:
    weights: VariantWeights
    detector: TextDetector
    features: dict[int, RunFeatures]
    warnings: list[str]


def teach(
    case: Case,
    marks: tuple[Mark, ...],
    name: str,
    cancel: CancelToken | None = None,
    progress: ProgressCallback = silent,
) -> TeachingResult:
    """Teaches a variant and stores it; nothing is stored when that fails or is cancelled.

    Args:
        case: open for writing.
        marks: the marked targets.
        name: name of the variant.
        cancel: is checked throughout.
        progress: is called with the progress of each step.

    Raises:
        BadInputError: the name is taken, a mark lies on nothing, marks contradict each other, the
            pack was replaced since the evidence was analysed, or nothing can be learned.
        ResourceError: pack, base weights or device are missing.
        CancelledError: the user stopped.
    """
    token = cancel or CancelToken()
    check_variant_name(case.variants, name)
    base = text_recipe_of(case, dict.fromkeys(mark.evidence_id for mark in marks))
    learned = _learn(case, marks, base, {}, token, progress)
    model = learned.detector.model.with_variant(learned.weights.decoder)
    detector = replace(learned.detector, model=model)
    previews = tuple(
        preview_variant(case, features, detector, learned.weights, token, progress)
        for features in learned.features.values()
    )
    token.check()
    runs = {str(number): features.run.id for number, features in learned.features.items()}
    recipe = {"text": detector.recipe.as_json(), "runs": runs, "version": VERSION}
    new = NewVariant(
        name,
        base.pack,
        base.pack_sha256,
        json.dumps([mark.as_json() for mark in marks]),
        json.dumps(recipe, sort_keys=True),
        learned.weights.encode(),
    )
    with case.change() as change:
        change.variants.add(new)
    return TeachingResult(case.variants.by_name(name), previews, tuple(learned.warnings))


def repeat_teaching(
    case: Case, name: str, cancel: CancelToken | None = None, progress: ProgressCallback = silent
) -> bool:
    """Teaches a variant again from its own marks and returns whether it is the same bit for bit.

    Raises:
        BadInputError: there is no such variant, or the pack was replaced since.
        ResourceError: pack, base weights or device are missing.
        CancelledError: the user stopped.
    """
    row = case.variants.by_name(name)
    recipe = json.loads(row.variant.recipe)
    marks = parse_marks(json.loads(row.variant.marks))
    runs = {int(number): int(run) for number, run in recipe["runs"].items()}
    base = TextRecipe.from_json(recipe["text"])
    learned = _learn(case, marks, base, runs, cancel or CancelToken(), progress)
    return learned.weights.encode() == row.variant.body


def variant_json(row: VariantRow) -> dict[str, Any]:
    """Returns a variant as JSON values, as `teach --json` lists it."""
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


def _learn(
    case: Case,
    marks: tuple[Mark, ...],
    base: TextRecipe,
    runs: dict[int, int],
    cancel: CancelToken,
    progress: ProgressCallback,
) -> _LearnedVariant:
    recipe = base.with_prompts(prompts_with_marks(base.prompts, marks))
    detector = open_text(case.cache_folder, recipe)
    assert detector is not None
    features = {
        number: open_features(
            case, case.evidence.get(number), detector, cancel, progress, runs.get(number), base
        )
        for number in dict.fromkeys(mark.evidence_id for mark in marks)
    }
    reader = MotionReader(case)
    located = [locate_mark(reader, features[mark.evidence_id], mark) for mark in marks]
    check_agreement(located)
    by_name: dict[str, list[LocatedMark]] = {}
    for mark in located:
        by_name.setdefault(mark.mark.name.casefold(), []).append(mark)
    warnings = [_ONE_MARK] if len(marks) == 1 else []
    decoder = TextLearner(features, detector, cancel, progress).learn(by_name, warnings)
    motion = []
    for same_name in by_name.values():
        first = same_name[0].mark
        rule = learn_motion(case, features, spread_marks(same_name), first.normal, cancel)
        if rule is None:
            warnings.append(f'the scene channel learns nothing from "{first.name}"')
        else:
            motion.append(rule)
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
    weights = VariantWeights(decoder or b"", tuple(motion))
    return _LearnedVariant(weights, detector, features, warnings)
