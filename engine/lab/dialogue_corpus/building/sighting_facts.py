"""What can be measured of a sighting: cell, size, colours, and motion since the one before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import cell_name, direction_name
from engine.dialogue.target_colours import named_colour, upper_and_lower
from engine.lab.dialogue_corpus.building.sightings import Sighting
from engine.lab.dialogue_corpus.files.frame_records import FrameRecord, encode_mask
from engine.lab.dialogue_corpus.span_limits import MIN_SHIFT

STILL = 0.12
"""Speed in own sizes a second below which a target stays where it is, although swinging limbs move
its box; a choice."""

_MAX_GREY_SPREAD = 12.0  # of the channels of a pixel that counts as grey; allows for compression
_GREY_PERCENTILE = 99.9  # of the pixels: one coloured coat is about a thousandth of a frame


def measure_sighting(
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
        before: the sighting before and the seconds in between; None for the first.
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
    """Returns whether an image uint8 [H, W, 3] has no colour, as in infrared light."""
    spread = image.max(2).astype(np.int16) - image.min(2)
    return float(np.percentile(spread, _GREY_PERCENTILE)) < _MAX_GREY_SPREAD


def _motion(sighting: Sighting, before: tuple[Sighting, float] | None) -> tuple[float | None, str]:
    if before is None or before[1] <= 0:
        return None, ""
    earlier, seconds = before
    (x0, y0), (x1, y1) = earlier.box.centre, sighting.box.centre
    sizes = [max(box.w, box.h) for box in (earlier.box, sighting.box)]
    speed = float(np.hypot(x1 - x0, y1 - y0) / (sum(sizes) / 2) / seconds)
    return round(speed, 3), direction_name(x1 - x0, y1 - y0) if speed >= STILL else ""


def overall_direction(records: Sequence[FrameRecord], size: tuple[int, int]) -> str:
    """Returns the direction from a target's first record to its last; empty when it stays."""
    (x0, y0), (x1, y1) = records[0].box.centre, records[-1].box.centre
    far = np.hypot(x1 - x0, y1 - y0) / np.hypot(*size) >= MIN_SHIFT
    return direction_name(x1 - x0, y1 - y0) if far else ""
