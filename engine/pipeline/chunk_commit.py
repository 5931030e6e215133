"""Measures the chunks of a run and commits them: motion and what the prompts find together."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import ExitStack, closing

import numpy as np
from numpy.typing import NDArray

from engine.case import Case, Chunk, ChunkSpan, EvidenceRow, RunRow
from engine.core.arrays import pack_arrays
from engine.core.findings import RunWarning
from engine.core.progress import CancelToken, Progress, ProgressCallback
from engine.detectors.scene.scene_calibration import Calibration
from engine.detectors.text.feature_store import FeatureStore
from engine.detectors.text.text_calibration import TextCalibration
from engine.detectors.text.text_channel import TextChannel
from engine.detectors.text.text_detector import TextUse
from engine.detectors.text.text_meter import MeasuredText, TextMeter
from engine.media import Source
from engine.motion.analysis_plan import AnalysisPlan
from engine.motion.motion_maps import SPEED_UNIT
from engine.pipeline.calibration.provisional_scores import ProvisionalScores
from engine.pipeline.estimate import check_space, estimate
from engine.pipeline.fusion import SCENE, TEXT
from engine.pipeline.recipe import Recipe
from engine.pipeline.run_warnings import feature_warnings
from engine.pipeline.scoring import Calibrations
from engine.pipeline.stored_maps import motion_blocks
from engine.pipeline.stream_measurement import MeasuredChunk, measure_stream, worker_threads


class Measuring:
    """Fills a run with chunks, from the first one that it does not have.

    Where an earlier run measured the same motion and the features are still kept, both are taken
    over without decoding; other prompts are read from them. Everything else is measured.
    """

    def __init__(
        self,
        case: Case,
        evidence: EvidenceRow,
        source: Source,
        recipe: Recipe,
        plan: AnalysisPlan,
        text: TextUse | None,
        cancel: CancelToken,
        progress: ProgressCallback,
        committed: Callable[[int, ChunkSpan], None],
    ) -> None:
        """Takes what a `Run` was given, and its plan."""
        self._case = case
        self._evidence = evidence
        self._source = source
        self._recipe = recipe
        self._plan = plan
        self._text = text
        self._cancel = cancel
        self._progress = progress
        self._committed = committed
        self._store: FeatureStore | None = None
        self._camera: TextCalibration | None = None
        self._gone = 0

    def done(self, run_id: int) -> int:
        """Returns how many analysed frames of a run are committed."""
        last = self._case.chunks.last(run_id, SCENE)
        return 0 if last is None else self._plan.span(last.seq)[1]

    def warnings(self) -> list[RunWarning]:
        """Returns what must be said about kept features."""
        if self._store is None:
            return []
        return feature_warnings(
            self._gone, self._store.evicted, self._store.refused, self._plan.chunks
        )

    def known_scene(self, run_id: int) -> Calibration | None:
        """Returns what an earlier run learned from the same motion; None when it is to be learned.

        The same maps and settings give the same calibration, so learning it again is spared.
        """
        donor = None if self._store is None else self._donor(run_id)
        if donor is None or donor.state != "finished":
            return None
        learned = self._case.calibrations.of_run(donor.id, SCENE)
        return Calibration.decode(learned[0].calibration.body) if learned else None

    def measure(self, run_id: int, normal: Calibrations | None) -> None:
        """Measures and commits what the run does not have yet.

        Args:
            run_id: a running run.
            normal: what was learned from normal footage; None lets a calibration grow for the
                scores shown meanwhile.

        Raises:
            CancelledError: the user stopped; committed chunks stay.
            ResourceError: the disk is full, or the device has no memory for the text channel.
            SightlineError: the evidence cannot be read any more.
        """
        if self._text is not None:
            self._camera = None if normal is None else normal.text
            self._store = self._text.store(
                self._evidence.sha256,
                self._source.info.number,
                self._plan,
                self._recipe.settings.motion,
                self._camera,
            )
        self._take_over(run_id)
        last = self._case.chunks.last(run_id, SCENE)
        first = 0 if last is None else last.seq + 1
        if first >= self._plan.chunks:
            return
        settings, done = self._recipe.settings.motion, self._plan.span(first)[0]
        need = estimate(self._source, self._plan, settings, worker_threads(), done, self._text)
        check_space(self._case.path, need.bytes)
        pace = _Pace(len(self._plan), done, need.seconds, self._progress)
        scene = None if normal is None else normal.scene
        provisional = ProvisionalScores(self._plan, self._recipe.settings.scene, scene)
        with ExitStack() as stack:
            meter = None
            if self._text is not None:
                meter = stack.enter_context(
                    self._text.meter(
                        self._source, self._plan, self._evidence.fps, self._store, self._camera
                    )
                )
            self._learn_stored(run_id, provisional, meter)
            chunks = measure_stream(self._source, self._plan, settings, self._cancel, first, meter)
            for chunk in stack.enter_context(closing(chunks)):
                ((maps, seconds),) = self._recipe.parts.applied(
                    [(chunk.maps, chunk.seconds)], self._plan.grid
                )
                self._commit(run_id, chunk, provisional.score(maps, seconds))
                pace.done(self._plan.span(chunk.number)[1])

    def _learn_stored(
        self, run_id: int, provisional: ProvisionalScores, meter: TextMeter | None
    ) -> None:
        parts, grid = self._recipe.parts, self._plan.grid
        for block in motion_blocks(self._case, run_id, self._plan, self._cancel):
            for maps, seconds in parts.applied([block], grid):
                provisional.learn(maps, seconds)
            if meter is not None:
                meter.learn(block[0])
        last = self._case.chunks.last(run_id, TEXT)
        if meter is not None and last is not None:
            meter.go_on_with(int(json.loads(last.info)["window"]))

    def _take_over(self, run_id: int) -> None:
        if self._text is None or self._store is None:
            return
        donor = self._donor(run_id)
        if donor is None:
            return
        # Nothing is decoded here, so the source in use may serve the meter as well.
        meter = TextMeter(self._source, self._plan, self._text.model, self._store, self._camera)
        there = self._case.chunks.last(run_id, SCENE)
        given = self._case.chunks.last(donor.id, SCENE)
        start, stop = (0 if one is None else one.seq + 1 for one in (there, given))
        for number in range(start, stop):
            self._cancel.check()
            kept = self._store.load(number)
            if kept is None:
                # A run without prompts never kept any.
                if self._case.chunks.last(donor.id, TEXT) is not None:
                    self._gone = stop - number
                return
            scene = self._case.chunks.read(donor.id, SCENE, number)
            self._append(run_id, number, scene, meter.read(kept))
            done = self._plan.span(number)[1]
            self._progress(Progress("reading kept features", done, len(self._plan)))

    def _donor(self, run_id: int) -> RunRow | None:
        """Finds the newest other run that measured the same motion and marked the same parts."""
        mine = self._case.runs.get(run_id)
        wanted = _without_text(mine)
        for run in reversed(self._case.runs.all(mine.evidence_id)):
            same = run.evidence_sha256 == mine.evidence_sha256 and _without_text(run) == wanted
            if run.id != run_id and same and self._case.chunks.last(run.id, SCENE) is not None:
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
        with self._case.change() as change:
            change.chunks.append(run_id, scene)
            if text is not None:
                change.chunks.append(run_id, self._text_chunk(number, text))
        self._committed(run_id, scene.span)

    def _text_chunk(self, number: int, text: MeasuredText) -> Chunk:
        assert self._text is not None
        start, stop = self._plan.span(number)
        seconds, maps = self._plan.seconds[start:stop], text.maps
        shown = TextChannel(self._text.pack_calibration(), self._plan.grid).read(maps, seconds)[1]
        raw = np.zeros(len(seconds), np.float32)
        if len(maps):
            raw = np.interp(seconds, maps.seconds, maps.largest()).astype(np.float32)
        scores = pack_arrays({"raw_scores": raw, "provisional": shown}, level=6)
        info = json.dumps({"window": text.window, "size": list(text.size)})
        return Chunk(self._span(number, TEXT, info), scores, maps.encode())

    def _span(self, number: int, channel: str, info: str) -> ChunkSpan:
        start, stop = self._plan.span(number)
        return ChunkSpan(
            seq=number,
            channel=channel,
            first_frame=int(self._plan.frames[start]),
            last_frame=int(self._plan.frames[stop - 1]),
            first_pts=int(self._plan.pts[start]),
            last_pts=int(self._plan.pts[stop - 1]),
            info=info,
        )


_READ = ("text", "channels", "variant")
"""Settings that say how the kept motion is read, not how it was measured."""


def _without_text(run: RunRow) -> dict[str, object]:
    settings: dict[str, object] = json.loads(run.settings)
    return {name: value for name, value in settings.items() if name not in _READ}


class _Pace:
    """Says how far measuring is, at which rate, and how long it will take."""

    def __init__(self, total: int, done: int, seconds: float, progress: ProgressCallback) -> None:
        self._total, self._start, self._progress = total, done, progress
        self._begun = time.monotonic()
        rate = (total - done) / seconds if seconds > 0 else 0.0
        progress(Progress("analysing", done, total, rate, seconds))

    def done(self, frames: int) -> None:
        """Tells that so many frames are done in all."""
        spent = max(1e-9, time.monotonic() - self._begun)
        rate = (frames - self._start) / spent
        left = (self._total - frames) / rate if rate > 0 else None
        self._progress(Progress("analysing", frames, self._total, rate, left))
