"""The learning rate over the steps of a training."""

from __future__ import annotations

import math


def rate_share(step: int, steps: int, warm_up: float) -> float:
    """Returns the share of the peak rate at a step: a straight rise, then half a cosine.

    Args:
        step: number of the step, from 0.
        steps: number of all steps.
        warm_up: share of the steps in which the rate rises.
    """
    rise = max(1, round(steps * warm_up))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))
