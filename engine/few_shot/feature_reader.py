"""Reads the kept features of a run for teaching, previews and similarity search."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.case import Case, EvidenceRow, RunRow
from engine.core.channels import SCENE, TEXT
from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, ProgressCallback
from engine.core.settings import AnalysisSettings
from engine.detectors.text.feature_store import ChunkFeatures, FeatureStore
from engine.detectors.text.text_calibration import TextCalibration
from engine.detectors.text.text_detector import TextDetector, open_text
from engine.detectors.text.text_model import TextModel
from engine.detectors.text.text_recipe import TextRecipe
from engine.detectors.text.text_setup import make_text_recipe
from engine.packs import DEFAULT_PACK
from engine.packs.pack import find_pack
from engine.pipeline.channels.raw_maps import Calibrations
from engine.pipeline.evidence_intake import add_evidence
from engine.pipeline.recipe import Recipe
from engine.pipeline.run import AnalysisRun, Resuming
from engine.pipeline.stored_run import StoredRun, calibrations_of, stored_run

_T = TypeVar("_T")


@dataclass(frozen=True, eq=False)
class RunFeatures:
    """A run with the text channel, and its kept features.

    Attributes:
        stored: the run.
        recipe: the recipe of the run.
        calibrations: the calibrations that its results rest on.
        store: the store of its features.
        seconds: float64 [s], stream time of every slice.
        positions: int64 [s, 2], the chunk of every slice and its number in that chunk.
    """

    stored: StoredRun
    recipe: Recipe
    calibrations: Calibrations
    store: FeatureStore
    seconds: NDArray[np.float64]
    positions: NDArray[np.int64]

    @property
    def run(self) -> RunRow:
        """The run as the case has it."""
        return self.stored.run

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of cells."""
        return self.stored.plan.grid.rows, self.stored.plan.grid.columns

    def frame_at(self, seconds: float) -> int:
        """Returns the number, among the analysed frames, of the one nearest to a stream time."""
        return int(np.abs(self.stored.plan.seconds - seconds).argmin())

    def camera_calibration(self, detector: TextDetector) -> TextCalibration | None:
        """Returns the calibration of a detector's prompts from normal footage of the camera.

        Returns:
            None where the run was not calibrated with normal footage.
        """
        known = self.calibrations.text
        if self.recipe.calibration != "normal" or known is None:
            return None
        return known.for_prompts(self.recipe.prompts, detector.recipe.prompts.abnormal)

    def slice(self, number: int) -> NDArray[np.uint8]:
        """Returns the kept bytes of a slice.

        Raises:
            BadInputError: the cache was deleted meanwhile.
        """
        chunk, position = self.positions[number].tolist()
        return np.asarray(self._load_chunk(chunk).slices[position], np.uint8)

    def cell_features(self, model: TextModel, number: int) -> NDArray[np.float32]:
        """Returns the cell features of a slice, float32 [R, C, M]; raises as `slice` does."""
        features = model.cell_features(self.slice(number), self.grid)
        return np.ascontiguousarray(features.transpose(1, 2, 0))

    def read(
        self, model: TextModel, read_chunk: Callable[[ChunkFeatures], _T], cancel: CancelToken
    ) -> Iterator[_T]:
        """Applies a function to the kept features of every chunk, in order.

        Args:
            model: the model that `read_chunk` reads with.
            read_chunk: is called with the features of a chunk.
            cancel: is checked before each chunk.

        Yields:
            What the function returned; raises as `slice` does.
        """
        # The work of a chunk is many small steps: several threads only wait for each other.
        with model.single_threaded():
            for chunk in range(self.stored.plan.chunks):
                cancel.check()
                yield read_chunk(self._load_chunk(chunk))

    def _load_chunk(self, chunk: int) -> ChunkFeatures:
        features = self.store.load(chunk)
        if features is None:
            raise BadInputError("kept features are gone", "", "run again, they are measured anew")
        return features


def evenly_spaced(count: int, max_count: int) -> NDArray[np.int64]:
    """Returns at most `max_count` of the numbers below `count`, evenly spaced, with both ends."""
    numbers = np.linspace(0, count - 1, min(max_count, count)).round()
    return np.unique(numbers.astype(np.int64))


def text_runs(case: Case, evidence_id: int) -> list[RunRow]:
    """Returns the finished runs of evidence that have the text channel, the current one first."""
    current = case.runs.current(evidence_id)
    runs = [
        run
        for run in case.runs.all(evidence_id)
        if run.state == "finished" and TEXT in json.loads(run.settings)["channels"]
    ]
    runs.sort(key=lambda run: (current is None or run.id != current.id, -run.id))
    return runs


def text_recipe_of(case: Case, evidence_ids: Iterable[int]) -> TextRecipe:
    """Returns the recipe of the first text channel that evidence was analysed with.

    Returns:
        Without such a run the recipe of the default pack with its own prompts.

    Raises:
        BadInputError: there is no such evidence, or the pack is unsound.
        ResourceError: there is no default pack.
    """
    for evidence_id in evidence_ids:
        case.evidence.get(evidence_id)
        for run in text_runs(case, evidence_id):
            return TextRecipe.from_json(json.loads(run.settings)["text"])
    return make_text_recipe(find_pack(DEFAULT_PACK), None, "auto")


def open_features(
    case: Case,
    evidence: EvidenceRow,
    detector: TextDetector,
    cancel: CancelToken,
    progress: ProgressCallback,
    run_id: int | None = None,
    measure: TextRecipe | None = None,
) -> RunFeatures:
    """Opens the kept features of evidence, after analysing it where there are none.

    Args:
        case: open for writing.
        evidence: a piece of evidence of the case.
        detector: the text channel whose features are wanted.
        cancel: is checked while the evidence is analysed.
        progress: is called with the progress of the analysis.
        run_id: the run to take; None takes the current one that was measured with the same pack.
        measure: how missing features are measured; None makes them an error.

    Raises:
        BadInputError: the evidence changed or cannot be read, or features are missing.
        CancelledError: the user stopped.
    """
    runs = [case.runs.get(run_id)] if run_id is not None else text_runs(case, evidence.id)
    for run in runs:
        recipe = Recipe.from_json(json.loads(run.settings))
        if (
            recipe.text is not None
            and recipe.text.feature_settings() == detector.recipe.feature_settings()
        ):
            return _open_run(case, evidence, run, recipe, detector, cancel, progress, measure)
    if measure is None:
        raise BadInputError("never analysed with this pack", evidence.name, "analyse it")
    settings = replace(AnalysisSettings(), channels=(SCENE, TEXT))
    recipe = Recipe(settings, text=measure)
    run = _analyse(case, evidence, recipe, cancel, progress)
    return _open_run(case, evidence, run, recipe, detector, cancel, progress, measure)


def _open_run(
    case: Case,
    evidence: EvidenceRow,
    run: RunRow,
    recipe: Recipe,
    detector: TextDetector,
    cancel: CancelToken,
    progress: ProgressCallback,
    measure: TextRecipe | None,
) -> RunFeatures:
    stored, known = stored_run(case, run), calibrations_of(case, run)
    camera = known.text if recipe.calibration == "normal" else None
    motion = recipe.settings.motion
    store = detector.store(run.evidence_sha256, run.stream, stored.plan, motion, camera)
    assert store is not None
    slices = _list_slices(store, stored)
    if slices is None and measure is not None:
        again = replace(recipe, text=measure, variant=None)
        _analyse(case, evidence, again, cancel, progress)
        slices = _list_slices(store, stored)
    if slices is None:
        raise BadInputError("its kept features are gone", evidence.name, "analyse it again")
    return RunFeatures(stored, recipe, known, store, *slices)


def _list_slices(
    store: FeatureStore, stored: StoredRun
) -> tuple[NDArray[np.float64], NDArray[np.int64]] | None:
    """Returns times and positions of all slices; None where a chunk is missing."""
    seconds, positions = [np.zeros(0)], [np.zeros((0, 2), np.int64)]
    for chunk in range(stored.plan.chunks):
        features = store.load(chunk)
        if features is None:
            return None
        seconds.append(features.seconds)
        numbers = np.arange(len(features.seconds), dtype=np.int64)
        positions.append(np.stack([np.full_like(numbers, chunk), numbers], 1))
    return np.concatenate(seconds), np.concatenate(positions)


def _analyse(
    case: Case,
    evidence: EvidenceRow,
    recipe: Recipe,
    cancel: CancelToken,
    progress: ProgressCallback,
) -> RunRow:
    path = case.evidence_path(evidence)
    row, source = add_evidence(case, path, fps=evidence.fps, cancel=cancel, progress=progress)
    with source:
        text = open_text(case.cache_folder, recipe.text)
        run = AnalysisRun(case, row, source, recipe, text=text, cancel=cancel, progress=progress)
        return run.execute(Resuming(finished=False, unfinished=True))
