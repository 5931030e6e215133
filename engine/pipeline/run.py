"""Runs an analysis in a case: commits chunks as they come and derives results at the end."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from engine.case import Case, ChunkSpan, EvidenceRow, RunRow, settings_hash
from engine.core.channels import SCENE, TEXT
from engine.core.errors import BadInputError, CancelledError
from engine.core.findings import RunWarning
from engine.core.progress import CancelToken, ProgressCallback, silent
from engine.detectors.text.text_detector import TextDetector
from engine.media import Source
from engine.motion.analysis_plan import AnalysisPlan, make_plan
from engine.motion.motion_maps import MotionMaps
from engine.pipeline.calibration.normal_learner import NormalLearner
from engine.pipeline.calibration.run_calibrations import (
    KnownCalibrations,
    check_spans,
    find_camera_calibration,
    find_normal_calibrations,
    learn_from_evidence,
    store_calibrations,
)
from engine.pipeline.chunk_commit import ChunkMeasurement
from engine.pipeline.environment import environment
from engine.pipeline.recipe import Recipe
from engine.pipeline.run_results import RunResults, derive_run
from engine.pipeline.run_warnings import run_warnings, short_windows, stream_warnings
from engine.pipeline.stored_maps import stored_maps


@dataclass(frozen=True)
class Resuming:
    """What to do about earlier runs of the same evidence and settings.

    Attributes:
        finished: return a finished run as it is instead of starting another.
        unfinished: resume an unfinished one.
        relearn: learn from normal footage again, even when the case has a calibration from it.
    """

    finished: bool = False
    unfinished: bool = True
    relearn: bool = False


class AnalysisRun:
    """Analyses one stream of one piece of evidence into a case.

    A chunk is one transaction, and a killed run is resumed after the last one committed; since a
    chunk depends on evidence and settings alone, the results are those of an uninterrupted run.
    """

    def __init__(
        self,
        case: Case,
        evidence: EvidenceRow,
        source: Source,
        recipe: Recipe,
        *,
        text: TextDetector | None = None,
        cancel: CancelToken | None = None,
        progress: ProgressCallback = silent,
        on_commit: Callable[[int, ChunkSpan], None] = lambda _run_id, _span: None,
    ) -> None:
        """Plans the run.

        Args:
            case: open for writing.
            evidence: in that case, unchanged.
            source: the evidence, open.
            recipe: settings and calibration sources.
            text: the text channel; None when the recipe has none.
            cancel: looked at between chunks.
            progress: is given how far the work is.
            on_commit: is given the run and the span of the chunk that was just committed.

        Raises:
            BadInputError: the settings or the frames cannot be analysed, or a span marked normal
                holds no frame.
        """
        self._case = case
        self._evidence = evidence
        self._source = source
        self._recipe = recipe
        self._text = text
        self._cancel = cancel or CancelToken()
        self._progress = progress
        self._plan: AnalysisPlan = make_plan(source.info, source.index, recipe.settings)
        check_spans(recipe.normal_spans, self._plan)
        self._measuring = ChunkMeasurement(
            case, evidence, source, recipe, self._plan, text, self._cancel, progress, on_commit
        )
        self._start_s = time.monotonic()

    def execute(self, resuming: Resuming) -> RunRow:
        """Runs or resumes the analysis.

        Returns:
            The finished run.

        Raises:
            CancelledError: the user stopped; committed chunks stay.
            ResourceError: the disk is full, or another process has taken over the case.
            SightlineError: the evidence cannot be read any more.
        """
        settings_sha256 = settings_hash(self._settings_json())
        earlier = (self._evidence.id, settings_sha256, self._evidence.sha256)
        if resuming.finished and (finished := self._case.runs.find_finished(*earlier)):
            return finished
        unfinished = self._case.runs.find_unfinished(*earlier) if resuming.unfinished else None
        run_id = self._start_or_resume(unfinished)
        try:
            normal = self._normal_calibrations(run_id, resuming.relearn)
            self._measuring.measure(run_id, None if normal is None else normal.calibrations)
            self._finish(run_id, self._derive(run_id, normal))
        except CancelledError:
            self._stop(run_id, "cancelled", "")
            raise
        except BadInputError as error:
            self._stop(run_id, "failed", error.line())
            raise
        return self._case.runs.get(run_id)

    def _settings_json(self) -> dict[str, object]:
        return {**self._recipe.as_json(), "stream": self._source.info.number}

    def _start_or_resume(self, unfinished: RunRow | None) -> int:
        with self._case.change() as change:
            if unfinished is None:
                return change.runs.start(
                    self._evidence.id,
                    self._source.info.number,
                    self._settings_json(),
                    environment(),
                    len(self._source.index),
                )
            change.runs.resume(unfinished.id, self._measuring.committed_frames(unfinished.id))
            return unfinished.id

    def _normal_calibrations(self, run_id: int, relearn: bool) -> KnownCalibrations | None:
        if self._recipe.calibration != "normal":
            return None
        recipe, grid = self._recipe, self._plan.grid
        known = None if relearn else find_normal_calibrations(self._case, recipe, grid)
        if known is not None and (self._text is None or known.calibrations.text is not None):
            return known
        learner = NormalLearner(
            recipe.normal, recipe.fps, grid, recipe.settings, recipe.mask,
            self._text, self._cancel, self._progress,
        )  # fmt: skip
        if known is None:
            known = KnownCalibrations(learner.learn())
        elif self._text is not None:
            earlier = find_camera_calibration(self._case, recipe, grid)
            text = learner.learn_text(self._text, earlier)
            known = replace(known, calibrations=replace(known.calibrations, text=text))
        with self._case.change() as change:
            return store_calibrations(change, known, "normal", run_id, self._evidence.id)

    def _derive(self, run_id: int, known: KnownCalibrations | None) -> RunResults:
        raw = stored_maps(self._case, run_id, self._plan, self._recipe)
        if known is None:
            source = {"path": self._evidence.path, "sha256": self._evidence.sha256}
            pack = None if self._text is None else self._text.pack_calibration()
            scene = self._measuring.earlier_calibration(run_id)
            known = KnownCalibrations(
                learn_from_evidence(raw, source, self._recipe, self._plan, pack, scene)
            )
        return derive_run(
            self._case, self._recipe, raw, known, self._plan, self._cancel, self._progress
        )

    def _finish(self, run_id: int, results: RunResults) -> None:
        warnings = self._warnings(run_id, results.known)
        with self._case.change() as change:
            results.store(change, self._recipe, run_id, self._evidence.id)
            change.runs.finish(
                run_id,
                frames=len(self._source.index),
                analysed_frames=len(self._plan),
                wall_s=time.monotonic() - self._start_s,
                warnings=warnings,
                info={
                    "analysis_size": list(self._plan.grid.size),
                    "duration_s": self._source.index.duration_s,
                },
            )

    def _warnings(self, run_id: int, known: KnownCalibrations) -> list[RunWarning]:
        damaged, camera, lighting_change = 0, [], []
        for chunk in self._case.chunks.stream(run_id, SCENE):
            maps = MotionMaps.decode(chunk.raw)
            damaged += len(json.loads(chunk.span.info)["damaged"])
            camera.append(maps.camera.any(axis=1))
            lighting_change.append(maps.lighting_change)
        info, index = self._source.info, self._source.index
        warnings = run_warnings(
            damaged,
            index.missing,
            np.concatenate(camera),
            np.concatenate(lighting_change),
            known.calibrations.scene,
        )
        if self._text is not None:
            spans = self._case.chunks.spans(run_id, TEXT)
            windows = [int(json.loads(span.info)["window"]) for span in spans]
            warnings += short_windows(windows, self._text.model.window_frames)
        return stream_warnings(info, index) + warnings + self._measuring.warnings()

    def _stop(self, run_id: int, state: Literal["cancelled", "failed"], reason: str) -> None:
        done = self._measuring.committed_frames(run_id)
        wall = time.monotonic() - self._start_s
        with self._case.change() as change:
            change.runs.stop(run_id, state, analysed_frames=done, wall_s=wall, reason=reason)
