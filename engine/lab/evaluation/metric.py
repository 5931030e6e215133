"""The value of a metric, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MetricValue:
    """The value of a metric.

    Attributes:
        value: 0..1; None when undefined.
        reason: why it is undefined, in words; empty otherwise.
    """

    value: float | None
    reason: str = ""
