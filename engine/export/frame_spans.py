"""Finds the frames that times name: one frame, or a span with both ends inclusive."""

from __future__ import annotations

import numpy as np

from engine.core.errors import BadInputError
from engine.core.stream import FrameIndex
from engine.core.times import format_time

_ROUNDING_S = 0.0005
"""Seconds by which a time is rounded at most when it is printed as `HH:MM:SS.mmm`."""


def frame_named(index: FrameIndex, seconds: float) -> int:
    """Returns the frame that a time names: the one with the nearest PTS (ties: the earlier).

    Raises:
        BadInputError: the time lies after the end of the stream.
    """
    _check_start(index, seconds)
    return index.nearest(seconds)


def frames_in_span(index: FrameIndex, start: float | None, end: float | None) -> tuple[int, int]:
    """Returns the first and the last frame of a span.

    Both ends are inclusive, and a frame whose time is an end rounded to milliseconds counts. A
    span between two frames names the one nearest to its start.

    Args:
        index: the frame index of the stream.
        start: stream time in seconds; None for the first frame.
        end: stream time in seconds; None for the last frame. It may lie after the last frame.

    Raises:
        BadInputError: the span ends before it starts, or starts after the end of the stream.
    """
    low, high = 0.0 if start is None else start, index.duration_s if end is None else end
    if start is not None:
        _check_start(index, start)
    if high < low:
        raise BadInputError(
            "the span ends before it starts",
            f"{format_time(low)}..{format_time(high)}",
            "swap --start and --end",
        )
    seconds = (index.pts - index.pts[0]) * float(index.time_base)
    first = int(np.searchsorted(seconds, low - _ROUNDING_S, "left"))
    last = int(np.searchsorted(seconds, high + _ROUNDING_S, "right")) - 1
    if first > last:
        return (index.nearest(low),) * 2
    return first, last


def _check_start(index: FrameIndex, seconds: float) -> None:
    end = max(index.duration_s, index.seconds(len(index) - 1))
    if seconds > end + _ROUNDING_S:
        raise BadInputError(
            f"there is no frame at {format_time(seconds)}",
            "",
            f"name a time up to {format_time(end)}",
        )
