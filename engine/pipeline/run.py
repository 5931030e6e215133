"""One run in a case: chunks committed as they come, results derived at the end."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from engine.case import Case, ChunkSpan, EvidenceRow, RunRow, settings_hash
from engine.core.errors import BadInputError, CancelledError
from engine.core.findings import RunWarning
from engine.core.progress import CancelToken, ProgressCallback, silent
from engine.detectors.text.text_detector import TextUse
from engine.media import Source
from engine.motion.analysis_plan import AnalysisPlan, make_plan
from engine.motion.motion_maps import MotionMaps
from engine.pipeline.calibration.normal_footage import learn_normal, learn_normal_text
from engine.pipeline.calibration.run_calibrations import (
    KnownCalibrations,
    check_spans,
    find_camera,
    find_normal,
    learn_own,
    store_calibrations,
)
from engine.pipeline.chunk_commit import Measuring
from engine.pipeline.environment import environment
from engine.pipeline.fusion import SCENE, TEXT
from engine.pipeline.heat_spool import HeatSpool
from engine.pipeline.recipe import Recipe
from engine.pipeline.results import Results, derive
from engine.pipeline.run_warnings import run_warnings, short_windows, stream_warnings
from engine.pipeline.stored_maps import stored_maps
from engine.pipeline.variant import motion_of, taught_of


@dataclass(frozen=True)
class Resuming:
    """What to do about earlier runs of the same evidence and settings.

    Attributes:
        finished: take a finished run as it is instead of starting another.
        unfinished: go on with an unfinished one.
        relearn: learn normal footage again, even when the case has a calibration from it.
    """

    finished: bool = False
    unfinished: bool = True
    relearn: bool = False


@dataclass(frozen=True, eq=False)
class _Derived:
    """Results with the calibrations they rest on."""

    results: Results
    known: KnownCalibrations
    heat: HeatSpool


class Run:
    """Analyses one stream of one piece of evidence into a case.

    A chunk is one transaction, and a killed run goes on after the last one committed; since a
    chunk depends on evidence and settings alone, the results are those of an uninterrupted run.
    """

    def __init__(
        self,
        case: Case,
        evidence: EvidenceRow,
        source: Source,
        recipe: Recipe,
        *,
        text: TextUse | None = None,
        cancel: CancelToken | None = None,
        progress: ProgressCallback = silent,
        committed: Callable[[int, ChunkSpan], None] = lambda _run_id, _span: None,
    ) -> None:
        """Plans the run.

        Args:
            case: open for writing.
            evidence: in that case, found unchanged.
            source: the evidence, open.
            recipe: settings and calibration sources.
            text: the text channel, ready for use; None when the recipe has none.
            cancel: looked at between chunks.
            progress: told how far the work is.
            committed: told the run and where the chunk lies that was just committed.

        Raises:
            BadInputError: the settings or the picture cannot be analysed, or a span marked normal
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
        self._measuring = Measuring(
            case, evidence, source, recipe, self._plan, text, self._cancel, progress, committed
        )
        self._begun = time.monotonic()

    def execute(self, resuming: Resuming) -> RunRow:
        """Runs, or goes on with, the analysis.

        Returns:
            The finished run.

        Raises:
            CancelledError: the user stopped; committed chunks stay.
            ResourceError: the disk is full or the case is not ours any more.
            SightlineError: the evidence cannot be read any more.
        """
        settings_sha256 = settings_hash(self._settings_json())
        earlier = (self._evidence.id, settings_sha256, self._evidence.sha256)
        if resuming.finished and (finished := self._case.runs.finished(*earlier)):
            return finished
        unfinished = self._case.runs.unfinished(*earlier) if resuming.unfinished else None
        run_id = self._take_up(unfinished)
        try:
            normal = self._normal_calibrations(run_id, resuming.relearn)
            self._measuring.measure(run_id, None if normal is None else normal.calibrations)
            derived = self._derive(run_id, normal)
            self._finish(run_id, derived)
        except CancelledError:
            self._stop(run_id, "cancelled", "")
            raise
        except BadInputError as error:
            self._stop(run_id, "failed", error.line())
            raise
        return self._case.runs.get(run_id)

    def _settings_json(self) -> dict[str, object]:
        return {**self._recipe.as_json(), "stream": self._source.info.number}

    def _take_up(self, unfinished: RunRow | None) -> int:
        with self._case.change() as change:
            if unfinished is None:
                return change.runs.start(
                    self._evidence.id,
                    self._source.info.number,
                    self._settings_json(),
                    environment(),
                    len(self._source.index),
                )
            done = self._measuring.done(unfinished.id)
            change.runs.resume(unfinished.id, done)
            return unfinished.id

    def _normal_calibrations(self, run_id: int, relearn: bool) -> KnownCalibrations | None:
        if self._recipe.calibration != "normal":
            return None
        known = None if relearn else find_normal(self._case, self._recipe, self._plan.grid)
        if known is not None and (self._text is None or known.calibrations.text is not None):
            return known
        recipe = self._recipe
        footage = (
            recipe.normal, recipe.fps, self._plan.grid, recipe.settings, recipe.parts,
            self._cancel, self._progress,
        )  # fmt: skip
        if known is None:
            known = KnownCalibrations(learn_normal(*footage, self._text))
        elif self._text is not None:
            earlier = find_camera(self._case, recipe, self._plan.grid)
            text = learn_normal_text(*footage, self._text, earlier)
            known = replace(known, calibrations=replace(known.calibrations, text=text))
        with self._case.change() as change:
            return store_calibrations(change, known, "normal", run_id, self._evidence.id)

    def _derive(self, run_id: int, normal: KnownCalibrations | None) -> _Derived:
        raw = stored_maps(self._case, run_id, self._plan, self._recipe)
        known = normal
        if known is None:
            source = {"path": self._evidence.path, "sha256": self._evidence.sha256}
            pack = None if self._text is None else self._text.pack_calibration()
            scene = self._measuring.known_scene(run_id)
            own = learn_own(raw, source, self._recipe, self._plan, pack, scene)
            known = KnownCalibrations(own)
        heat = HeatSpool(self._plan)
        taught = motion_of(taught_of(self._case, self._recipe))
        results = derive(
            raw,
            replace(known.calibrations, taught=taught),
            self._plan,
            self._recipe.settings,
            self._recipe.prompts,
            self._cancel,
            self._progress,
            see=heat.add,
        )
        return _Derived(results, known, heat)

    def _finish(self, run_id: int, derived: _Derived) -> None:
        warnings = self._warnings(run_id, derived.known)
        results = derived.results
        with self._case.change() as change:
            kind = self._recipe.calibration
            known = store_calibrations(change, derived.known, kind, run_id, self._evidence.id)
            change.results.replace(
                run_id,
                scores=results.scores,
                regions=results.regions,
                trajectories=results.trajectories,
                events=results.events,
                calibrations=list(known.ids.values()),
                heat=derived.heat.blocks(),
            )
            change.runs.finish(
                run_id,
                frames=len(self._source.index),
                analysed_frames=len(self._plan),
                wall_s=time.monotonic() - self._begun,
                warnings=warnings,
                info={
                    "analysis_size": list(self._plan.grid.size),
                    "duration_s": self._source.index.duration_s,
                },
            )

    def _warnings(self, run_id: int, known: KnownCalibrations) -> list[RunWarning]:
        damaged, camera, unsteady = 0, [], []
        for chunk in self._case.chunks.stream(run_id, SCENE):
            maps = MotionMaps.decode(chunk.raw)
            damaged += len(json.loads(chunk.span.info)["damaged"])
            camera.append(maps.camera.any(axis=1))
            unsteady.append(maps.unsteady)
        info, index = self._source.info, self._source.index
        met = run_warnings(
            damaged,
            index.missing,
            np.concatenate(camera),
            np.concatenate(unsteady),
            known.calibrations.scene,
        )
        if self._text is not None:
            spans = self._case.chunks.spans(run_id, TEXT)
            windows = [int(json.loads(span.info)["window"]) for span in spans]
            met += short_windows(windows, self._text.model.window_frames)
        return stream_warnings(info, index) + met + self._measuring.warnings()

    def _stop(self, run_id: int, state: str, reason: str) -> None:
        done = self._measuring.done(run_id)
        wall = time.monotonic() - self._begun
        with self._case.change() as change:
            if state == "cancelled":
                change.runs.stop(run_id, "cancelled", analysed_frames=done, wall_s=wall)
            else:
                change.runs.stop(run_id, "failed", analysed_frames=done, wall_s=wall, reason=reason)
