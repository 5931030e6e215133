"""Region- and track-based detection criteria, RBDC and TBDC.

Source: B. Ramachandra, M. Jones, "Street Scene: A new dataset and evaluation protocol for video
anomaly detection", WACV 2020.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.export.region_rows import ScoredRegions
from engine.lab.datasets.box_iou import box_ious
from engine.lab.datasets.ground_truth_tracks import GroundTruthTracks
from engine.lab.evaluation.metric import MetricValue

_MAX_PAIRS = 1 << 20
"""Pairs of region and ground truth that are compared at once; a choice that bounds memory."""


@dataclass(frozen=True)
class DetectionCriteria:
    """RBDC and TBDC with the curves they are the areas of.

    Attributes:
        rbdc: area under the region rate.
        tbdc: area under the track rate.
        false_positive_rates: float64 [points], false positives a frame, from 0 to 1.
        region_rates: float64 [points], share of ground-truth regions that are detected.
        track_rates: float64 [points], share of tracks that are detected.
    """

    rbdc: MetricValue
    tbdc: MetricValue
    false_positive_rates: NDArray[np.float64]
    region_rates: NDArray[np.float64]
    track_rates: NDArray[np.float64]


@dataclass(frozen=True)
class _Rows:
    """Boxes of all videos; equal `frame_keys` stand for the same frame of the same video."""

    frame_keys: NDArray[np.int64]
    boxes: NDArray[np.float64]


def detection_criteria(
    truth: Mapping[str, GroundTruthTracks],
    regions: Mapping[str, ScoredRegions],
    n_frames: int,
    alpha: float = 0.1,
    beta: float = 0.1,
) -> DetectionCriteria:
    """Computes RBDC and TBDC.

    Args:
        truth: ground-truth tracks by video.
        regions: the detector's regions by video; ties in score keep the order of video name,
            frame and row.
        n_frames: frames of all test videos.
        alpha: share of a track's regions that must be detected.
        beta: IoU from which a region detects a ground-truth region.

    Returns:
        Both areas; undefined when there is no ground-truth region.

    Raises:
        BadInputError: there are no frames.
    """
    if n_frames < 1:
        raise BadInputError("there are no frames", "RBDC and TBDC", "give at least one video")
    names = sorted(truth.keys() | regions.keys())
    true_rows, tracks = _true_rows(names, truth)
    region_rows = _ranked_rows(names, regions)
    first_ranks, matched = _match(true_rows, region_rows, beta)
    n_regions, n_true = len(region_rows.frame_keys), len(true_rows.frame_keys)
    false_positives = np.cumsum(~matched) / n_frames
    inside = false_positives <= 1
    rates = np.r_[0.0, false_positives[inside]]
    if n_true:
        region_rates = _rates(first_ranks, n_regions, n_true)
        track_ranks = _track_ranks(first_ranks, tracks, n_regions, alpha)
        track_rates = _rates(track_ranks, n_regions, len(track_ranks))
    else:
        region_rates = track_rates = np.zeros(n_regions)
    region_rates, track_rates = np.r_[0.0, region_rates[inside]], np.r_[0.0, track_rates[inside]]
    if rates[-1] != 1:
        rates = np.r_[rates, 1.0]
        region_rates = np.r_[region_rates, region_rates[-1]]
        track_rates = np.r_[track_rates, track_rates[-1]]
    if not n_true:
        undefined = MetricValue(None, "there are no ground-truth regions")
        return DetectionCriteria(undefined, undefined, rates, region_rates, track_rates)
    rbdc = MetricValue(float(np.trapezoid(region_rates, rates)))
    tbdc = MetricValue(float(np.trapezoid(track_rates, rates)))
    return DetectionCriteria(rbdc, tbdc, rates, region_rates, track_rates)


def _true_rows(
    names: list[str], truth: Mapping[str, GroundTruthTracks]
) -> tuple[_Rows, NDArray[np.int64]]:
    """Puts the ground truth of all videos in order of frame key; tracks get numbers from 0."""
    empty = GroundTruthTracks.from_rows([])
    parts = [truth.get(name, empty) for name in names]
    videos = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    frames = np.concatenate([part.frames for part in parts] or [empty.frames])
    ids = np.concatenate([part.track_ids for part in parts] or [empty.track_ids])
    boxes = np.concatenate([part.boxes for part in parts] or [empty.boxes])
    keys = _frame_keys(videos, frames)
    order = np.argsort(keys, kind="stable")
    _, tracks = np.unique(np.column_stack([videos, ids]), axis=0, return_inverse=True)
    return _Rows(keys[order], boxes[order]), tracks.reshape(-1)[order]


def _ranked_rows(names: list[str], regions: Mapping[str, ScoredRegions]) -> _Rows:
    """Puts the regions of all videos in descending score, ties by video, frame and row."""
    empty = ScoredRegions.from_rows([])
    parts = [regions.get(name, empty) for name in names]
    videos = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    frames = np.concatenate([part.frames for part in parts] or [empty.frames])
    scores = np.concatenate([part.scores for part in parts] or [empty.scores])
    boxes = np.concatenate([part.boxes for part in parts] or [empty.boxes])
    order = np.lexsort([frames, videos, -scores])
    return _Rows(_frame_keys(videos, frames)[order], boxes[order])


def _frame_keys(videos: NDArray[np.int64], frames: NDArray[np.int64]) -> NDArray[np.int64]:
    if frames.size and not 0 <= frames.min() <= frames.max() < 1 << 40:
        raise BadInputError(
            "a frame number is out of range", "RBDC and TBDC", "count frames from 0"
        )
    return (videos.astype(np.int64) << 40) + frames


def _match(
    true_rows: _Rows, region_rows: _Rows, beta: float
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Finds for each ground-truth region the rank of the first region that detects it.

    Whether a region detects one does not depend on the regions before it, so all pairs of a frame
    can be compared at once.

    Returns:
        int64 [ground truth], the rank, or the number of regions when none detects it; bool
        [regions], whether a region detects any.
    """
    n_regions = len(region_rows.frame_keys)
    first_ranks = np.full(len(true_rows.frame_keys), n_regions, np.int64)
    matched = np.zeros(n_regions, np.bool_)
    first = np.searchsorted(true_rows.frame_keys, region_rows.frame_keys, "left")
    counts = np.searchsorted(true_rows.frame_keys, region_rows.frame_keys, "right") - first
    for start, end in _batches(counts):
        ranks = np.repeat(np.arange(start, end), counts[start:end])
        starts = np.repeat(np.cumsum(counts[start:end]) - counts[start:end], counts[start:end])
        others = np.arange(len(ranks)) - starts + first[ranks]
        detects = box_ious(region_rows.boxes[ranks], true_rows.boxes[others]) >= beta
        matched[ranks[detects]] = True
        np.minimum.at(first_ranks, others[detects], ranks[detects])
    return first_ranks, matched


def _batches(counts: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Cuts the regions into batches of about `_MAX_PAIRS` pairs, at least one region each."""
    totals = np.cumsum(counts)
    start = 0
    while start < len(counts):
        before = int(totals[start - 1]) if start else 0
        end = max(start + 1, int(np.searchsorted(totals, before + _MAX_PAIRS, "right")))
        yield start, end
        start = end


def _track_ranks(
    first_ranks: NDArray[np.int64], tracks: NDArray[np.int64], n_regions: int, alpha: float
) -> NDArray[np.int64]:
    """Finds for each track the rank at which a share of alpha is detected; n_regions if never."""
    lengths = np.bincount(tracks)
    order = np.lexsort([first_ranks, tracks])
    ends = np.cumsum(lengths)
    track_ranks = np.full(len(lengths), n_regions, np.int64)
    for track, (length, end) in enumerate(zip(lengths.tolist(), ends.tolist(), strict=True)):
        enough = np.flatnonzero(np.arange(1, length + 1) / length >= alpha)
        if enough.size:
            track_ranks[track] = first_ranks[order[end - length + enough[0]]]
    return track_ranks


def _rates(ranks: NDArray[np.int64], n_regions: int, total: int) -> NDArray[np.float64]:
    """Returns the share that is detected after each region: float64 [n_regions]."""
    return np.cumsum(np.bincount(ranks, minlength=n_regions + 1)[:n_regions]) / total
