"""Measures the chunks of a run and commits them, the maps of all channels together."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.case import Case, Chunk, ChunkSpan, EvidenceRow, RunRow
from engine.core.arrays import pack_arrays
from engine.core.channels import SCENE, TEXT
from engine.core.findings import RunWarning
from engine.core.progress import CancelToken, Progress, ProgressCallback
from engine.detectors.scene.scene_calibration import SceneCalibration
from engine.detectors.text.feature_store import FeatureStore
from engine.detectors.text.text_calibration import TextCalibration
from engine.detectors.text.text_channel import TextChannel
from engine.detectors.text.text_detector import TextDetector
from engine.detectors.text.text_meter import MeasuredText, TextMeter
from engine.media import Source
from engine.motion.analysis_plan import AnalysisPlan
from engine.motion.motion_maps import SPEED_UNIT
from engine.pipeline.calibration.provisional_scores import ProvisionalScores
from engine.pipeline.channels.raw_maps import Calibrations
from engine.pipeline.estimate import check_space, estimate
from engine.pipeline.recipe import Recipe
from engine.pipeline.run_warnings import feature_warnings
from engine.pipeline.stored_maps import motion_blocks
from engine.pipeline.stream_measurement import MeasuredChunk, measure_stream, worker_threads


@dataclass(eq=False)
class ChunkMeasurement:
    """Fills a run with chunks, from the first one that it does not have.

    Where an earlier run measured the same motion and the features are still cached, both are
    copied without decoding; maps of other prompts are read from the features. Everything else is
    measured.

    Attributes:
        plan: of the run; everything else is as an `AnalysisRun` takes it.
    """

    case: Case
    evidence: EvidenceRow
    source: Source
    recipe: Recipe
    plan: AnalysisPlan
    text: TextDetector | None
    cancel: CancelToken
    progress: ProgressCallback
    on_commit: Callable[[int, ChunkSpan], None]
    _store: FeatureStore | None = field(default=None, init=False)
    _camera: TextCalibration | None = field(default=None, init=False)
    _missing: int = field(default=0, init=False)

    def committed_frames(self, run_id: int) -> int:
        """Returns how many analysed frames of a run are committed."""
        last = self.case.chunks.last(run_id, SCENE)
        return 0 if last is None else self.plan.span(last.seq)[1]

    def warnings(self) -> list[RunWarning]:
        """Returns the warnings about cached features."""
        if self._store is None:
            return []
        return feature_warnings(
            self._missing, self._store.evicted, self._store.refused, self.plan.chunks
        )

    def earlier_calibration(self, run_id: int) -> SceneCalibration | None:
        """Returns what an earlier run learned from the same motion; None when there is none.

        The same maps and settings give the same calibration, which need not be learned again.
        """
        donor = None if self._store is None else self._reusable_run(run_id)
        if donor is None or donor.state != "finished":
            return None
        rows = self.case.calibrations.of_run(donor.id, SCENE)
        return SceneCalibration.decode(rows[0].calibration.body) if rows else None

    def measure(self, run_id: int, normal: Calibrations | None) -> None:
        """Measures and commits what the run does not have yet.

        Args:
            run_id: a running run.
            normal: learned from normal footage; None lets a calibration grow for the provisional
                scores.

        Raises:
            CancelledError: the user stopped; committed chunks stay.
            ResourceError: the disk is full, or the device has no memory for the text channel.
            SightlineError: the evidence cannot be read any more.
        """
        if self.text is not None:
            self._camera = None if normal is None else normal.text
            self._store = self.text.store(
                self.evidence.sha256,
                self.source.info.number,
                self.plan,
                self.recipe.settings.motion,
                self._camera,
            )
        self._copy_chunks(run_id)
        last = self.case.chunks.last(run_id, SCENE)
        first = 0 if last is None else last.seq + 1
        if first >= self.plan.chunks:
            return
        settings, done = self.recipe.settings.motion, self.plan.span(first)[0]
        need = estimate(self.source, self.plan, settings, worker_threads(), done, self.text)
        check_space(self.case.path, need.bytes)
        rate = _MeasuringRate(len(self.plan), done, need.seconds, self.progress)
        scene = None if normal is None else normal.scene
        provisional = ProvisionalScores(self.plan, self.recipe.settings.scene, scene)
        with ExitStack() as stack:
            meter = None
            if self.text is not None:
                meter = stack.enter_context(
                    self.text.meter(
                        self.source, self.plan, self.evidence.fps, self._store, self._camera
                    )
                )
            self._learn_stored(run_id, provisional, meter)
            chunks = measure_stream(self.source, self.plan, settings, self.cancel, first, meter)
            for chunk in stack.enter_context(closing(chunks)):
                ((maps, seconds),) = self.recipe.mask.apply(
                    [(chunk.maps, chunk.seconds)], self.plan.grid
                )
                self._commit(run_id, chunk, provisional.score(maps, seconds))
                rate.update(self.plan.span(chunk.number)[1])

    def _learn_stored(
        self, run_id: int, provisional: ProvisionalScores, meter: TextMeter | None
    ) -> None:
        mask, grid = self.recipe.mask, self.plan.grid
        for block in motion_blocks(self.case, run_id, self.plan, self.cancel):
            for maps, seconds in mask.apply([block], grid):
                provisional.learn(maps, seconds)
            if meter is not None:
                meter.learn(block[0])
        last = self.case.chunks.last(run_id, TEXT)
        if meter is not None and last is not None:
            meter.limit_window(int(json.loads(last.info)["window"]))

    def _copy_chunks(self, run_id: int) -> None:
        if self.text is None or self._store is None:
            return
        donor = self._reusable_run(run_id)
        if donor is None:
            return
        # Nothing is decoded here, so that the meter may share the source with others.
        meter = TextMeter(self.source, self.plan, self.text.model, self._store, self._camera)
        ends = [self.case.chunks.last(run, SCENE) for run in (run_id, donor.id)]
        start, stop = (0 if last is None else last.seq + 1 for last in ends)
        for number in range(start, stop):
            self.cancel.check()
            features = self._store.load(number)
            if features is None:
                # A run without prompts never had any.
                if self.case.chunks.last(donor.id, TEXT) is not None:
                    self._missing = stop - number
                return
            scene = self.case.chunks.read(donor.id, SCENE, number)
            self._append(run_id, number, scene, meter.read(features))
            done = self.plan.span(number)[1]
            self.progress(Progress("reading kept features", done, len(self.plan)))

    def _reusable_run(self, run_id: int) -> RunRow | None:
        """Returns the newest other run that measured the same motion with the same region mask."""
        current = self.case.runs.get(run_id)
        settings = _motion_settings(current)
        for run in reversed(self.case.runs.all(current.evidence_id)):
            same_evidence = run.evidence_sha256 == current.evidence_sha256
            same = same_evidence and _motion_settings(run) == settings
            if run.id != run_id and same and self.case.chunks.last(run.id, SCENE) is not None:
                return run
        return None

    def _commit(self, run_id: int, chunk: MeasuredChunk, provisional: NDArray[np.float32]) -> None:
        maps = chunk.maps
        speed = np.hypot(maps.vx.astype(np.float32), maps.vy.astype(np.float32)) * SPEED_UNIT
        raw = speed.max((1, 2)).astype(np.float32)
        scores = pack_arrays({"raw_scores": raw, "provisional": provisional}, level=6)
        info = json.dumps({"damaged": np.flatnonzero(chunk.damaged).tolist()})
        scene = Chunk(self._span(chunk.number, SCENE, info), scores, maps.encode())
        self._append(run_id, chunk.number, scene, chunk.text)

    def _append(self, run_id: int, number: int, scene: Chunk, text: MeasuredText | None) -> None:
        with self.case.change() as change:
            change.chunks.append(run_id, scene)
            if text is not None:
                change.chunks.append(run_id, self._text_chunk(number, text))
        self.on_commit(run_id, scene.span)

    def _text_chunk(self, number: int, text: MeasuredText) -> Chunk:
        assert self.text is not None
        start, stop = self.plan.span(number)
        seconds, maps = self.plan.seconds[start:stop], text.maps
        channel = TextChannel(self.text.pack_calibration(), self.plan.grid)
        provisional = channel.score(maps, seconds).scores
        raw = np.zeros(len(seconds), np.float32)
        if len(maps):
            raw = np.interp(seconds, maps.seconds, maps.largest()).astype(np.float32)
        scores = pack_arrays({"raw_scores": raw, "provisional": provisional}, level=6)
        info = json.dumps({"window": text.window, "size": list(text.size)})
        return Chunk(self._span(number, TEXT, info), scores, maps.encode())

    def _span(self, number: int, channel: str, info: str) -> ChunkSpan:
        start, stop = self.plan.span(number)
        return ChunkSpan(
            seq=number,
            channel=channel,
            first_frame=int(self.plan.frames[start]),
            last_frame=int(self.plan.frames[stop - 1]),
            first_pts=int(self.plan.pts[start]),
            last_pts=int(self.plan.pts[stop - 1]),
            info=info,
        )


_NOT_MOTION = ("text", "channels", "variant")
"""Settings of a run that do not decide its motion maps."""


def _motion_settings(run: RunRow) -> dict[str, object]:
    settings: dict[str, object] = json.loads(run.settings)
    return {name: value for name, value in settings.items() if name not in _NOT_MOTION}


class _MeasuringRate:
    """Reports how far measuring is, at which rate, and how long it will take."""

    def __init__(self, total: int, done: int, seconds: float, progress: ProgressCallback) -> None:
        self._total, self._start, self._progress = total, done, progress
        self._start_s = time.monotonic()
        rate = (total - done) / seconds if seconds > 0 else 0.0
        progress(Progress("analysing", done, total, rate, seconds))

    def update(self, frames: int) -> None:
        """Reports that so many frames are done in all."""
        spent = max(1e-9, time.monotonic() - self._start_s)
        rate = (frames - self._start) / spent
        remaining_s = (self._total - frames) / rate if rate > 0 else None
        self._progress(Progress("analysing", frames, self._total, rate, remaining_s))
