"""What can be measured of a sighting: place, size, colours, and motion since the one before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.core.directions import cell_name, direction_name
from engine.dialogue.target_colours import named_colour, upper_and_lower
from engine.lab.dialogue_corpus.building.sightings import Sighting
from engine.lab.dialogue_corpus.files.frame_records import FrameRecord, encode_mask

STILL = 0.12
"""Speed in sizes a second below which a target keeps its place; swinging limbs move its box."""
_FAR = 0.04
_COLOURLESS, _SHARE = 12.0, 99.9


def measured(
    sighting: Sighting,
    image: NDArray[np.uint8] | None,
    video: tuple[str, str],
    before: tuple[Sighting, float] | None,
    size: tuple[int, int],
) -> FrameRecord:
    """Measures a sighting.

    Args:
        sighting: a target in a frame.
        image: the frame, uint8 [H, W, 3], RGB; None when it cannot be decoded or has no colour.
        video: its name and its camera.
        before: the target's sighting before with the seconds in between; None for the first.
        size: width and height of the frame.
    """
    box, (x, y) = sighting.box, sighting.box.centre
    upper = lower = None
    if image is not None:
        cut = image[box.y : box.y + box.h, box.x : box.x + box.w]
        upper, lower = (named_colour(part) for part in upper_and_lower(cut, sighting.mask))
    speed, direction = _motion(sighting, before)
    return FrameRecord(
        video[0], video[1], sighting.target, sighting.frame, box, encode_mask(sighting.mask),
        cell_name(x, y, *size), round(box.h / size[1], 4), upper, lower, speed, direction,
    )  # fmt: skip


def is_grey(image: NDArray[np.uint8]) -> bool:
    """Whether a picture uint8 [H, W, 3] has no colour, as in infrared light."""
    spread = image.max(2).astype(np.int16) - image.min(2)
    # One coat of a colour on a grey square is a thousandth of the picture.
    return float(np.percentile(spread, _SHARE)) < _COLOURLESS


def _motion(sighting: Sighting, before: tuple[Sighting, float] | None) -> tuple[float | None, str]:
    if before is None or before[1] <= 0:
        return None, ""
    earlier, seconds = before
    (x0, y0), (x1, y1) = earlier.box.centre, sighting.box.centre
    larger = [max(one.box.w, one.box.h) for one in (earlier, sighting)]
    speed = float(np.hypot(x1 - x0, y1 - y0) / (sum(larger) / 2) / seconds)
    return round(speed, 3), direction_name(x1 - x0, y1 - y0) if speed >= STILL else ""


def way(records: Sequence[FrameRecord], size: tuple[int, int]) -> str:
    """Returns the direction from a target's first record to its last; empty when it stays."""
    (x0, y0), (x1, y1) = records[0].box.centre, records[-1].box.centre
    far = np.hypot(x1 - x0, y1 - y0) / np.hypot(*size) >= _FAR
    return direction_name(x1 - x0, y1 - y0) if far else ""
