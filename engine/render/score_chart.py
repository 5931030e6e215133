"""Scores over time as a drawing that stays sharp at any size."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from engine.core.times import format_time
from engine.render.chart_ticks import TICK_STEPS, tick_step
from engine.render.palette import CHANNEL_COLOURS, Colour

_WIDTH, _HEIGHT = 1000, 240  # units of the viewBox
_LEFT, _TOP, _RIGHT, _BOTTOM = 44, 26, 985, 178  # the axes; around them there is room for text
_FONT = "Noto Sans, sans-serif"
_OTHER_COLOUR: Colour = (96, 96, 104)
"""Of channels that have no colour of their own."""
_STEPS = (*TICK_STEPS, 7200, 21600)  # an axis may be days long
_MAX_TICKS = 8  # times of eight letters that stand beside each other without touching
_NAME_UNITS = 9  # width of a letter at the size in which events are named
_Coordinate = Callable[[float], float]


def score_chart(
    scores: Mapping[str, NDArray[np.floating]],
    seconds: NDArray[np.floating],
    spans: Sequence[tuple[str, float, float]],
    limit: float = 0.5,
) -> str:
    """Draws scores over stream time with the spans of events behind them.

    Peaks are kept: where several frames share a column, the highest and the lowest are drawn.

    Args:
        scores: by channel, each float [n], 0..1.
        seconds: float [n], stream time of each frame, ascending.
        spans: name, start and end of each event, in seconds.
        limit: score that is drawn as the limit of the usual.

    Returns:
        SVG with a viewBox of 1000 x 240.
    """
    end = max(float(seconds[-1]) if len(seconds) else 0.0, 1e-3)

    def x(second: float) -> float:
        return round(_LEFT + (_RIGHT - _LEFT) * min(max(second / end, 0.0), 1.0), 2)

    def y(score: float) -> float:
        return round(_BOTTOM - (_BOTTOM - _TOP) * min(max(score, 0.0), 1.0), 2)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'width="{_WIDTH}" height="{_HEIGHT}" font-family="{_FONT}" font-size="15">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
    ]
    parts += _spans(spans, x)
    parts += _axes(end, x, y, limit)
    for name, values in reversed(list(scores.items())):
        colour = _hex(CHANNEL_COLOURS.get(name, _OTHER_COLOUR))
        points = " ".join(f"{x(at)},{y(value)}" for at, value in _outline(values, seconds))
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.4" '
            'stroke-linejoin="round"/>'
        )
    parts += _legend(tuple(scores), bool(spans))
    return "\n".join((*parts, "</svg>"))


def _outline(
    values: NDArray[np.floating], seconds: NDArray[np.floating]
) -> list[tuple[float, float]]:
    """Returns the times and scores to draw: of each column only the lowest and the highest."""
    columns = _RIGHT - _LEFT
    if len(values) <= 2 * columns:
        return [(float(at), float(value)) for at, value in zip(seconds, values, strict=True)]
    points = []
    for part in np.array_split(np.arange(len(values)), columns):
        low, high = part[int(values[part].argmin())], part[int(values[part].argmax())]
        points += [(float(seconds[i]), float(values[i])) for i in sorted({int(low), int(high)})]
    return points


def _spans(spans: Sequence[tuple[str, float, float]], x: _Coordinate) -> list[str]:
    parts, free = [], 0.0
    for name, start, end in sorted(spans, key=lambda span: span[1]):
        left, width = x(start), max(1.5, x(end) - x(start))
        parts.append(
            f'<rect x="{left}" y="{_TOP}" width="{width:.2f}" height="{_BOTTOM - _TOP}" '
            'fill="#f3d9c8"/>'
            f'<rect x="{left}" y="{_BOTTOM - 4}" width="{width:.2f}" height="4" fill="#a8501a"/>'
        )
        if left >= free:
            parts.append(
                f'<text x="{left}" y="{_TOP - 4}" font-size="14" fill="#7a3a12">'
                f"{escape(name)}</text>"
            )
            free = left + _NAME_UNITS * len(name) + 8
    return parts


def _axes(end: float, x: _Coordinate, y: _Coordinate, limit: float) -> list[str]:
    parts = []
    for value in (0.0, 0.5, 1.0):
        parts.append(
            f'<line x1="{_LEFT}" x2="{_RIGHT}" y1="{y(value)}" y2="{y(value)}" stroke="#d4d4d8"/>'
            f'<text x="{_LEFT - 8}" y="{y(value) + 5}" text-anchor="end" fill="#44444a">'
            f"{value:.1f}</text>"
        )
    parts.append(
        f'<line x1="{_LEFT}" x2="{_RIGHT}" y1="{y(limit)}" y2="{y(limit)}" stroke="#77777e" '
        'stroke-dasharray="5 4"/>'
    )
    step = tick_step(end, _MAX_TICKS, _STEPS) or end
    for tick in np.arange(0, end + 1e-9, step):
        at = x(float(tick))
        text = format_time(float(tick))[: 12 if step < 1 else 8]
        anchor = "start" if at < _LEFT + 36 else "end" if at > _RIGHT - 36 else "middle"
        parts.append(
            f'<line x1="{at}" x2="{at}" y1="{_BOTTOM}" y2="{_BOTTOM + 5}" stroke="#44444a"/>'
            f'<text x="{at}" y="{_BOTTOM + 21}" text-anchor="{anchor}" fill="#44444a">{text}</text>'
        )
    parts.append(
        f'<line x1="{_LEFT}" x2="{_RIGHT}" y1="{_BOTTOM}" y2="{_BOTTOM}" stroke="#44444a"/>'
    )
    return parts


def _legend(channels: Sequence[str], events: bool) -> list[str]:
    entries = [
        (f"score, {name} channel", CHANNEL_COLOURS.get(name, _OTHER_COLOUR)) for name in channels
    ]
    entries += [("event, with its number", (168, 80, 26))] if events else []
    parts, at, y = [], float(_LEFT), _HEIGHT - 8
    for text, colour in entries:
        parts.append(
            f'<rect x="{at}" y="{y - 6}" width="16" height="4" fill="{_hex(colour)}"/>'
            f'<text x="{at + 21}" y="{y}" fill="#44444a">{escape(text)}</text>'
        )
        at += 48 + 7.8 * len(text)
    parts.append(
        f'<line x1="{at}" x2="{at + 16}" y1="{y - 4}" y2="{y - 4}" stroke="#77777e" '
        f'stroke-dasharray="5 4"/><text x="{at + 21}" y="{y}" fill="#44444a">'
        "limit of the usual</text>"
    )
    return parts


def _hex(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
