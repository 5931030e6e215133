"""Times in the short form of the lists."""

from __future__ import annotations

from engine.core.times import format_time


def short_time(seconds: float) -> str:
    """Writes a time to a tenth of a second, without hours when there are none."""
    return format_time(seconds)[:-2].removeprefix("00:")


def span_text(start_s: float, end_s: float) -> str:
    """Writes a span; a span of one moment is written as a moment."""
    start, end = short_time(start_s), short_time(end_s)
    return start if start == end else f"{start} – {end}"
