"""Where each abnormal target is in the sampled frames of a video, with the pixels that show it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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

_LEAST_PIXELS = 24


@dataclass(frozen=True, eq=False)
class Sighting:
    """A target in one frame.

    Attributes:
        target: number within the video.
        frame: 0-based.
        box: of its largest part, in decoded pixels.
        mask: bool [h, w] of the box, True where the target is.
    """

    target: int
    frame: int
    box: Box
    mask: NDArray[np.bool_]


@dataclass(frozen=True)
class Trouble:
    """Why something was left out.

    Attributes:
        video: its name.
        frame: 0-based; None for the whole video or one of its targets.
        reason: in words.
    """

    video: str
    frame: int | None
    reason: str


def sightings(
    video: Video, count: int, size: tuple[int, int], step: int
) -> tuple[list[Sighting], list[Trouble]]:
    """Finds the abnormal targets of a video in every `step`-th frame.

    Ground truth that is damaged in places costs those places only.

    Args:
        video: of a benchmark.
        count: frames of the video itself.
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
    found: list[Sighting] = []
    troubles: list[Trouble] = []
    for frame in frames:
        try:
            shown = truth.objects(frame)
        except BadInputError as error:
            troubles.append(Trouble(name, frame, error.line()))
            continue
        found += _cut(((number, mask) for number, mask in shown), frame)
    seen = {one.target for one in found}
    for number, (first, last) in enumerate(truth.spans):
        sampled = any(first <= frame <= last for frame in frames)
        if sampled and number not in seen:
            reason = f"the object of row {number + 1} is in none of the sampled masks"
            troubles.append(Trouble(name, None, reason))
    return found, troubles


def _of_masks(
    name: str, masks: Masks, frames: Sequence[int]
) -> tuple[list[Sighting], list[Trouble]]:
    """Masks that know no identity are linked over all frames, not only the sampled ones."""
    troubles: list[Trouble] = []

    def read() -> Iterator[NDArray[np.bool_]]:
        for frame in range(len(masks)):
            try:
                yield masks[frame]
            except BadInputError as error:
                troubles.append(Trouble(name, frame, error.line()))
                yield np.zeros(masks.size[::-1], np.bool_)

    tracks = tracks_from_masks(read())
    found: list[Sighting] = []
    broken = {one.frame for one in troubles}
    mixed = list(mergers(tracks))
    for one in mixed:
        named = " and ".join(str(number) for number in dict.fromkeys(one.others))
        reason = f"target {one.track} is one with {named} until frame {one.last}"
        troubles.append(Trouble(name, one.first, reason))
    for frame in frames:
        here = np.flatnonzero(tracks.frames == frame)
        if not len(here) or frame in broken:
            continue
        mask = masks[frame]
        for row in here.tolist():
            number = int(tracks.track_ids[row])
            if any(one.track == number and one.first <= frame <= one.last for one in mixed):
                continue
            x0, y0, x1, y1 = (int(side) for side in tracks.boxes[row])
            whole = np.zeros_like(mask)
            whole[y0 : y1 + 1, x0 : x1 + 1] = mask[y0 : y1 + 1, x0 : x1 + 1]
            found += _cut([(number, whole)], frame)
    return found, troubles


def _cut(shown: Iterator[tuple[int, NDArray[np.bool_]]] | list[tuple[int, NDArray[np.bool_]]],
         frame: int) -> Iterator[Sighting]:  # fmt: skip
    for number, mask in shown:
        corners = largest_box(mask)
        if corners is None:
            continue
        box = Box.from_corners(*(int(side) for side in corners))
        part = mask[box.y : box.y + box.h, box.x : box.x + box.w]
        if int(part.sum()) >= _LEAST_PIXELS:
            yield Sighting(number, frame, box, np.ascontiguousarray(part))
