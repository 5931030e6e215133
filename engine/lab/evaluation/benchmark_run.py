"""Analyses the videos of a benchmark and compares the results with the ground truth."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.core.channels import leading_channel
from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, Progress, ProgressCallback, silent
from engine.core.settings import AnalysisSettings
from engine.detectors.scene.scene_learning import learn_scene
from engine.detectors.text.text_calibration import TextCalibration, learn_text
from engine.detectors.text.text_detector import TextDetector
from engine.export.region_rows import ScoredRegions
from engine.lab.datasets.dataset import Dataset, Video, select_videos
from engine.lab.evaluation.benchmark_report import BenchmarkMetrics, Evaluation
from engine.lab.evaluation.dumps import write_dump
from engine.lab.evaluation.evaluation_pictures import draw_video
from engine.lab.evaluation.ground_truth import VideoTruth, read_truth
from engine.lab.evaluation.region_cuts import cut_many
from engine.media import hash_evidence, open_source
from engine.motion.analysis_plan import AnalysisPlan, frame_seconds, make_plan
from engine.pipeline.calibration.map_spool import MapSpool
from engine.pipeline.calibration.normal_learner import NormalLearner, measure_footage
from engine.pipeline.channels.raw_maps import Calibrations, RawMaps
from engine.pipeline.channels.scoring import BlockScores
from engine.pipeline.interpolation import expand_heat, expand_scores
from engine.pipeline.normal_footage import hash_normal_footage
from engine.pipeline.region_mask import WHOLE_FRAME
from engine.pipeline.results import derive_results

CalibrationSource = Literal["normal", "camera", "self"]


@dataclass(frozen=True)
class EvaluationRun:
    """The results of an evaluation.

    Attributes:
        channels: metrics of each channel.
        leading: the channel whose metrics stand at the top.
        calibrate: where calibrations came from.
        frames: how many frames were analysed.
        wall_s: seconds of work, decoding and learning included.
        error_rates: for each channel the shares of frames that are wrong at the score at which an
            event starts.
    """

    channels: dict[str, BenchmarkMetrics]
    leading: str
    calibrate: CalibrationSource
    frames: int
    wall_s: float
    error_rates: dict[str, dict[str, object]]


@dataclass(frozen=True, eq=False)
class ChannelResults:
    """The results of one channel for every frame of one video.

    Attributes:
        scores: float32 [n], 0..1.
        heat: float16 [n, R, C], 0..1.
        regions: its regions, cut at several thresholds.
    """

    scores: NDArray[np.float32]
    heat: NDArray[np.float16]
    regions: ScoredRegions


@dataclass(frozen=True, eq=False)
class _MeasuredVideo:
    video: Video
    plan: AnalysisPlan
    spool: MapSpool
    pts: NDArray[np.int64]
    seconds: NDArray[np.float64]


class Evaluator:
    """Evaluates the channels of the analysis on a data set."""

    def __init__(
        self,
        dataset: Dataset,
        settings: AnalysisSettings,
        calibration: CalibrationSource | None,
        *,
        text: TextDetector | None = None,
        dump: Path | None = None,
        pictures: Path | None = None,
        cancel: CancelToken | None = None,
        progress: ProgressCallback = silent,
    ) -> None:
        """Prepares an evaluation.

        Args:
            dataset: the benchmark.
            settings: settings of the analysis.
            calibration: where calibrations come from; None takes normal footage when the data
                set has some, otherwise all videos of a camera together.
            text: the text channel, ready for use; None when the settings do not name it.
            dump: folder for arrays and regions of every video, those of the leading channel.
            pictures: folder for pictures of every video.
            cancel: looked at between chunks.
            progress: told how far the work is.
        """
        self._dataset = dataset
        self._settings = settings
        self._calibration = calibration
        self._text = text
        self._leading = leading_channel(settings.channels)
        self._dump = dump
        self._pictures = pictures
        self._cancel = cancel or CancelToken()
        self._progress = progress

    def evaluate(self, split: str, names: Sequence[str] | None = None) -> EvaluationRun:
        """Analyses the videos of a split and computes the metrics.

        Raises:
            BadInputError: a video, its ground truth or the calibration is missing or damaged.
            CancelledError: the user stopped.
        """
        start_s = time.monotonic()
        videos = select_videos(self._dataset, split, names)
        if not videos:
            raise BadInputError("no videos in the split", self._dataset.root, "choose another")
        kind = self._calibration or ("normal" if self._normal(videos[0]) else "camera")
        evaluations: dict[str, Evaluation] = {}
        frames = 0
        for folder in (self._dump, self._pictures):
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
        for camera in dict.fromkeys(video.camera for video in videos):
            videos_of_camera = [video for video in videos if video.camera == camera]
            frames += self._evaluate_camera(videos_of_camera, kind, evaluations)
        metrics = {name: evaluation.metrics() for name, evaluation in evaluations.items()}
        start = self._settings.tracking.event_on
        rates = {name: evaluation.error_rates(start) for name, evaluation in evaluations.items()}
        wall_s = time.monotonic() - start_s
        return EvaluationRun(metrics, self._leading, kind, frames, wall_s, rates)

    def _normal(self, video: Video) -> list[Path]:
        return self._dataset.normal(video.camera)

    def _evaluate_camera(
        self, videos: list[Video], kind: CalibrationSource, evaluations: dict[str, Evaluation]
    ) -> int:
        with ExitStack() as stack:
            measured = []
            normal = self._learn_normal(videos[0]) if kind == "normal" else None
            for video in videos:
                footage = self._measure(video, None if normal is None else normal.text)
                stack.enter_context(footage.spool)
                measured.append(footage)
            shared = self._learn(measured, kind) if kind == "camera" else normal
            for footage in measured:
                calibrations = shared or self._learn([footage], "self")
                truth, by_channel = self._score(footage, calibrations)
                for name, results in by_channel.items():
                    evaluation = evaluations.setdefault(name, Evaluation())
                    evaluation.add(truth, results.scores, iter(results.heat), results.regions)
                self._write_files(footage, truth, by_channel)
            return sum(len(footage.plan) for footage in measured)

    def _measure(self, video: Video, camera: TextCalibration | None) -> _MeasuredVideo:
        plan, spool = measure_footage(
            video.path,
            None,
            None,
            self._settings,
            self._cancel,
            self._progress_of(video.name),
            self._text,
            self._hash(video.path),
            camera,
        )
        with open_source(video.path) as source:
            return _MeasuredVideo(video, plan, spool, source.index.pts, frame_seconds(source.index))

    def _hash(self, path: Path) -> str:
        """Returns the hash under which features are kept; nothing when none are."""
        if self._text is None or self._text.cache is None:
            return ""
        return str(hash_evidence(path, cancel=self._cancel)["sha256"])

    def _progress_of(self, name: str) -> ProgressCallback:
        def report_named(progress: Progress) -> None:
            self._progress(Progress(f"analysing {name}", progress.done, progress.total))

        return report_named

    def _learn_normal(self, video: Video) -> Calibrations:
        paths = self._normal(video)
        if not paths:
            raise BadInputError(
                "the data set has no normal footage of this camera",
                video.camera,
                "use --calibrate camera or self",
            )
        with open_source(video.path) as source:
            grid = make_plan(source.info, source.index, self._settings).grid
        learner = NormalLearner(
            hash_normal_footage(paths, self._cancel),
            None,
            grid,
            self._settings,
            WHOLE_FRAME,
            self._text,
            self._cancel,
            self._progress,
        )
        return learner.learn()

    def _learn(self, measured: list[_MeasuredVideo], kind: CalibrationSource) -> Calibrations:
        plan = measured[0].plan
        scene = learn_scene(
            kind,
            [footage.spool.blocks for footage in measured],
            (plan.grid.rows, plan.grid.columns),
            plan.grid.cell,
            plan.rate,
            self._settings.scene,
        )
        if self._text is None:
            return Calibrations(scene)
        maps = chain.from_iterable(footage.spool.texts() for footage in measured)
        return Calibrations(scene, learn_text(kind, maps, self._text.pack_calibration()))

    def _score(
        self, footage: _MeasuredVideo, calibrations: Calibrations
    ) -> tuple[VideoTruth, dict[str, ChannelResults]]:
        heat: dict[str, list[NDArray[np.float32]]] = {}

        def collect_heat(_start: int, block: BlockScores) -> None:
            for name, channel in block.channels.items():
                heat.setdefault(name, []).append(channel.heat)

        raw = RawMaps(footage.spool.blocks, None if self._text is None else footage.spool.texts)
        results = derive_results(
            raw, calibrations, footage.plan, self._settings, self._cancel, on_block=collect_heat
        )
        grid = footage.plan.grid
        truth = read_truth(footage.video, len(footage.pts), (grid.source_width, grid.source_height))
        by_channel = {
            name: self._expand(footage, results.scores[name], np.concatenate(parts))
            for name, parts in heat.items()
        }
        return truth, by_channel

    def _expand(
        self, footage: _MeasuredVideo, scores: NDArray[np.float32], heat: NDArray[np.float32]
    ) -> ChannelResults:
        grid, cuts = footage.plan.grid, self._settings.tracking.region_cuts
        maps, rows = [], []
        for frame, full in enumerate(expand_heat(heat, footage.plan.seconds, footage.seconds)):
            maps.append(full.astype(np.float16))
            rows += [(frame, *box.corners, score) for box, score in cut_many(full, cuts, grid)]
        every = expand_scores(scores, footage.plan.seconds, footage.seconds)
        return ChannelResults(every, np.stack(maps), ScoredRegions.from_rows(rows))

    def _write_files(
        self, footage: _MeasuredVideo, truth: VideoTruth, by_channel: dict[str, ChannelResults]
    ) -> None:
        name, leading = footage.video.name, by_channel[self._leading]
        analysed = np.zeros(len(footage.pts), np.bool_)
        analysed[footage.plan.frames] = True
        if self._dump is not None:
            write_dump(
                self._dump,
                name,
                leading.scores,
                leading.heat,
                footage.pts,
                analysed,
                leading.regions,
            )
        if self._pictures is not None:
            draw_video(
                self._pictures,
                footage.video,
                truth,
                {name: results.scores for name, results in by_channel.items()},
                self._leading,
                leading.heat,
                leading.regions,
                footage.plan.rate,
            )
