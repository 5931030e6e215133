"""Crops cached windows around targets: most of a frame is ground, which teaches little."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from engine.lab.training.feature_cache import CachedWindow

_ABNORMAL_SHARE, _TARGET_SHARE = 0.6, 0.85
"""Of the crops, the share around an abnormal target, and around any target; a choice."""


def crop_window(
    window: CachedWindow, size: tuple[int, int], rng: np.random.Generator
) -> CachedWindow:
    """Crops a window, mostly around a target.

    Args:
        window: the whole window.
        size: rows and columns of the crop, in cells of the deepest map.
        rng: draws where.

    Returns:
        The crop; the whole window when it is no larger, or when the grids of its depths are no
        multiples of the deepest.
    """
    rows, columns = window.maps[-1].shape[-2:]
    grids = [tuple(values.shape[-2:]) for values in window.maps]
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

    maps = tuple(part(values) for values in window.maps)
    motion = None if window.motion is None else part(window.motion)
    ids = part(torch.from_numpy(window.ids)).numpy()
    return replace(window, maps=maps, motion=motion, ids=ids)


def _centre(
    window: CachedWindow, rows: int, columns: int, rng: np.random.Generator
) -> tuple[int, int]:
    """Draws a cell of the deepest map: at an abnormal target, at any target, or anywhere."""
    chance = float(rng.random())
    slice_index = int(rng.integers(len(window.frames)))
    frame = int(window.frames[slice_index])
    numbers = [
        target.number
        for target in window.video.targets
        if chance >= _ABNORMAL_SHARE or target.abnormal_at(frame)
    ]
    if chance < _TARGET_SHARE:
        visible = [number for number in numbers if (window.ids[slice_index] == number).any()]
        if visible:
            number = visible[int(rng.integers(len(visible)))]
            ys, xs = np.nonzero(window.ids[slice_index] == number)
            pixel = int(rng.integers(len(ys)))
            height, width = window.ids.shape[1:]
            return int(ys[pixel]) * rows // height, int(xs[pixel]) * columns // width
    return int(rng.integers(rows)), int(rng.integers(columns))
