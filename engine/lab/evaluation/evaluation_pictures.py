"""Pictures beside the metrics: scores over ground truth, and the accumulated view of a video."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Box
from engine.export.region_rows import ScoredRegions
from engine.lab.datasets.dataset import Video
from engine.lab.evaluation.evaluation_panel import evaluation_panel
from engine.lab.evaluation.ground_truth import VideoTruth
from engine.lab.evaluation.score_curve import score_curve
from engine.media import open_source
from engine.render.raster import write_png

_MAX_FRAMES = 5  # frames in an accumulated view, as many as fit on a page side by side; a choice
_MIN_BOX_SCORE = 0.5  # of the regions that are drawn: the score at which an event starts


def draw_video(
    folder: Path,
    video: Video,
    truth: VideoTruth,
    scores: dict[str, NDArray[np.float32]],
    leading: str,
    heat: NDArray[np.float16],
    regions: ScoredRegions,
    fps: float,
) -> None:
    """Writes `<video>-score.png` and `<video>-accumulated.png`.

    Args:
        folder: an existing folder.
        video: the video.
        truth: its ground truth.
        scores: scores of each channel, float32 [n], 0..1.
        leading: the channel of heat and regions.
        heat: float16 [n, R, C], 0..1.
        regions: the regions of that channel, cut at several thresholds.
        fps: frames a second, for the time axis.

    Raises:
        BadInputError: a picture cannot be written.
    """
    curve = score_curve(scores, truth.labels, fps, title=video.name)
    write_png(folder / f"{video.name}-score.png", curve)
    frames = _choose_frames(truth, scores[leading])
    with open_source(video.path) as source:
        images = [(int(i), source.frame(int(i)).image) for i in frames]
    pictures = [(i, image) for i, image in images if image is not None]
    if not pictures:
        return
    abnormal = np.flatnonzero(truth.labels)
    step = max(1, len(abnormal) // 60)
    panel = evaluation_panel(
        np.stack([image for _, image in pictures]),
        [_true_boxes(truth, i) for i, _ in pictures],
        [_region_boxes(regions, i) for i, _ in pictures],
        [] if truth.masks is None else [truth.masks[int(i)] for i in abnormal[::step]],
        list(heat[:: max(1, len(heat) // 120)].astype(np.float32)),
        video.name,
    )
    write_png(folder / f"{video.name}-accumulated.png", panel)


def _choose_frames(truth: VideoTruth, scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """Chooses frames spread over what is abnormal, or over the video when nothing is."""
    abnormal = np.flatnonzero(truth.labels)
    among = abnormal if len(abnormal) else np.arange(len(scores))
    spread = np.linspace(0, len(among) - 1, min(_MAX_FRAMES, len(among)))
    return np.asarray(among[spread.round().astype(np.int64)], np.int64)


def _true_boxes(truth: VideoTruth, frame: int) -> list[Box]:
    if truth.tracks is None:
        return []
    here = truth.tracks.frames == frame
    return [Box.from_corners(*(round(float(v)) for v in box)) for box in truth.tracks.boxes[here]]


def _region_boxes(regions: ScoredRegions, frame: int) -> list[Box]:
    here = (regions.frames == frame) & (regions.scores >= _MIN_BOX_SCORE)
    boxes = [Box.from_corners(*(round(float(v)) for v in box)) for box in regions.boxes[here]]
    # Boxes that were cut at several thresholds lie in each other; only the largest is drawn.
    return [box for box in boxes if not any(_inside(box, other) for other in boxes)]


def _inside(box: Box, other: Box) -> bool:
    x0, y0, x1, y1 = box.corners
    a0, b0, a1, b1 = other.corners
    return box != other and a0 <= x0 and b0 <= y0 and x1 <= a1 and y1 <= b1
