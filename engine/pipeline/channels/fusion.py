"""Fuses channels: their odds add, so that either can speak and a silent one changes nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.core.channels import FUSED

_MAX_SCORE = np.float32(1 - 1e-6)  # Keeps odds finite.
_LIMIT = 0.5  # Score at the limit of the usual, by definition of the calibrations.


def fuse(*channels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fuses calibrated values of the same cells or frames.

    The odds of the fused value are the sum of the channels' odds: where one channel stays well
    below its limit (0.5), the other's value remains what it was, and two that are both near their
    limits go beyond it together. docs/decisions/0010-channels-and-their-fusion.md says why.

    Args:
        channels: float32 arrays of one shape, 0..1.

    Returns:
        float32 of the same shape, 0..1, nowhere below the largest of them.

    Example:
        >>> float(fuse(np.array([0.5], np.float32), np.array([0.0], np.float32))[0])
        0.5
    """
    odds = np.zeros(channels[0].shape, np.float32)
    for values in channels:
        clipped = np.clip(values, np.float32(0), _MAX_SCORE)
        odds += clipped / (1 - clipped)
    return np.asarray(odds / (1 + odds), np.float32)


def dominant_channel(strongest: dict[str, float]) -> str:
    """Returns the channel that spoke in an event.

    Args:
        strongest: for each channel of the run but `fused`, its largest score in the event.

    Returns:
        The only channel beyond its limit, otherwise `fused`; the channel's own name when the run
        has one only.
    """
    if len(strongest) == 1:
        return next(iter(strongest))
    beyond = [name for name, score in strongest.items() if score >= _LIMIT]
    return beyond[0] if len(beyond) == 1 else FUSED
