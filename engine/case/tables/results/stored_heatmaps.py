"""Heatmaps as rows and back, in blocks of frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.case.store import row_fields as fields
from engine.case.store.database import Row, Value
from engine.core.arrays import pack_arrays, unpack_arrays

COLUMNS = ("run_id", "channel", "first_frame", "last_frame", "data")
"""Columns of the table `heat` in the order of `to_rows`."""


@dataclass(frozen=True, eq=False)
class HeatBlock:
    """Heatmaps of consecutive analysed frames of one channel.

    Attributes:
        channel: `scene`, `text`, `fused`.
        frames: int64 [m], indices of the frames, ascending.
        heat: uint8 [m, R, C], 255 for 1.0.
    """

    channel: str
    frames: NDArray[np.int64]
    heat: NDArray[np.uint8]

    def at(self, frame: int) -> NDArray[np.uint8]:
        """Returns the heatmap of the analysed frame at or before a frame, uint8 [R, C]."""
        index = int(np.searchsorted(self.frames, frame, side="right")) - 1
        return np.asarray(self.heat[max(0, index)])


def to_rows(run_id: int, blocks: Iterable[HeatBlock]) -> Iterator[list[Value]]:
    """Yields the rows of heatmaps, as the blocks come."""
    for block in blocks:
        data = pack_arrays(
            {"frames": np.asarray(block.frames, np.int64), "heat": np.asarray(block.heat, np.uint8)}
        )
        yield [run_id, block.channel, int(block.frames[0]), int(block.frames[-1]), data]


def read_block(row: Row) -> HeatBlock:
    """Restores heatmaps; raises ValueError when they do not belong together."""
    arrays = unpack_arrays(fields.blob(row, "data"))
    frames, heat = arrays["frames"], arrays["heat"]
    if heat.ndim != 3 or heat.dtype != np.uint8 or len(frames) != len(heat) or not len(frames):
        raise ValueError("heatmaps of different number")
    return HeatBlock(fields.text(row, "channel"), frames.astype(np.int64, copy=False), heat)
