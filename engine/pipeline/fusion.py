"""Joins the channels: their odds add, so that either can speak and a silent one says nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SCENE, TEXT, FUSED = "scene", "text", "fused"
CHANNELS = (SCENE, TEXT)
"""The channels that a run may have, in this order; `fused` joins them when both run."""

_TOP = np.float32(1 - 1e-6)
_LIMIT = 0.5


def leading_channel(channels: Sequence[str]) -> str:
    """Returns the channel that regions and events of a run come from."""
    return FUSED if len(channels) > 1 else channels[0]


def fuse(*channels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Joins calibrated values of the same cells or frames, in logits.

    The joined logit is the logarithm of the sum of the channels' odds: where one channel stays
    well below its limit (0.5), the other's value remains what it was, and two that are both near
    their limits go beyond it together.

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
        kept = np.clip(values, np.float32(0), _TOP)
        odds += kept / (1 - kept)
    return np.asarray(odds / (1 + odds), np.float32)


def speaking_channel(strongest: dict[str, float]) -> str:
    """Names the channel that spoke in an event.

    Args:
        strongest: for each channel of the run but `fused`, its largest score in the event.

    Returns:
        The only channel beyond its limit, otherwise `fused`; the channel's own name when the run
        has one only.
    """
    if len(strongest) == 1:
        return next(iter(strongest))
    spoke = [name for name, score in strongest.items() if score >= _LIMIT]
    return spoke[0] if len(spoke) == 1 else FUSED
