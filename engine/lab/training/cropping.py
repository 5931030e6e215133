"""Cuts a part out of a cached window: most of a picture is ground, which teaches little."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from engine.lab.training.feature_cache import CachedWindow

_AT_ANOMALY, _AT_ANYTHING = 0.6, 0.85


def cropped(window: CachedWindow, size: tuple[int, int], rng: np.random.Generator) -> CachedWindow:
    """Cuts a part out, mostly around a target.

    Args:
        window: to cut.
        size: rows and columns of the part, in cells of the deepest map.
        rng: the generator.

    Returns:
        The window's part; all of it when it is no larger, or when the grids of its depths are
        not multiples of the deepest.
    """
    rows, columns = window.maps[-1].shape[-2:]
    grids = [tuple(one.shape[-2:]) for one in window.maps]
    grids.append(window.ids.shape[1:])
    if any(grid[0] % rows or grid[1] % columns for grid in grids):
        return window
    high, wide = min(size[0], rows), min(size[1], columns)
    if (high, wide) == (rows, columns):
        return window
    row, column = _centre(window, rows, columns, rng)
    top = int(np.clip(row - rng.integers(0, high), 0, rows - high))
    left = int(np.clip(column - rng.integers(0, wide), 0, columns - wide))

    def part(values: torch.Tensor) -> torch.Tensor:
        down, across = values.shape[-2] // rows, values.shape[-1] // columns
        cut = values[..., top * down : (top + high) * down, left * across : (left + wide) * across]
        return cut.contiguous()

    maps = tuple(part(one) for one in window.maps)
    motion = None if window.motion is None else part(window.motion)
    ids = part(torch.from_numpy(window.ids)).numpy()
    return replace(window, maps=maps, motion=motion, ids=ids)


def _centre(
    window: CachedWindow, rows: int, columns: int, rng: np.random.Generator
) -> tuple[int, int]:
    """Draws a cell of the deepest map: at an abnormal target, at any target, or anywhere."""
    drawn = float(rng.random())
    place = int(rng.integers(len(window.frames)))
    frame = int(window.frames[place])
    numbers = [
        target.number
        for target in window.video.targets
        if drawn >= _AT_ANOMALY or target.abnormal_at(frame)
    ]
    if drawn < _AT_ANYTHING:
        there = [number for number in numbers if (window.ids[place] == number).any()]
        if there:
            chosen = there[int(rng.integers(len(there)))]
            ys, xs = np.nonzero(window.ids[place] == chosen)
            one = int(rng.integers(len(ys)))
            height, width = window.ids.shape[1:]
            return int(ys[one]) * rows // height, int(xs[one]) * columns // width
    return int(rng.integers(rows)), int(rng.integers(columns))
