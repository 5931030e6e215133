"""Regions: the connected parts of a frame's heatmap above a threshold."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from engine.core.findings import Region, Trajectory
from engine.core.geometry import Box, shared_area
from engine.motion.grid import Grid

EIGHT_CONNECTED = np.ones((3, 3), np.bool_)
"""Structuring element for `scipy.ndimage.label`: cells that touch at a corner are connected."""


@dataclass(frozen=True, eq=False)
class CutRegion:
    """One connected component of a heatmap.

    Attributes:
        row: first row of cells.
        column: first column of cells.
        mask: bool [rows, columns], the component inside its bounding cells.
        score: largest value inside.
    """

    row: int
    column: int
    mask: NDArray[np.bool_]
    score: float

    def box(self, grid: Grid) -> Box:
        """Returns the box of its cells in decoded pixels."""
        rows, columns = self.mask.shape
        return grid.box(self.row, self.column, self.row + rows - 1, self.column + columns - 1)


def cut_cells(heat: NDArray[np.float32], threshold: float) -> list[CutRegion]:
    """Cuts a heatmap into 8-connected components, in raster order of their first cell.

    Args:
        heat: float32 [R, C].
        threshold: smallest value of a cell that belongs to a component.
    """
    labels, count = ndimage.label(heat >= threshold, EIGHT_CONNECTED)
    if count == 0:
        return []
    parts: list[CutRegion] = []
    for number, window in enumerate(ndimage.find_objects(labels), start=1):
        mask = np.asarray(labels[window] == number)
        score = float(heat[window][mask].max())
        parts.append(CutRegion(window[0].start, window[1].start, mask, score))
    return parts


class RegionLog:
    """Regions of a whole stream in a few dozen bytes each, until trajectories have numbers."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._frames = array("q")
        self._pts = array("q")
        self._cell_rects = array("H")
        self._scores = array("f")
        self._mask_bits = bytearray()

    def __len__(self) -> int:
        return len(self._frames)

    def add(self, frame: int, pts: int, parts: Sequence[CutRegion]) -> None:
        """Adds the regions of a frame; frames come in ascending order."""
        for part in parts:
            self._frames.append(frame)
            self._pts.append(pts)
            self._cell_rects.extend((part.row, part.column, *part.mask.shape))
            self._scores.append(part.score)
            self._mask_bits += np.packbits(part.mask).tobytes()

    def regions(self, trajectories: Sequence[Trajectory]) -> Iterator[Region]:
        """Yields the regions in order, each with the trajectory it belongs to.

        A region belongs to the trajectory whose box in that frame covers most of its box; to
        none when no box touches it.
        """
        boxes = _BoxesByFrame(trajectories)
        offset = 0
        for i in range(len(self)):
            row, column, rows, columns = self._cell_rects[4 * i : 4 * i + 4]
            size = -(-rows * columns // 8)
            packed = np.frombuffer(self._mask_bits, np.uint8, size, offset)
            offset += size
            mask = np.unpackbits(packed, count=rows * columns).astype(np.bool_)
            part = CutRegion(row, column, mask.reshape(rows, columns), self._scores[i])
            box = part.box(self._grid)
            frame = self._frames[i]
            yield Region(frame, self._pts[i], box, part.score, part.mask, boxes.owner(frame, box))


class _BoxesByFrame:
    """Tells which trajectory's box covers most of a box, for frames in ascending order."""

    def __init__(self, trajectories: Sequence[Trajectory]) -> None:
        self._later = sorted(
            (t for t in trajectories if len(t.frames)), key=lambda t: -int(t.frames[0])
        )
        self._current: list[Trajectory] = []

    def owner(self, frame: int, box: Box) -> int | None:
        while self._later and self._later[-1].frames[0] <= frame:
            self._current.append(self._later.pop())
        self._current = [t for t in self._current if t.frames[-1] >= frame]
        shared_areas: dict[int, float] = {}
        for trajectory in self._current:
            i = int(np.searchsorted(trajectory.frames, frame))
            if trajectory.frames[i] == frame:
                x, y, w, h = (int(value) for value in trajectory.boxes[i])
                shared_areas[trajectory.number] = shared_area(box.edges, (x, y, x + w, y + h))
        owner = max(shared_areas, key=lambda number: (shared_areas[number], -number), default=None)
        return owner if owner is not None and shared_areas[owner] > 0 else None
