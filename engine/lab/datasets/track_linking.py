"""Links the parts of masks over frames: ground truth without identities becomes tracks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.lab.datasets.components import component_boxes
from engine.lab.datasets.ground_truth_tracks import GroundTruthTracks

IOU = 0.1
"""Overlap from which components of different frames are the same target."""

GAP = 3
"""Frames that a target may be missing for."""


@dataclass
class _Open:
    """A track that may still go on: its number, last frame and last box (inclusive corners)."""

    number: int
    frame: int
    box: NDArray[np.int64]


def tracks_from_masks(masks: Iterable[NDArray[np.bool_]]) -> GroundTruthTracks:
    """Links the 8-connected components of the masks to tracks.

    Of all pairs of a track seen at most `GAP` frames before and a component, the pair whose boxes
    overlap most (IoU on inclusive pixels, at least `IOU`) is linked first, then the next among
    those left; a component that is left over starts a track. Ties go to the track seen last, then
    to the older one.

    Args:
        masks: a bool [height, width] for each frame, True = abnormal.

    Returns:
        Tracks numbered from 0 in order of their first frame.
    """
    rows: list[tuple[float, ...]] = []
    tracks: list[_Open] = []
    count = 0
    for frame, mask in enumerate(masks):
        tracks = [track for track in tracks if frame - track.frame - 1 <= GAP]
        boxes, _ = component_boxes(mask)
        linked = _link(tracks, boxes, frame)
        for index, box in enumerate(boxes):
            track = linked.get(index)
            if track is None:
                track = _Open(count, frame, box)
                tracks.append(track)
                count += 1
            track.frame, track.box = frame, box
            rows.append((track.number, frame, *box.tolist()))
    return GroundTruthTracks.from_rows(rows)


def _link(tracks: list[_Open], boxes: NDArray[np.int64], frame: int) -> dict[int, _Open]:
    """Returns the track that each box (by index) continues."""
    if not tracks or not len(boxes):
        return {}
    overlap = _overlap(np.stack([track.box for track in tracks]), boxes)
    pairs = [
        (-overlap[t, b], frame - tracks[t].frame, tracks[t].number, b, t)
        for t, b in np.argwhere(overlap >= IOU).tolist()
    ]
    linked: dict[int, _Open] = {}
    taken: set[int] = set()
    for _, _, number, box, track in sorted(pairs):
        if box not in linked and number not in taken:
            linked[box] = tracks[track]
            taken.add(number)
    return linked


def _overlap(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.float64]:
    """IoU of all pairs of boxes with inclusive corners: float64 [len(one), len(other)]."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    shared = np.prod(np.maximum(high - low + 1, 0), axis=2)
    areas = np.prod(one[:, 2:] - one[:, :2] + 1, axis=1)[:, None]
    areas = areas + np.prod(other[:, 2:] - other[:, :2] + 1, axis=1)[None]
    return np.asarray(shared / (areas - shared), np.float64)
