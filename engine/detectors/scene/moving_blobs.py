"""Moving blobs: connected foreground of one frame, with its size and where it stands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from engine.motion.box_motion import BoxMotion

_WITHIN_FRAME = np.zeros((3, 3, 3), np.bool_)
_WITHIN_FRAME[1] = True
# Choices, each to be judged by the benchmarks; none was measured by itself.
_MIN_CELL_SHARE = 0.15  # Share of foreground from which on a cell belongs to a blob.
_MIN_SQUARE_SHARE = 0.8  # Share of foreground from which on a blob fills a square.
# In cells, ascending: the sizes that are told apart.
_SQUARE_EDGES = (2, 3, 4, 5, 6, 8, 10, 12, 16)


@dataclass(frozen=True, eq=False)
class Blobs:
    """Blobs of consecutive frames.

    Attributes:
        labels: int32 [n, R, C], 0 = none, otherwise 1 + index in the other arrays.
        side: float32 [k], edge of the largest square, in analysis pixels, that the blob nearly
            fills: people who merge into a group do not fill one, a vehicle does.
        foot: int64 [k], lowest row of cells.
        speed: float32 [k], mean speed, px/s.
    """

    labels: NDArray[np.int32]
    side: NDArray[np.float32]
    foot: NDArray[np.int64]
    speed: NDArray[np.float32]


def find_blobs(foreground: NDArray[np.uint8], cell: int, motion: BoxMotion) -> Blobs:
    """Finds the blobs of every frame.

    Args:
        foreground: uint8 [n, R, C], foreground pixels a cell.
        cell: edge of a cell in analysis pixels.
        motion: of the same frames.
    """
    solid = foreground > _MIN_CELL_SHARE * cell**2
    labels = np.zeros(solid.shape, np.int32)
    count = int(ndimage.label(solid, _WITHIN_FRAME, output=labels))
    if not count:
        nothing = np.zeros(0, np.float32)
        return Blobs(labels, nothing, np.zeros(0, np.int64), nothing)
    flat = labels.ravel()
    edge = ndimage.maximum(_filled_square(foreground, cell), labels, np.arange(1, count + 1))
    cells = np.bincount(flat, minlength=count + 1)[1:]
    speed = np.bincount(flat, motion.speed.ravel(), count + 1)[1:] / cells
    every_row = np.arange(solid.shape[1], dtype=np.int64)[None, :, None]
    rows = np.broadcast_to(every_row, solid.shape)
    foot = ndimage.maximum(rows, labels, np.arange(1, count + 1))
    return Blobs(
        labels,
        np.asarray(edge, np.float32) * np.float32(cell),
        np.asarray(foot, np.int64),
        speed.astype(np.float32),
    )


def _filled_square(foreground: NDArray[np.uint8], cell: int) -> NDArray[np.float32]:
    share = foreground.astype(np.float32) / np.float32(cell**2)
    edge = np.ones(share.shape, np.float32)
    for square in _SQUARE_EDGES:
        if square > min(share.shape[1:]):
            break
        filled = ndimage.uniform_filter(share, (0, square, square), mode="constant")
        is_filled = filled > _MIN_SQUARE_SHARE
        if not is_filled.any():
            break
        edge[is_filled] = square
    return edge
