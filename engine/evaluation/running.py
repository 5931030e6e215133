"""Analyses the videos of a benchmark and compares what is found with the truth."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.analysis.deriving import derive
from engine.analysis.expanding import expand_heat, expand_scores
from engine.analysis.normal import hash_normal, learn_normal, measure_footage
from engine.analysis.parts import WHOLE_PICTURE
from engine.analysis.plan import AnalysisPlan, frame_seconds
from engine.analysis.spool import MapSpool
from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, Progress, Report, silent
from engine.core.settings import AnalysisSettings
from engine.datasets.base import Dataset, Video
from engine.evaluation.dumps import chosen_videos, write_dump
from engine.evaluation.pictures import draw_video
from engine.evaluation.regions import ScoredRegions
from engine.evaluation.report import Evaluation, Figures
from engine.evaluation.truth import VideoTruth, read_truth
from engine.media import open_source
from engine.scene.calibration import Calibration
from engine.scene.channel import ScoredFrames
from engine.scene.learning import calibrate
from engine.tracking.regions import cut_many

Calibrate = Literal["normal", "camera", "self"]


@dataclass(frozen=True)
class EvaluationRun:
    """What an evaluation found.

    Attributes:
        figures: of the scene channel.
        calibrate: where calibrations came from.
        frames: analysed.
        wall_s: seconds of work, decoding and learning included.
        error_rates: shares of frames that are wrong at the score at which an event starts.
    """

    figures: Figures
    calibrate: Calibrate
    frames: int
    wall_s: float
    error_rates: dict[str, object]


@dataclass(frozen=True, eq=False)
class Found:
    """What the analysis found in one video, for every frame.

    Attributes:
        scores: float32 [n], 0..1.
        heat: float16 [n, R, C], 0..1.
        regions: cut at several thresholds.
        pts: int64 [n].
        analysed: bool [n].
    """

    scores: NDArray[np.float32]
    heat: NDArray[np.float16]
    regions: ScoredRegions
    pts: NDArray[np.int64]
    analysed: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _Measured:
    video: Video
    plan: AnalysisPlan
    spool: MapSpool
    pts: NDArray[np.int64]
    seconds: NDArray[np.float64]


class Evaluator:
    """Evaluates the scene channel on a data set."""

    def __init__(
        self,
        dataset: Dataset,
        settings: AnalysisSettings,
        calibration: Calibrate | None,
        *,
        dump: Path | None = None,
        pictures: Path | None = None,
        cancel: CancelToken | None = None,
        report: Report = silent,
    ) -> None:
        """Prepares an evaluation.

        Args:
            dataset: the benchmark.
            settings: of the analysis.
            calibration: where calibrations come from; None takes normal footage when the data
                set has some, otherwise all videos of a camera together.
            dump: folder for arrays and regions of every video.
            pictures: folder for pictures of every video.
            cancel: looked at between chunks.
            report: told how far the work is.
        """
        self._dataset = dataset
        self._settings = settings
        self._calibration = calibration
        self._dump = dump
        self._pictures = pictures
        self._cancel = cancel or CancelToken()
        self._report = report

    def evaluate(self, split: str, names: Sequence[str] | None = None) -> EvaluationRun:
        """Analyses the videos of a split and computes the figures.

        Raises:
            BadInputError: a video, the truth or the calibration asked for is missing or damaged.
            CancelledError: the user stopped.
        """
        begun = time.monotonic()
        videos = chosen_videos(self._dataset, split, names)
        if not videos:
            raise BadInputError("no videos in the split", self._dataset.root, "choose another")
        kind = self._calibration or ("normal" if self._normal(videos[0]) else "camera")
        evaluation, frames = Evaluation(), 0
        for folder in (self._dump, self._pictures):
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
        for camera in dict.fromkeys(video.camera for video in videos):
            mine = [video for video in videos if video.camera == camera]
            frames += self._camera(mine, kind, evaluation)
        rates = evaluation.error_rates(self._settings.tracking.event_on)
        return EvaluationRun(evaluation.figures(), kind, frames, time.monotonic() - begun, rates)

    def _normal(self, video: Video) -> list[Path]:
        return self._dataset.normal(video.camera)

    def _camera(self, videos: list[Video], kind: Calibrate, evaluation: Evaluation) -> int:
        with ExitStack() as stack:
            measured = []
            for video in videos:
                one = self._measure(video)
                stack.enter_context(one.spool)
                measured.append(one)
            shared = None if kind == "self" else self._learn(measured, kind)
            for one in measured:
                calibration = shared or self._learn([one], "self")
                truth, found = self._judge(one, calibration)
                heat = iter(found.heat)
                evaluation.add(truth, found.scores, heat, found.regions)
                self._keep(one, truth, found)
            return sum(len(one.plan) for one in measured)

    def _measure(self, video: Video) -> _Measured:
        plan, spool = measure_footage(
            video.path, None, None, self._settings, self._cancel, self._named(video.name)
        )
        with open_source(video.path) as source:
            return _Measured(video, plan, spool, source.index.pts, frame_seconds(source.index))

    def _named(self, name: str) -> Report:
        def report(progress: Progress) -> None:
            self._report(Progress(f"analysing {name}", progress.done, progress.total))

        return report

    def _learn(self, measured: list[_Measured], kind: Calibrate) -> Calibration:
        plan = measured[0].plan
        if kind == "normal":
            paths = self._normal(measured[0].video)
            if not paths:
                raise BadInputError(
                    "the data set has no normal footage of this camera",
                    measured[0].video.camera,
                    "use --calibrate camera or self",
                )
            footage = hash_normal(paths, self._cancel)
            return learn_normal(
                footage,
                None,
                plan.grid,
                self._settings,
                WHOLE_PICTURE,
                self._cancel,
                self._report,
            )
        return calibrate(
            kind,
            [one.spool.blocks for one in measured],
            (plan.grid.rows, plan.grid.columns),
            plan.grid.cell,
            plan.rate,
            self._settings.scene,
        )

    def _judge(self, one: _Measured, calibration: Calibration) -> tuple[VideoTruth, Found]:
        heat: list[NDArray[np.float32]] = []

        def see(_at: int, scored: ScoredFrames) -> None:
            heat.append(scored.heat)

        results = derive(
            one.spool.blocks, calibration, one.plan, self._settings, self._cancel, see=see
        )
        grid, cuts = one.plan.grid, self._settings.tracking.region_cuts
        maps, rows = [], []
        for frame, full in enumerate(
            expand_heat(np.concatenate(heat), one.plan.seconds, one.seconds)
        ):
            maps.append(full.astype(np.float16))
            rows += [(frame, *box.corners, score) for box, score in cut_many(full, cuts, grid)]
        analysed = np.zeros(len(one.pts), np.bool_)
        analysed[one.plan.frames] = True
        size = grid.source_width, grid.source_height
        truth = read_truth(one.video, len(one.pts), size)
        scores = expand_scores(results.scores["scene"], one.plan.seconds, one.seconds)
        regions = ScoredRegions.from_rows(rows)
        return truth, Found(scores, np.stack(maps), regions, one.pts, analysed)

    def _keep(self, one: _Measured, truth: VideoTruth, found: Found) -> None:
        name = one.video.name
        if self._dump is not None:
            write_dump(
                self._dump,
                name,
                found.scores,
                found.heat,
                found.pts,
                found.analysed,
                found.regions,
            )
        if self._pictures is not None:
            draw_video(
                self._pictures,
                one.video,
                truth,
                found.scores,
                found.heat,
                found.regions,
                one.plan.rate,
            )
