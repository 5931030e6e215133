"""The abnormal targets in the sampled frames of a video, with the pixels that show them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.core.geometry import Box
from engine.lab.datasets.components import largest_box
from engine.lab.datasets.dataset import Masks, Video
from engine.lab.datasets.track_linking import tracks_from_masks
from engine.lab.datasets.ubnormal import ObjectSpans
from engine.lab.dialogue_corpus.building.merged_targets import mergers
from engine.lab.dialogue_corpus.span_limits import MIN_TARGET_PIXELS


@dataclass(frozen=True, eq=False)
class Sighting:
    """A target in one frame.

    Attributes:
        target: number within the video.
        frame: 0-based.
        box: box of its largest component, in decoded pixels.
        mask: bool [h, w] of the box, True where the target is.
    """

    target: int
    frame: int
    box: Box
    mask: NDArray[np.bool_]


@dataclass(frozen=True)
class Trouble:
    """Something that was left out, and why.

    Attributes:
        video: name of the video.
        frame: 0-based; None for the whole video or one of its targets.
        reason: why it was left out, in words.
    """

    video: str
    frame: int | None
    reason: str


def find_sightings(
    video: Video, count: int, size: tuple[int, int], step: int
) -> tuple[list[Sighting], list[Trouble]]:
    """Finds the abnormal targets of a video in every `step`-th frame.

    Where ground truth is damaged, only the frames concerned are left out.

    Args:
        video: a video of a data set.
        count: number of frames of the video itself.
        size: its width and height in pixels.
        step: distance of the sampled frames.

    Returns:
        Sightings in order of frame and target, and what was left out.
    """
    frames = range(0, count, step)
    try:
        if isinstance(video.annotation, ObjectSpans):
            return _of_objects(video.name, video.annotation, frames)
        masks = video.masks(count, size)
    except BadInputError as error:
        return [], [Trouble(video.name, None, error.line())]
    if masks is None:
        return [], [Trouble(video.name, None, "tracks or labels without masks")]
    return _of_masks(video.name, masks, frames)


def _of_objects(
    name: str, truth: ObjectSpans, frames: Sequence[int]
) -> tuple[list[Sighting], list[Trouble]]:
    sightings: list[Sighting] = []
    troubles: list[Trouble] = []
    for frame in frames:
        try:
            objects = truth.objects(frame)
        except BadInputError as error:
            troubles.append(Trouble(name, frame, error.line()))
            continue
        sightings += _cut_out(objects, frame)
    sighted = {sighting.target for sighting in sightings}
    for number, (first, last) in enumerate(truth.spans):
        sampled = any(first <= frame <= last for frame in frames)
        if sampled and number not in sighted:
            reason = f"the object of row {number + 1} is in none of the sampled masks"
            troubles.append(Trouble(name, None, reason))
    return sightings, troubles


def _of_masks(
    name: str, masks: Masks, frames: Sequence[int]
) -> tuple[list[Sighting], list[Trouble]]:
    """Links masks without identities over all frames, not only over the sampled ones."""
    troubles: list[Trouble] = []

    def read() -> Iterator[NDArray[np.bool_]]:
        for frame in range(len(masks)):
            try:
                yield masks[frame]
            except BadInputError as error:
                troubles.append(Trouble(name, frame, error.line()))
                yield np.zeros(masks.size[::-1], np.bool_)

    tracks = tracks_from_masks(read())
    sightings: list[Sighting] = []
    broken = {trouble.frame for trouble in troubles}
    merged = list(mergers(tracks))
    for merger in merged:
        numbers = " and ".join(str(number) for number in dict.fromkeys(merger.others))
        reason = f"target {merger.track} is one with {numbers} until frame {merger.last}"
        troubles.append(Trouble(name, merger.first, reason))
    for frame in frames:
        rows = np.flatnonzero(tracks.frames == frame)
        if not len(rows) or frame in broken:
            continue
        mask = masks[frame]
        for row in rows.tolist():
            number = int(tracks.track_ids[row])
            if any(m.track == number and m.first <= frame <= m.last for m in merged):
                continue
            x0, y0, x1, y1 = (int(side) for side in tracks.boxes[row])
            whole = np.zeros_like(mask)
            whole[y0 : y1 + 1, x0 : x1 + 1] = mask[y0 : y1 + 1, x0 : x1 + 1]
            sightings += _cut_out([(number, whole)], frame)
    return sightings, troubles


def _cut_out(masks: Iterable[tuple[int, NDArray[np.bool_]]], frame: int) -> Iterator[Sighting]:
    """Yields a sighting for each numbered mask in which enough pixels show the target."""
    for number, mask in masks:
        corners = largest_box(mask)
        if corners is None:
            continue
        box = Box.from_corners(*(int(side) for side in corners))
        part = mask[box.y : box.y + box.h, box.x : box.x + box.w]
        if int(part.sum()) >= MIN_TARGET_PIXELS:
            yield Sighting(number, frame, box, np.ascontiguousarray(part))
