"""Pictures beside the figures: score over truth, and the accumulated view of a video."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Box
from engine.export.region_rows import ScoredRegions
from engine.lab.datasets.dataset import Video
from engine.lab.evaluation.ground_truth import VideoTruth
from engine.media import open_source
from engine.render.accumulation import evaluation_panel
from engine.render.raster import write_png
from engine.render.score_curve import score_curve

_SHOWN = 5
_BOX_SCORE = 0.5


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
        scores: by channel, float32 [n], 0..1.
        leading: the channel of heat and regions.
        heat: float16 [n, R, C], 0..1.
        regions: found, cut at several thresholds.
        fps: frames a second, for the time axis.

    Raises:
        BadInputError: a picture cannot be written.
    """
    curve = score_curve(scores, truth.labels, fps, title=video.name)
    write_png(folder / f"{video.name}-score.png", curve)
    shown = _shown(truth, scores[leading])
    with open_source(video.path) as source:
        pictures = [source.frame(int(i)).image for i in shown]
    kept = [(i, picture) for i, picture in zip(shown, pictures, strict=True) if picture is not None]
    if not kept:
        return
    abnormal = np.flatnonzero(truth.labels)
    step = max(1, len(abnormal) // 60)
    panel = evaluation_panel(
        np.stack([picture for _, picture in kept]),
        [_true_boxes(truth, int(i)) for i, _ in kept],
        [_our_boxes(regions, int(i)) for i, _ in kept],
        [] if truth.masks is None else [truth.masks[int(i)] for i in abnormal[::step]],
        list(heat[:: max(1, len(heat) // 120)].astype(np.float32)),
        video.name,
    )
    write_png(folder / f"{video.name}-accumulated.png", panel)


def _shown(truth: VideoTruth, scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """Chooses frames spread over what is abnormal, or over the video when nothing is."""
    abnormal = np.flatnonzero(truth.labels)
    among = abnormal if len(abnormal) else np.arange(len(scores))
    spread = np.linspace(0, len(among) - 1, min(_SHOWN, len(among)))
    return np.asarray(among[spread.round().astype(np.int64)], np.int64)


def _true_boxes(truth: VideoTruth, frame: int) -> list[Box]:
    if truth.tracks is None:
        return []
    here = truth.tracks.frames == frame
    return [Box.from_corners(*(round(float(v)) for v in box)) for box in truth.tracks.boxes[here]]


def _our_boxes(regions: ScoredRegions, frame: int) -> list[Box]:
    here = (regions.frames == frame) & (regions.scores >= _BOX_SCORE)
    boxes = [Box.from_corners(*(round(float(v)) for v in box)) for box in regions.boxes[here]]
    # Boxes of several thresholds lie in each other; the largest says where.
    return [box for box in boxes if not any(_inside(box, other) for other in boxes)]


def _inside(box: Box, other: Box) -> bool:
    x0, y0, x1, y1 = box.corners
    a0, b0, a1, b1 = other.corners
    return box != other and a0 <= x0 and b0 <= y0 and x1 <= a1 and y1 <= b1
