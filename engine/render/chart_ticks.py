"""Round times for the ticks of a time axis."""

from __future__ import annotations

from collections.abc import Sequence

TICK_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600)
"""Seconds between two ticks that read well as times: ones, twos and fives, halves and quarters of
minutes and hours."""


def tick_step(
    seconds: float, max_ticks: float, steps: Sequence[float] = TICK_STEPS
) -> float | None:
    """Chooses how far apart the ticks of an axis are.

    Args:
        seconds: length of the axis.
        max_ticks: ticks that have room on it.
        steps: round steps to choose from, ascending, in seconds.

    Returns:
        The smallest step with at most so many ticks; None where the axis is too long for all.
    """
    return next((step for step in steps if seconds / step <= max_ticks), None)
