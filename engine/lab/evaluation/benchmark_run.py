"""Analyses the videos of a benchmark and compares what is found with the truth."""

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

from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, Progress, ProgressCallback, silent
from engine.core.settings import AnalysisSettings
from engine.detectors.scene.scene_learning import calibrate
from engine.detectors.text.text_calibration import TextCalibration, learn_text
from engine.detectors.text.text_detector import TextUse
from engine.export.region_rows import ScoredRegions
from engine.lab.datasets.dataset import Dataset, Video
from engine.lab.evaluation.benchmark_report import Evaluation, Figures
from engine.lab.evaluation.dumps import chosen_videos, write_dump
from engine.lab.evaluation.evaluation_pictures import draw_video
from engine.lab.evaluation.ground_truth import VideoTruth, read_truth
from engine.media import hash_evidence, open_source
from engine.motion.analysis_plan import AnalysisPlan, frame_seconds, make_plan
from engine.pipeline.calibration.map_spool import MapSpool
from engine.pipeline.calibration.normal_footage import hash_normal, learn_normal, measure_footage
from engine.pipeline.fusion import leading_channel
from engine.pipeline.interpolation import expand_heat, expand_scores
from engine.pipeline.region_mask import WHOLE_PICTURE
from engine.pipeline.results import derive
from engine.pipeline.scoring import Calibrations, RawMaps, Verdict
from engine.tracking.regions import cut_many

Calibrate = Literal["normal", "camera", "self"]


@dataclass(frozen=True)
class EvaluationRun:
    """What an evaluation found.

    Attributes:
        channels: figures of each channel.
        leading: the channel whose figures stand at the top.
        calibrate: where calibrations came from.
        frames: analysed.
        wall_s: seconds of work, decoding and learning included.
        error_rates: of each channel, shares of frames wrong at the score at which an event starts.
    """

    channels: dict[str, Figures]
    leading: str
    calibrate: Calibrate
    frames: int
    wall_s: float
    error_rates: dict[str, dict[str, object]]


@dataclass(frozen=True, eq=False)
class Found:
    """What one channel found in one video, for every frame.

    Attributes:
        scores: float32 [n], 0..1.
        heat: float16 [n, R, C], 0..1.
        regions: cut at several thresholds.
    """

    scores: NDArray[np.float32]
    heat: NDArray[np.float16]
    regions: ScoredRegions


@dataclass(frozen=True, eq=False)
class _Measured:
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
        calibration: Calibrate | None,
        *,
        text: TextUse | None = None,
        dump: Path | None = None,
        pictures: Path | None = None,
        cancel: CancelToken | None = None,
        progress: ProgressCallback = silent,
    ) -> None:
        """Prepares an evaluation.

        Args:
            dataset: the benchmark.
            settings: of the analysis.
            calibration: where calibrations come from; None takes normal footage when the data
                set has some, otherwise all videos of a camera together.
            text: the text channel, ready for use; None when the settings name it not.
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
        evaluations: dict[str, Evaluation] = {}
        frames = 0
        for folder in (self._dump, self._pictures):
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
        for camera in dict.fromkeys(video.camera for video in videos):
            mine = [video for video in videos if video.camera == camera]
            frames += self._camera(mine, kind, evaluations)
        figures = {name: one.figures() for name, one in evaluations.items()}
        start = self._settings.tracking.event_on
        rates = {name: one.error_rates(start) for name, one in evaluations.items()}
        wall_s = time.monotonic() - begun
        return EvaluationRun(figures, self._leading, kind, frames, wall_s, rates)

    def _normal(self, video: Video) -> list[Path]:
        return self._dataset.normal(video.camera)

    def _camera(
        self, videos: list[Video], kind: Calibrate, evaluations: dict[str, Evaluation]
    ) -> int:
        with ExitStack() as stack:
            measured = []
            normal = self._learn_normal(videos[0]) if kind == "normal" else None
            for video in videos:
                one = self._measure(video, None if normal is None else normal.text)
                stack.enter_context(one.spool)
                measured.append(one)
            shared = self._learn(measured, kind) if kind == "camera" else normal
            for one in measured:
                calibrations = shared or self._learn([one], "self")
                truth, found = self._judge(one, calibrations)
                for name, part in found.items():
                    evaluation = evaluations.setdefault(name, Evaluation())
                    evaluation.add(truth, part.scores, iter(part.heat), part.regions)
                self._keep(one, truth, found)
            return sum(len(one.plan) for one in measured)

    def _measure(self, video: Video, camera: TextCalibration | None) -> _Measured:
        plan, spool = measure_footage(
            video.path,
            None,
            None,
            self._settings,
            self._cancel,
            self._named(video.name),
            self._text,
            self._hash(video.path),
            camera,
        )
        with open_source(video.path) as source:
            return _Measured(video, plan, spool, source.index.pts, frame_seconds(source.index))

    def _hash(self, path: Path) -> str:
        """Returns the hash under which features are kept; nothing when none are."""
        if self._text is None or self._text.cache is None:
            return ""
        return str(hash_evidence(path, cancel=self._cancel)["sha256"])

    def _named(self, name: str) -> ProgressCallback:
        def named(progress: Progress) -> None:
            self._progress(Progress(f"analysing {name}", progress.done, progress.total))

        return named

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
        return learn_normal(
            hash_normal(paths, self._cancel),
            None,
            grid,
            self._settings,
            WHOLE_PICTURE,
            self._cancel,
            self._progress,
            self._text,
        )

    def _learn(self, measured: list[_Measured], kind: Calibrate) -> Calibrations:
        plan = measured[0].plan
        scene = calibrate(
            kind,
            [one.spool.blocks for one in measured],
            (plan.grid.rows, plan.grid.columns),
            plan.grid.cell,
            plan.rate,
            self._settings.scene,
        )
        if self._text is None:
            return Calibrations(scene)
        maps = chain.from_iterable(one.spool.texts() for one in measured)
        return Calibrations(scene, learn_text(kind, maps, self._text.pack_calibration()))

    def _judge(
        self, one: _Measured, calibrations: Calibrations
    ) -> tuple[VideoTruth, dict[str, Found]]:
        heat: dict[str, list[NDArray[np.float32]]] = {}

        def see(_at: int, verdict: Verdict) -> None:
            for name, reading in verdict.readings.items():
                heat.setdefault(name, []).append(reading.heat)

        raw = RawMaps(one.spool.blocks, None if self._text is None else one.spool.texts)
        prompts = () if self._text is None else self._text.recipe.prompts.abnormal
        results = derive(
            raw, calibrations, one.plan, self._settings, prompts, self._cancel, see=see
        )
        grid = one.plan.grid
        truth = read_truth(one.video, len(one.pts), (grid.source_width, grid.source_height))
        found = {
            name: self._expanded(one, results.scores[name], np.concatenate(parts))
            for name, parts in heat.items()
        }
        return truth, found

    def _expanded(
        self, one: _Measured, scores: NDArray[np.float32], heat: NDArray[np.float32]
    ) -> Found:
        grid, cuts = one.plan.grid, self._settings.tracking.region_cuts
        maps, rows = [], []
        for frame, full in enumerate(expand_heat(heat, one.plan.seconds, one.seconds)):
            maps.append(full.astype(np.float16))
            rows += [(frame, *box.corners, score) for box, score in cut_many(full, cuts, grid)]
        every = expand_scores(scores, one.plan.seconds, one.seconds)
        return Found(every, np.stack(maps), ScoredRegions.from_rows(rows))

    def _keep(self, one: _Measured, truth: VideoTruth, found: dict[str, Found]) -> None:
        name, leading = one.video.name, found[self._leading]
        analysed = np.zeros(len(one.pts), np.bool_)
        analysed[one.plan.frames] = True
        if self._dump is not None:
            write_dump(
                self._dump,
                name,
                leading.scores,
                leading.heat,
                one.pts,
                analysed,
                leading.regions,
            )
        if self._pictures is not None:
            draw_video(
                self._pictures,
                one.video,
                truth,
                {channel: part.scores for channel, part in found.items()},
                self._leading,
                leading.heat,
                leading.regions,
                one.plan.rate,
            )
