"""Times and spans as people write them; stream time counts from the first PTS."""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.core.errors import BadInputError

_CLOCK = re.compile(r"(?:(?P<h>\d+):)?(?P<m>\d{1,2}):(?P<s>\d{1,2}(?:\.\d+)?)")
_PLAIN = re.compile(r"\d+(?:\.\d*)?|\.\d+")


@dataclass(frozen=True)
class Span:
    """An interval of stream time in seconds, both ends inclusive."""

    start: float
    end: float

    def __contains__(self, seconds: float) -> bool:
        return self.start <= seconds <= self.end

    def __str__(self) -> str:
        return f"{format_time(self.start)}..{format_time(self.end)}"


def parse_time(text: str) -> float:
    """Reads seconds (`12.4`) or `[HH:]MM:SS[.mmm]`.

    Returns:
        Seconds of stream time, not negative.

    Raises:
        BadInputError: the text is neither.
    """
    text = text.strip()
    if _PLAIN.fullmatch(text):
        return float(text)
    match = _CLOCK.fullmatch(text)
    if match is None or float(match["s"]) >= 60 or (match["h"] and int(match["m"]) >= 60):
        raise BadInputError("not a time", text, "write seconds (12.4) or HH:MM:SS.mmm")
    return int(match["h"] or 0) * 3600 + int(match["m"]) * 60 + float(match["s"])


def parse_span(text: str) -> Span:
    """Reads `START..END`, both ends times and inclusive.

    Raises:
        BadInputError: there is no `..`, an end is not a time, or the end lies before the start.
    """
    start, separator, end = text.partition("..")
    if not separator:
        raise BadInputError("not a span", text, "write START..END, for example 10..25.5")
    span = Span(parse_time(start), parse_time(end))
    if span.end < span.start:
        raise BadInputError("a span ends before it starts", text, "swap its ends")
    return span


def format_time(seconds: float) -> str:
    """Writes seconds as `HH:MM:SS.mmm`, rounded to the nearest millisecond."""
    sign = "-" if seconds < 0 else ""
    total = round(abs(seconds) * 1000)
    minutes, milliseconds = divmod(total, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{sign}{hours:02d}:{minutes:02d}:{milliseconds // 1000:02d}.{milliseconds % 1000:03d}"
