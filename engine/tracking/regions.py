"""Regions: the connected parts of a frame's heatmap above a threshold."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from engine.core.findings import Region, Trajectory
from engine.core.geometry import Box
from engine.motion.grid import Grid

EIGHT = np.ones((3, 3), np.bool_)
"""Cells that touch at a corner are connected."""


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
        threshold: least value of a cell.
    """
    labels, count = ndimage.label(heat >= threshold, EIGHT)
    if count == 0:
        return []
    parts: list[CutRegion] = []
    for number, window in enumerate(ndimage.find_objects(labels), start=1):
        mask = np.asarray(labels[window] == number)
        score = float(heat[window][mask].max())
        parts.append(CutRegion(window[0].start, window[1].start, mask, score))
    return parts


def cut_regions(
    heat: NDArray[np.float32], threshold: float, grid: Grid
) -> list[tuple[Box, float, NDArray[np.bool_]]]:
    """Cuts a heatmap into regions.

    Args:
        heat: float32 [R, C].
        threshold: least value of a cell that belongs to a region.
        grid: how cells lie on decoded pixels.

    Returns:
        Per 8-connected component its box in decoded pixels, its largest value and its cells,
        bool [rows, columns] inside the box.
    """
    return [(part.box(grid), part.score, part.mask) for part in cut_cells(heat, threshold)]


def cut_many(
    heat: NDArray[np.float32], cuts: Sequence[float], grid: Grid
) -> list[tuple[Box, float]]:
    """Cuts a heatmap at several thresholds, as region-based evaluation wants it.

    A wide box of a low cut and a tight one of a high cut may both meet the truth; each keeps
    the largest value inside as its score (method.md, *The scene channel*).

    Args:
        heat: float32 [R, C].
        cuts: thresholds, each at least as high as a cell's value that counts.
        grid: how cells lie on decoded pixels.

    Returns:
        Boxes in decoded pixels with scores, cut by cut; equal boxes of one score come once.
    """
    found: dict[tuple[Box, float], None] = {}
    for cut in cuts:
        for part in cut_cells(heat, cut):
            found.setdefault((part.box(grid), part.score))
    return list(found)


class RegionLog:
    """Regions of a whole stream in a few dozen bytes each, until trajectories have numbers."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._frames = array("q")
        self._pts = array("q")
        self._places = array("H")
        self._scores = array("f")
        self._bits = bytearray()

    def __len__(self) -> int:
        return len(self._frames)

    def add(self, frame: int, pts: int, parts: Sequence[CutRegion]) -> None:
        """Adds the regions of a frame; frames come in ascending order."""
        for part in parts:
            self._frames.append(frame)
            self._pts.append(pts)
            self._places.extend((part.row, part.column, *part.mask.shape))
            self._scores.append(part.score)
            self._bits += np.packbits(part.mask).tobytes()

    def regions(self, trajectories: Sequence[Trajectory]) -> Iterator[Region]:
        """Yields the regions in order, each with the trajectory it belongs to.

        A region belongs to the trajectory whose box in that frame covers most of its box; to
        none when no box touches it.
        """
        boxes = _BoxesByFrame(trajectories)
        offset = 0
        for i in range(len(self)):
            row, column, rows, columns = self._places[4 * i : 4 * i + 4]
            size = -(-rows * columns // 8)
            bits = np.frombuffer(self._bits, np.uint8, size, offset)
            offset += size
            mask = np.unpackbits(bits, count=rows * columns).astype(np.bool_)
            part = CutRegion(row, column, mask.reshape(rows, columns), self._scores[i])
            box = part.box(self._grid)
            frame = self._frames[i]
            yield Region(frame, self._pts[i], box, part.score, part.mask, boxes.owner(frame, box))


class _BoxesByFrame:
    """Answers whose box covers most of a box; asked for frames in ascending order."""

    def __init__(self, trajectories: Sequence[Trajectory]) -> None:
        self._waiting = sorted(
            (t for t in trajectories if len(t.frames)), key=lambda t: -int(t.frames[0])
        )
        self._open: list[Trajectory] = []

    def owner(self, frame: int, box: Box) -> int | None:
        while self._waiting and self._waiting[-1].frames[0] <= frame:
            self._open.append(self._waiting.pop())
        self._open = [t for t in self._open if t.frames[-1] >= frame]
        shared: dict[int, int] = defaultdict(int)
        for trajectory in self._open:
            i = int(np.searchsorted(trajectory.frames, frame))
            if trajectory.frames[i] == frame:
                x, y, w, h = (int(value) for value in trajectory.boxes[i])
                shared[trajectory.number] = shared_area(box, Box(x, y, w, h))
        best = max(shared, key=lambda number: (shared[number], -number), default=None)
        return best if best is not None and shared[best] > 0 else None


def shared_area(one: Box, other: Box) -> int:
    """Returns the number of pixels that lie in both boxes."""
    width = min(one.x + one.w, other.x + other.w) - max(one.x, other.x)
    height = min(one.y + one.h, other.y + other.h) - max(one.y, other.y)
    return max(0, width) * max(0, height)
