"""Links the parts of masks over frames: ground truth without identities becomes tracks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.lab.datasets.box_iou import box_ious
from engine.lab.datasets.components import component_boxes
from engine.lab.datasets.ground_truth_tracks import GroundTruthTracks

MIN_IOU = 0.1
"""From this IoU on, components of different frames are one target; a choice, and stated with the
figures, because RBDC and TBDC depend on it."""

MAX_GAP = 3
"""Frames that a target may be missing for; a choice, as `MIN_IOU`."""


@dataclass
class _OpenTrack:
    """A track that may still go on: its number, last frame and last box (inclusive corners)."""

    number: int
    frame: int
    box: NDArray[np.int64]


def tracks_from_masks(masks: Iterable[NDArray[np.bool_]]) -> GroundTruthTracks:
    """Links the 8-connected components of the masks to tracks.

    Of all pairs of a track seen at most `MAX_GAP` frames before and a component, the pair with the
    largest IoU (on inclusive pixels, at least `MIN_IOU`) is linked first, then the next among
    those left; a component that is left over starts a track. Ties go to the track seen last, then
    to the older one.

    Args:
        masks: a bool [height, width] for each frame, True = abnormal.

    Returns:
        Tracks numbered from 0 in order of their first frame.
    """
    rows: list[tuple[float, ...]] = []
    tracks: list[_OpenTrack] = []
    count = 0
    for frame, mask in enumerate(masks):
        tracks = [track for track in tracks if frame - track.frame - 1 <= MAX_GAP]
        boxes, _ = component_boxes(mask)
        linked = _link(tracks, boxes, frame)
        for index, box in enumerate(boxes):
            track = linked.get(index)
            if track is None:
                track = _OpenTrack(count, frame, box)
                tracks.append(track)
                count += 1
            track.frame, track.box = frame, box
            rows.append((track.number, frame, *box.tolist()))
    return GroundTruthTracks.from_rows(rows)


def _link(tracks: list[_OpenTrack], boxes: NDArray[np.int64], frame: int) -> dict[int, _OpenTrack]:
    """Returns the track that each box (by index) continues."""
    if not tracks or not len(boxes):
        return {}
    iou = box_ious(np.stack([track.box for track in tracks])[:, None], boxes[None])
    pairs = [
        (-iou[t, b], frame - tracks[t].frame, tracks[t].number, b, t)
        for t, b in np.argwhere(iou >= MIN_IOU).tolist()
    ]
    linked: dict[int, _OpenTrack] = {}
    continued: set[int] = set()
    for _, _, number, box, track in sorted(pairs):
        if box not in linked and number not in continued:
            linked[box] = tracks[track]
            continued.add(number)
    return linked
