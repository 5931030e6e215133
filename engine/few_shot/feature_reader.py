"""Kept features of a run, which teaching, previews and finding read; measured again when gone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.case import Case, EvidenceRow, RunRow
from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, ProgressCallback
from engine.core.settings import AnalysisSettings
from engine.detectors.text.feature_store import FeatureStore, KeptFeatures
from engine.detectors.text.text_calibration import TextCalibration
from engine.detectors.text.text_detector import TextUse, open_text
from engine.detectors.text.text_model import TextModel
from engine.detectors.text.text_recipe import TextRecipe
from engine.pipeline.evidence_intake import add_evidence
from engine.pipeline.fusion import SCENE, TEXT
from engine.pipeline.recipe import Recipe
from engine.pipeline.run import Resuming, Run
from engine.pipeline.scoring import Calibrations
from engine.pipeline.stored_run import StoredRun, calibrations_of, stored_run

_T = TypeVar("_T")


@dataclass(frozen=True, eq=False)
class Footage:
    """One run with the text channel whose features are kept.

    Attributes:
        stored: the run.
        recipe: of the run.
        calibrations: its results rest on.
        store: of its features.
        seconds: float64 [s], stream time of every slice.
        places: int64 [s, 2], chunk and number within it of every slice.
    """

    stored: StoredRun
    recipe: Recipe
    calibrations: Calibrations
    store: FeatureStore
    seconds: NDArray[np.float64]
    places: NDArray[np.int64]

    @property
    def run(self) -> RunRow:
        """The run."""
        return self.stored.run

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of cells."""
        return self.stored.plan.grid.rows, self.stored.plan.grid.columns

    def frame_at(self, seconds: float) -> int:
        """Returns the position of the analysed frame nearest to a stream time."""
        return int(np.abs(self.stored.plan.seconds - seconds).argmin())

    def camera(self, use: TextUse) -> TextCalibration | None:
        """Returns what normal footage said of the prompts of a use; None where there was none."""
        known = self.calibrations.text
        if self.recipe.calibration != "normal" or known is None:
            return None
        return known.asked(self.recipe.prompts, use.recipe.prompts.abnormal)

    def slice(self, number: int) -> NDArray[np.uint8]:
        """Returns the kept bytes of a slice.

        Raises:
            BadInputError: the cache was deleted meanwhile.
        """
        chunk, place = self.places[number].tolist()
        return np.asarray(self._kept(chunk).slices[place], np.uint8)

    def read(
        self, model: TextModel, take: Callable[[KeptFeatures], _T], cancel: CancelToken
    ) -> Iterator[_T]:
        """Takes something from the kept features of every chunk, in order.

        Args:
            model: that `take` reads with.
            take: is called with the features of a chunk.
            cancel: looked at before each.

        Yields:
            What it returned; raises as `slice` does.
        """
        # The work of a chunk is many small steps: several threads only wait for each other.
        with model.single_threaded():
            for chunk in range(self.stored.plan.chunks):
                cancel.check()
                yield take(self._kept(chunk))

    def _kept(self, chunk: int) -> KeptFeatures:
        kept = self.store.load(chunk)
        if kept is None:
            raise BadInputError("kept features are gone", "", "run again, they are measured anew")
        return kept


def text_runs(case: Case, evidence_id: int) -> list[RunRow]:
    """Returns the finished runs of evidence that have the text channel, the current one first."""
    current = case.runs.current(evidence_id)
    found = [
        run
        for run in case.runs.all(evidence_id)
        if run.state == "finished" and TEXT in json.loads(run.settings)["channels"]
    ]
    found.sort(key=lambda run: (current is None or run.id != current.id, -run.id))
    return found


def open_footage(
    case: Case,
    evidence: EvidenceRow,
    use: TextUse,
    cancel: CancelToken,
    progress: ProgressCallback,
    run_id: int | None = None,
    measure: TextRecipe | None = None,
) -> Footage:
    """Opens the features of evidence; what was never analysed, or is gone, may be analysed now.

    Args:
        case: open for writing.
        evidence: of it.
        use: the text channel whose features are wanted.
        cancel: looked at while it is analysed.
        progress: told how far that is.
        run_id: the run to take; None takes the current one that the same pack measured.
        measure: how what is missing is analysed; None makes it an error.

    Raises:
        BadInputError: the evidence changed or cannot be read.
        CancelledError: the user stopped.
    """
    runs = [case.runs.get(run_id)] if run_id is not None else text_runs(case, evidence.id)
    for run in runs:
        recipe = Recipe.from_json(json.loads(run.settings))
        if recipe.text is not None and recipe.text.measuring() == use.recipe.measuring():
            return _opened(case, evidence, run, recipe, use, cancel, progress, measure)
    if measure is None:
        raise BadInputError("never analysed with this pack", evidence.name, "analyse it")
    settings = replace(AnalysisSettings(), channels=(SCENE, TEXT))
    recipe = Recipe(settings, text=measure)
    run = _analysed(case, evidence, recipe, cancel, progress)
    return _opened(case, evidence, run, recipe, use, cancel, progress, measure)


def _opened(
    case: Case,
    evidence: EvidenceRow,
    run: RunRow,
    recipe: Recipe,
    use: TextUse,
    cancel: CancelToken,
    progress: ProgressCallback,
    measure: TextRecipe | None,
) -> Footage:
    stored, known = stored_run(case, run), calibrations_of(case, run)
    camera = known.text if recipe.calibration == "normal" else None
    motion = recipe.settings.motion
    store = use.store(run.evidence_sha256, run.stream, stored.plan, motion, camera)
    assert store is not None
    found = _listed(store, stored)
    if found is None and measure is not None:
        again = replace(recipe, text=measure, variant=None)
        _analysed(case, evidence, again, cancel, progress)
        found = _listed(store, stored)
    if found is None:
        raise BadInputError("its kept features are gone", evidence.name, "analyse it again")
    return Footage(stored, recipe, known, store, *found)


def _listed(
    store: FeatureStore, stored: StoredRun
) -> tuple[NDArray[np.float64], NDArray[np.int64]] | None:
    seconds, places = [np.zeros(0)], [np.zeros((0, 2), np.int64)]
    for chunk in range(stored.plan.chunks):
        kept = store.load(chunk)
        if kept is None:
            return None
        seconds.append(kept.seconds)
        numbers = np.arange(len(kept.seconds), dtype=np.int64)
        places.append(np.stack([np.full_like(numbers, chunk), numbers], 1))
    return np.concatenate(seconds), np.concatenate(places)


def _analysed(
    case: Case,
    evidence: EvidenceRow,
    recipe: Recipe,
    cancel: CancelToken,
    progress: ProgressCallback,
) -> RunRow:
    path = case.evidence_path(evidence)
    row, source = add_evidence(case, path, fps=evidence.fps, cancel=cancel, progress=progress)
    with source:
        text = open_text(case.cache, recipe.text)
        run = Run(case, row, source, recipe, text=text, cancel=cancel, progress=progress)
        return run.execute(Resuming(finished=False, unfinished=True))
