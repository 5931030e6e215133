"""Scores over time as a picture."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.render.chart_ticks import tick_step
from engine.render.palette import CHANNEL_COLOURS, Colour
from engine.render.raster import SUBPIXEL_BITS, Rgb, put_text, text_size

_PAPER: Colour = (255, 255, 255)  # white, as the page of a report
_INK: Colour = (48, 48, 52)  # axes and text
_GRID: Colour = (222, 222, 226)  # lines that must not compete with the curves
_TRUTH: Colour = (250, 214, 208)  # ground behind the curves where the truth is abnormal
_OTHER_COLOURS: tuple[Colour, ...] = ((20, 120, 100), (140, 60, 150), (120, 110, 20))
"""Of curves that have no colour of their own, in turn."""
_SCALE = 0.42  # of the font: 9 pixels high, the smallest that reads well
_TICK_PIXELS = 64  # that a time needs to stand apart from the next


def score_curve(
    scores: Mapping[str, NDArray[np.floating]],
    labels: NDArray[np.integer] | NDArray[np.bool_] | None,
    fps: float,
    width: int = 960,
    height: int = 240,
    title: str = "",
) -> Rgb:
    """Draws scores over time with the truth shaded behind them.

    Args:
        scores: scores of each channel, float [n], 0..1; NaN leaves a gap.
        labels: [n], non-zero where the truth is abnormal; None when there is no truth.
        fps: frames a second, for the ticks.
        width: width of the picture, at least 240 pixels.
        height: height of the picture, at least 120 pixels.
        title: written above the curve.

    Returns:
        uint8 [height, width, 3].

    Raises:
        BadInputError: no scores, lengths that differ, or a picture that is too small.
    """
    frames = _length(scores, labels)
    if width < 240 or height < 120 or not fps > 0:
        raise BadInputError(
            "a curve cannot be drawn", f"{width}x{height} at {fps} fps", "give at least 240x120"
        )
    page = np.full((height, width, 3), _PAPER, dtype=np.uint8)
    left, top, right, bottom = 44, 30, width - 14, height - 40
    if labels is not None:
        _shade(page, np.asarray(labels) != 0, (left, top, right, bottom))
    _axes(page, frames / fps, (left, top, right, bottom))
    others = iter(_OTHER_COLOURS * (1 + len(scores)))
    entries = [(name, CHANNEL_COLOURS.get(name) or next(others)) for name in scores]
    for name, colour in entries:
        _curve(page, np.asarray(scores[name], dtype=np.float64), colour, (left, top, right, bottom))
    truth = [] if labels is None else [("true abnormal", _TRUTH)]
    _heading(page, title, [*truth, *entries], left)
    return page


def _heading(page: Rgb, title: str, entries: list[tuple[str, Colour]], left: int) -> None:
    """Writes the names of the curves from the right edge, and the title in what room is left."""
    x = page.shape[1] - 14
    for name, colour in reversed(entries):
        x -= text_size(name, _SCALE)[0] + 8
        put_text(page, name, x, 6, _SCALE, _INK, None)
        x -= 18
        cv2.rectangle(page, (x + 2, 10), (x + 16, 19), colour, cv2.FILLED)
        x -= 8
    while title and text_size(title, _SCALE)[0] > max(0, x - left):
        title = title[:-1]
    put_text(page, title, left - 3, 6, _SCALE, _INK, None)


def _length(
    scores: Mapping[str, NDArray[np.floating]],
    labels: NDArray[np.integer] | NDArray[np.bool_] | None,
) -> int:
    lengths = {len(values) for values in scores.values()}
    if labels is not None:
        lengths.add(len(labels))
    if len(lengths) != 1 or not scores or 0 in lengths:
        raise BadInputError(
            "scores and labels differ in length or are empty",
            ", ".join(str(length) for length in sorted(lengths)),
            "give one value a frame",
        )
    return lengths.pop()


def _shade(page: Rgb, abnormal: NDArray[np.bool_], area: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = area
    edges = np.flatnonzero(np.diff(np.concatenate([[False], abnormal, [False]])))
    for first, after in edges.reshape(-1, 2).tolist():
        start = left + (right - left) * first / len(abnormal)
        end = left + (right - left) * after / len(abnormal)
        page[top:bottom, int(start) : max(int(start) + 1, round(end))] = _TRUTH


def _axes(page: Rgb, seconds: float, area: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = area
    for value in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = round(bottom - value * (bottom - top))
        page[y, left:right] = np.minimum(page[y, left:right], _GRID)
        if value in (0.0, 0.5, 1.0):
            text = f"{value:.1f}"
            put_text(page, text, left - 10 - text_size(text, _SCALE)[0], y - 8, _SCALE, _INK, None)
    max_ticks = (right - left) / _TICK_PIXELS
    step = tick_step(seconds, max_ticks) or 3600.0 * (1 + seconds // (3600 * max_ticks))
    minutes = seconds >= 120
    for tick in np.arange(0, seconds + 1e-9, step):
        x = min(right - 1, round(left + (right - left) * float(tick) / seconds))
        page[bottom : bottom + 5, x] = _INK
        text = _clock(float(tick), step, minutes)
        put_text(
            page, text, x - text_size(text, _SCALE)[0] // 2 - 3, bottom + 4, _SCALE, _INK, None
        )
    cv2.line(page, (left, bottom), (right, bottom), _INK, 1)
    cv2.line(page, (left, top), (left, bottom), _INK, 1)
    unit = "time (min:s)" if minutes else "time (s)"
    middle = (left + right) // 2 - text_size(unit, _SCALE)[0] // 2
    put_text(page, unit, middle, bottom + 20, _SCALE, _INK, None)


def _clock(tick: float, step: float, minutes: bool) -> str:
    if minutes:
        return f"{int(tick) // 60}:{int(tick) % 60:02d}"
    return f"{tick:.1f}" if step < 1 else f"{tick:.0f}"


def _curve(
    page: Rgb,
    values: NDArray[np.float64],
    colour: Colour,
    area: tuple[int, int, int, int],
) -> None:
    left, top, right, bottom = area
    x = left + (right - left) * (np.arange(len(values)) + 0.5) / len(values)
    y = bottom - np.clip(values, 0, 1) * (bottom - top)
    known = np.isfinite(values)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]])))
    for first, after in edges.reshape(-1, 2).tolist():
        if after - first == 1:
            cv2.circle(page, (round(x[first]), round(y[first])), 1, colour, cv2.FILLED)
            continue
        points = np.stack([x[first:after], y[first:after]], axis=-1)
        fixed = np.round(points * 2**SUBPIXEL_BITS).astype(np.int32)
        cv2.polylines(page, [fixed], False, colour, 2, cv2.LINE_AA, SUBPIXEL_BITS)
