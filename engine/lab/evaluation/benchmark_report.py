"""Gathers the results of the videos of a split and computes all metrics of an evaluation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.export.region_rows import ScoredRegions
from engine.lab.datasets.ground_truth_tracks import GroundTruthTracks
from engine.lab.evaluation.benchmark_rates import error_rates
from engine.lab.evaluation.detection_criteria import detection_criteria
from engine.lab.evaluation.frame_auc import macro_auc, micro_auc
from engine.lab.evaluation.ground_truth import VideoTruth
from engine.lab.evaluation.metric import MetricValue
from engine.lab.evaluation.pixel_auc import PixelAuc

METRICS = ("micro_auc", "macro_auc", "pixel_auc", "rbdc", "tbdc")


@dataclass(frozen=True)
class BenchmarkMetrics:
    """The metrics of one channel on one split.

    Attributes:
        videos: number of videos.
        frames: number of frames.
        abnormal_frames: number of abnormal frames.
        micro_auc: ROC AUC of all frames' scores together.
        macro_auc: mean of the videos' ROC AUC, with anchors.
        pixel_auc: ROC AUC of all pixels.
        rbdc: region-based detection criterion.
        tbdc: track-based detection criterion.
        derived_tracks: whether tracks were made from masks, which stands beside RBDC and TBDC.
        notes: sentences that belong beside the metrics.
    """

    videos: int
    frames: int
    abnormal_frames: int
    micro_auc: MetricValue
    macro_auc: MetricValue
    pixel_auc: MetricValue
    rbdc: MetricValue
    tbdc: MetricValue
    derived_tracks: bool
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """Returns the metrics as `evaluate --json` has them; `undefined` holds the reasons."""
        metrics: dict[str, MetricValue] = {name: getattr(self, name) for name in METRICS}
        return {
            "videos": self.videos,
            "frames": self.frames,
            "abnormal_frames": self.abnormal_frames,
            **{name: metric.value for name, metric in metrics.items()},
            "undefined": {
                name: metric.reason for name, metric in metrics.items() if metric.value is None
            },
            "derived_tracks": self.derived_tracks,
            "notes": list(self.notes),
        }


class Evaluation:
    """Gathers the results of one video after the other and computes the metrics of all.

    Scores are rounded to float32 and heatmaps to float16, as a dump holds them, so that metrics
    computed again from a dump are the same to the last digit. Heatmaps are not kept, only scores,
    labels and regions are.
    """

    def __init__(self) -> None:
        self._labels: dict[str, NDArray[np.bool_]] = {}
        self._scores: dict[str, NDArray[np.float32]] = {}
        self._tracks: dict[str, GroundTruthTracks] = {}
        self._regions: dict[str, ScoredRegions] = {}
        self._pixels = PixelAuc()
        self._without_masks = 0
        self._derived = 0
        self._notes: list[str] = []

    def add(
        self,
        truth: VideoTruth,
        scores: NDArray[np.floating],
        heatmaps: Iterable[NDArray[np.floating]],
        regions: ScoredRegions,
    ) -> None:
        """Adds the results of one video.

        Args:
            truth: its ground truth.
            scores: float [n], 0..1, smoothed if smoothing is wanted.
            heatmaps: n arrays float [h, w], 0..1; an iterator is read once, frame by frame.
            regions: its regions, cut at several thresholds.

        Raises:
            BadInputError: the video was added before, or scores, heatmaps or regions do not fit
                its number of frames or lie outside 0..1.
        """
        name, n_frames = truth.name, len(truth.labels)
        if name in self._labels:
            raise BadInputError("a video was added twice", name, "evaluate each video once")
        if scores.shape != (n_frames,):
            raise BadInputError(
                f"{scores.size} scores for {n_frames} frames", name, "analyse the video again"
            )
        if not (np.isfinite(scores).all() and (scores >= 0).all() and (scores <= 1).all()):
            raise BadInputError("a score is not within 0..1", name, "calibrate the scores first")
        if len(regions) and not 0 <= regions.frames.min() <= regions.frames.max() < n_frames:
            raise BadInputError(
                f"a region in frame {regions.frames.max()} of {n_frames} frames",
                name,
                "analyse the video again",
            )
        self._add_heatmaps(truth, heatmaps)
        self._labels[name] = truth.labels
        self._scores[name] = scores.astype(np.float32)
        self._regions[name] = regions
        if truth.tracks is not None:
            self._tracks[name] = truth.tracks
        self._without_masks += truth.masks is None
        self._derived += truth.derived_tracks
        if truth.note:
            self._notes.append(truth.note)

    def _add_heatmaps(self, truth: VideoTruth, heatmaps: Iterable[NDArray[np.floating]]) -> None:
        n_frames, count = len(truth.labels), 0
        for heatmap in heatmaps:
            if count < n_frames and truth.masks is not None:
                with np.errstate(over="ignore"):
                    rounded = heatmap.astype(np.float16)
                self._pixels.add(rounded, truth.masks[count])
            count += 1
        if count != n_frames:
            raise BadInputError(
                f"{count} heatmaps for {n_frames} frames", truth.name, "analyse the video again"
            )

    def metrics(self) -> BenchmarkMetrics:
        """Computes the metrics of the videos added so far.

        Raises:
            BadInputError: no video was added.
        """
        names = sorted(self._labels)
        if not names:
            raise BadInputError("no video was evaluated", "", "choose at least one video")
        labels = [self._labels[name] for name in names]
        scores = [self._scores[name] for name in names]
        n_frames = sum(map(len, labels))
        pixel, rbdc, tbdc = self._pixel_metrics(n_frames)
        notes = list(self._notes)
        if self._derived:
            notes.append(
                f"RBDC and TBDC: the tracks of {self._derived} of {len(names)} videos "
                "were made from their masks"
            )
        return BenchmarkMetrics(
            videos=len(names),
            frames=n_frames,
            abnormal_frames=sum(int(truth.sum()) for truth in labels),
            micro_auc=micro_auc(labels, scores),
            macro_auc=macro_auc(labels, scores),
            pixel_auc=pixel,
            rbdc=rbdc,
            tbdc=tbdc,
            derived_tracks=self._derived > 0,
            notes=tuple(notes),
        )

    def error_rates(self, threshold: float) -> dict[str, object]:
        """Counts wrong frames of the videos added so far; see `error_rates`."""
        names = sorted(self._labels)
        labels = [self._labels[name] for name in names]
        return error_rates(labels, [self._scores[name] for name in names], threshold)

    def _pixel_metrics(self, n_frames: int) -> tuple[MetricValue, MetricValue, MetricValue]:
        if self._without_masks:
            undefined = MetricValue(
                None,
                f"{self._without_masks} of {len(self._labels)} videos have no pixel ground truth",
            )
            return undefined, undefined, undefined
        if not n_frames:
            undefined = MetricValue(None, "there are no frames")
            return undefined, undefined, undefined
        criteria = detection_criteria(self._tracks, self._regions, n_frames)
        return self._pixels.value(), criteria.rbdc, criteria.tbdc
