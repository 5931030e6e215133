"""One run in a case: chunks committed as they come, results derived at the end."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.analysis.calibrating import (
    CHANNEL,
    Block,
    check_spans,
    find_calibration,
    learn_own,
    store_calibration,
)
from engine.analysis.deriving import Results, derive
from engine.analysis.environment import environment
from engine.analysis.estimate import check_space, estimate
from engine.analysis.heat import HeatSpool
from engine.analysis.measuring import MeasuredChunk, measure_stream, worker_threads
from engine.analysis.normal import learn_normal
from engine.analysis.plan import AnalysisPlan, make_plan
from engine.analysis.provisional import ProvisionalScores
from engine.analysis.recipe import Recipe
from engine.analysis.warnings import run_warnings, stream_warnings
from engine.cases import (
    Case,
    Change,
    Chunk,
    ChunkSpan,
    EvidenceRow,
    RunRow,
    settings_hash,
)
from engine.core.arrays import pack_arrays
from engine.core.errors import BadInputError, CancelledError
from engine.core.progress import CancelToken, Progress, Report, silent
from engine.core.results import RunWarning
from engine.media import Source
from engine.motion.maps import SPEED_UNIT, MotionMaps
from engine.scene.calibration import Calibration


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
    """Results with the calibration they rest on; `stored` is its id when the case has it."""

    results: Results
    calibration: Calibration
    stored: int | None
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
        cancel: CancelToken | None = None,
        report: Report = silent,
        committed: Callable[[int, ChunkSpan], None] = lambda _run_id, _span: None,
    ) -> None:
        """Plans the run.

        Args:
            case: open for writing.
            evidence: in that case, found unchanged.
            source: the evidence, open.
            recipe: settings and calibration sources.
            cancel: looked at between chunks.
            report: told how far the work is.
            committed: told the run and where the chunk lies that was just committed.

        Raises:
            BadInputError: the settings or the picture cannot be analysed, or a span marked normal
                holds no frame.
        """
        self._case = case
        self._evidence = evidence
        self._source = source
        self._recipe = recipe
        self._cancel = cancel or CancelToken()
        self._report = report
        self._committed = committed
        self._plan: AnalysisPlan = make_plan(source.info, source.index, recipe.settings)
        check_spans(recipe.normal_spans, self._plan)
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
            normal = self._normal_calibration(run_id, resuming.relearn)
            self._measure(run_id, normal)
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
            last = self._case.chunks.last(unfinished.id, CHANNEL)
            done = 0 if last is None else self._plan.span(last.seq)[1]
            change.runs.resume(unfinished.id, done)
            return unfinished.id

    def _normal_calibration(self, run_id: int, relearn: bool) -> tuple[Calibration, int] | None:
        if self._recipe.calibration != "normal":
            return None
        known = find_calibration(self._case, self._recipe, self._plan.grid)
        if known is not None and not relearn:
            return known
        calibration = learn_normal(
            self._recipe.normal,
            self._recipe.fps,
            self._plan.grid,
            self._recipe.settings,
            self._recipe.parts,
            self._cancel,
            self._report,
        )
        with self._case.change() as change:
            return calibration, self._store_calibration(change, run_id, calibration)

    def _store_calibration(self, change: Change, run_id: int, calibration: Calibration) -> int:
        kind = self._recipe.calibration
        return store_calibration(change, calibration, kind, run_id, self._evidence.id)

    def _measure(self, run_id: int, normal: tuple[Calibration, int] | None) -> None:
        last = self._case.chunks.last(run_id, CHANNEL)
        first = 0 if last is None else last.seq + 1
        if first >= self._plan.chunks:
            return
        settings, done = self._recipe.settings.motion, self._plan.span(first)[0]
        need = estimate(self._source, self._plan, settings, worker_threads(), done)
        check_space(self._case.path, need.bytes)
        pace = _Pace(len(self._plan), done, need.seconds, self._report)
        provisional = ProvisionalScores(
            self._plan, self._recipe.settings.scene, normal[0] if normal else None
        )
        for maps, seconds in self._blocks(run_id):
            provisional.learn(maps, seconds)
        chunks = measure_stream(self._source, self._plan, settings, self._cancel, first)
        try:
            for chunk in chunks:
                ((maps, seconds),) = self._recipe.parts.applied(
                    [(chunk.maps, chunk.seconds)], self._plan.grid
                )
                self._commit(run_id, chunk, provisional.score(maps, seconds))
                pace.done(self._plan.span(chunk.number)[1])
        finally:
            chunks.close()

    def _commit(self, run_id: int, chunk: MeasuredChunk, provisional: NDArray[np.float32]) -> None:
        start, stop = self._plan.span(chunk.number)
        maps = chunk.maps
        speed = np.hypot(maps.vx.astype(np.float32), maps.vy.astype(np.float32)) * SPEED_UNIT
        span = ChunkSpan(
            seq=chunk.number,
            channel=CHANNEL,
            first_frame=int(self._plan.frames[start]),
            last_frame=int(self._plan.frames[stop - 1]),
            first_pts=int(self._plan.pts[start]),
            last_pts=int(self._plan.pts[stop - 1]),
            info=json.dumps({"damaged": np.flatnonzero(chunk.damaged).tolist()}),
        )
        raw = speed.max((1, 2)).astype(np.float32)
        scores = pack_arrays({"raw_scores": raw, "provisional": provisional}, level=6)
        packed = Chunk(span, scores, maps.encode())
        with self._case.change() as change:
            change.chunks.append(run_id, packed)
        self._committed(run_id, span)

    def _blocks(self, run_id: int) -> Iterator[Block]:
        yield from self._recipe.parts.applied(self._stored(run_id), self._plan.grid)

    def _stored(self, run_id: int) -> Iterator[Block]:
        for chunk in self._case.chunks.stream(run_id, CHANNEL):
            start, stop = self._plan.span(chunk.span.seq)
            yield MotionMaps.decode(chunk.raw), self._plan.seconds[start:stop]

    def _derive(self, run_id: int, normal: tuple[Calibration, int] | None) -> _Derived:
        if normal is None:
            calibration, stored = self._own_calibration(run_id), None
        else:
            calibration, stored = normal
        heat = HeatSpool(CHANNEL, self._plan)
        results = derive(
            lambda: self._blocks(run_id),
            calibration,
            self._plan,
            self._recipe.settings,
            self._cancel,
            self._report,
            see=heat.add,
        )
        return _Derived(results, calibration, stored, heat)

    def _own_calibration(self, run_id: int) -> Calibration:
        source = {"path": self._evidence.path, "sha256": self._evidence.sha256}
        return learn_own(lambda: self._blocks(run_id), source, self._recipe, self._plan)

    def _finish(self, run_id: int, derived: _Derived) -> None:
        warnings = self._warnings(run_id, derived.calibration)
        results = derived.results
        with self._case.change() as change:
            stored = derived.stored
            if stored is None:
                stored = self._store_calibration(change, run_id, derived.calibration)
            change.results.replace(
                run_id,
                scores=results.scores,
                regions=results.regions,
                trajectories=results.trajectories,
                events=results.events,
                calibrations=[stored],
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

    def _warnings(self, run_id: int, calibration: Calibration) -> list[RunWarning]:
        damaged, camera, unsteady = 0, [], []
        for chunk in self._case.chunks.stream(run_id, CHANNEL):
            maps = MotionMaps.decode(chunk.raw)
            damaged += len(json.loads(chunk.span.info)["damaged"])
            camera.append(maps.camera.any(axis=1))
            unsteady.append(maps.unsteady)
        info, index = self._source.info, self._source.index
        met = run_warnings(
            damaged, index.missing, np.concatenate(camera), np.concatenate(unsteady), calibration
        )
        return stream_warnings(info, index) + met

    def _stop(self, run_id: int, state: str, reason: str) -> None:
        last = self._case.chunks.last(run_id, CHANNEL)
        done = 0 if last is None else self._plan.span(last.seq)[1]
        wall = time.monotonic() - self._begun
        with self._case.change() as change:
            if state == "cancelled":
                change.runs.stop(run_id, "cancelled", analysed_frames=done, wall_s=wall)
            else:
                change.runs.stop(run_id, "failed", analysed_frames=done, wall_s=wall, reason=reason)


class _Pace:
    """Says how far measuring is, at which rate, and how long it will take."""

    def __init__(self, total: int, done: int, seconds: float, report: Report) -> None:
        self._total, self._start, self._report = total, done, report
        self._begun = time.monotonic()
        rate = (total - done) / seconds if seconds > 0 else 0.0
        report(Progress("analysing", done, total, rate, seconds))

    def done(self, frames: int) -> None:
        """Tells that so many frames are done in all."""
        spent = max(1e-9, time.monotonic() - self._begun)
        rate = (frames - self._start) / spent
        left = (self._total - frames) / rate if rate > 0 else None
        self._report(Progress("analysing", frames, self._total, rate, left))
