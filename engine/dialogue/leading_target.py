"""The one target of a span that the language model is conditioned on, where several stand out.

An answer is about one target: where it is, what it wears, what it does. Heatmaps that show three
targets leave open which one is meant, so the others are removed from them. The target of a span is
the hottest one in the middle of the span, followed to both ends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.dialogue.span_results import USUAL_LIMIT

HeatArray = NDArray[np.float32]
"""One heatmap, float32 [R, C], or several, float32 [n, R, C]; values 0..1."""
HeatmapReader = Callable[[Sequence[int]], HeatArray]
"""A function that returns the calibrated heatmaps, float32 [n, R, C], of n frames."""

_MAX_PROBES = 64  # Frames in which the target is followed: bounds how many heatmaps are read.
_MAX_DISSIMILARITY = 4.0
"""Above this a region is another target: four sizes away from one probe to the next. A choice; a
limit that grows while the target is hidden was measured and was no better
(docs/experiments/dialogue.md)."""
_MARGIN_CELLS = 2  # Cells around another target that are removed with it; a choice.


@dataclass(frozen=True, eq=False)
class HotRegion:
    """Connected cells of a heatmap that lie at or above the limit of the usual.

    Attributes:
        cells: bool [R, C], which cells it consists of.
        box: float64 [4], left, top, width and height in cells.
        mass: sum of the heatmap over its cells.
    """

    cells: NDArray[np.bool_]
    box: NDArray[np.float64]
    mass: float

    @property
    def centre(self) -> tuple[float, float]:
        """The middle of the box, x and y, in cells."""
        x, y, width, height = self.box
        return float(x + width / 2), float(y + height / 2)


class LeadingTarget:
    """Reads heatmaps of a span in which only the target of the span stands out.

    Attributes:
        hot_frames: the probed frames in which the target lies above the limit, in order.
    """

    def __init__(self, span: tuple[int, int], read_heatmaps: HeatmapReader) -> None:
        """Follows the target through the span.

        Args:
            span: first and last frame.
            read_heatmaps: returns the heatmaps with all targets.
        """
        self._read_heatmaps = read_heatmaps
        self._span = span
        first, last = span
        count = min(_MAX_PROBES, last - first + 1)
        probes = np.unique(np.linspace(first, last, count).round().astype(int))
        boxes = _follow_target([find_hot_regions(heat) for heat in read_heatmaps(probes.tolist())])
        self.hot_frames = tuple(int(probes[number]) for number in sorted(boxes))
        self._boxes = np.array([boxes[number] for number in sorted(boxes)])

    def __call__(self, frames: Sequence[int]) -> HeatArray:
        """Returns heatmaps, float32 [n, R, C], in which only the target lies above the limit."""
        maps = self._read_heatmaps(frames)
        if not self.hot_frames:
            return maps
        return np.stack(
            [self._isolate(heat, frame) for heat, frame in zip(maps, frames, strict=True)]
        )

    def narrow_span(self, min_frames: int) -> tuple[int, int]:
        """Narrows the span to the frames in which its target stands out.

        A span begins before its target is in view and ends after it has left. A language model
        that sees cold heatmaps at either end answers that nothing happens in the whole span.

        Args:
            min_frames: number of frames to keep at least, as far as the span has them.

        Returns:
            First and last frame; the whole span where nothing stands out.
        """
        if not self.hot_frames:
            return self._span
        first, last = self._span
        begin, end = self.hot_frames[0], self.hot_frames[-1]
        missing = max(0, min_frames - 1 - (end - begin))
        begin = max(first, begin - missing // 2)
        end = min(last, max(end, begin + min_frames - 1))
        return max(first, min(begin, end - min_frames + 1)), end

    def _isolate(self, heat: HeatArray, frame: int) -> HeatArray:
        """Sets the other targets in the heatmap of a frame to 0, with a margin around them."""
        regions = find_hot_regions(heat)
        box = np.array([np.interp(frame, self.hot_frames, side) for side in self._boxes.T])
        own = _closest_region(box, regions)
        others = np.zeros(heat.shape, np.uint8)
        for region in regions:
            if region is not own:
                others[region.cells] = 1
        erased = cv2.dilate(others, np.ones((3, 3), np.uint8), iterations=_MARGIN_CELLS) > 0
        if own is not None:
            erased &= ~own.cells
        return np.where(erased, np.float32(0), heat)


def find_hot_regions(heat: HeatArray) -> list[HotRegion]:
    """Returns the regions that lie above the limit in a heatmap, float32 [R, C]."""
    hot = np.asarray(heat >= USUAL_LIMIT, np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(hot, connectivity=8)
    masks = ((number, labels == number) for number in range(1, count))
    return [
        HotRegion(cells, stats[number, :4].astype(np.float64), float(heat[cells].sum()))
        for number, cells in masks
    ]


def _follow_target(probes: Sequence[Sequence[HotRegion]]) -> dict[int, NDArray[np.float64]]:
    """Follows the hottest region of the probe nearest to the middle; its box by probe."""
    hot = [number for number, regions in enumerate(probes) if regions]
    if not hot:
        return {}
    start = min(hot, key=lambda number: abs(number - len(probes) // 2))
    boxes = {start: max(probes[start], key=lambda region: region.mass).box}
    for numbers in (range(start + 1, len(probes)), range(start - 1, -1, -1)):
        box = boxes[start]
        for number in numbers:
            own = _closest_region(box, probes[number])
            if own is not None:
                boxes[number] = box = own.box
    return boxes


def _closest_region(box: NDArray[np.float64], regions: Sequence[HotRegion]) -> HotRegion | None:
    """Returns the region that is most like a box; None where even that is another target."""
    best = min(regions, key=lambda region: _dissimilarity(box, region.box), default=None)
    if best is None or _dissimilarity(box, best.box) > _MAX_DISSIMILARITY:
        return None
    return best


def _dissimilarity(box: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Returns the distance of two boxes in units of their mean size plus |log area ratio|."""
    areas = box[2:].prod(), other[2:].prod()
    offset = box[:2] + box[2:] / 2 - other[:2] - other[2:] / 2
    size = (areas[0] ** 0.5 + areas[1] ** 0.5) / 2
    return float(np.hypot(*offset) / max(1.0, size) + abs(np.log(areas[0] / areas[1])))
