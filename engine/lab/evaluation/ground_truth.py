"""All ground truth of one video, read once and fitted to its length."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.lab.datasets.dataset import Masks, Video
from engine.lab.datasets.ground_truth_tracks import GroundTruthTracks
from engine.lab.datasets.track_linking import tracks_from_masks


@dataclass(frozen=True)
class VideoTruth:
    """The ground truth of one video.

    Attributes:
        name: the video.
        labels: bool [n], True = abnormal.
        masks: pixel ground truth, read frame by frame; None when there is none.
        tracks: ground-truth tracks; None when there is no pixel ground truth to make them from.
        derived_tracks: whether the tracks were made from the masks.
        note: how the annotation was fitted to the video's length; empty when it fits.
    """

    name: str
    labels: NDArray[np.bool_]
    masks: Masks | None
    tracks: GroundTruthTracks | None
    derived_tracks: bool
    note: str


def read_truth(
    video: Video, n_frames: int | None = None, size: tuple[int, int] | None = None
) -> VideoTruth:
    """Reads labels and tracks of a video; masks stay in their files.

    Args:
        video: a video of a data set.
        n_frames: frames of the video itself; needed for a video without annotation.
        size: width and height of its decoded frames; needed for a video without masks.

    Raises:
        BadInputError: length or size is unknown or does not fit, or a file is damaged.
    """
    n_frames = video.frames(n_frames)
    masks = video.masks(n_frames, size)
    tracks = video.tracks(n_frames)
    derived = tracks is None and masks is not None
    if tracks is None and masks is not None:
        tracks = tracks_from_masks(masks)
    return VideoTruth(
        video.name,
        video.labels(n_frames),
        masks,
        tracks,
        derived,
        video.length_note(n_frames),
    )
