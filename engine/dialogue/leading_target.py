"""The one target of a span that a language model is told of, where evidence shows several.

An answer is about one target: its places, its clothes, what it does. Evidence that shows three at
once leaves open which of them that is, so the others are taken out of it before it is read. The
target of a span is the one with the most evidence in its middle, followed to both ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.dialogue.span_evidence import LIMIT

Heat = NDArray[np.float32]
HeatOf = Callable[[Sequence[int]], Heat]
"""Gives calibrated heatmaps float32 [n, R, C] at frames."""

_PROBES = 64
_FARTHEST = 4.0
_FLANK = 2


@dataclass(frozen=True, eq=False)
class Spot:
    """A connected part of a heatmap above the limit.

    Attributes:
        cells: bool [R, C], its own.
        box: float [4], left, top, width and height in cells.
        mass: sum of its heat.
    """

    cells: NDArray[np.bool_]
    box: NDArray[np.float64]
    mass: float

    @property
    def centre(self) -> tuple[float, float]:
        """Middle of the box, across and down, in cells."""
        x, y, width, height = self.box
        return float(x + width / 2), float(y + height / 2)


class LeadingTarget:
    """Heatmaps of a span without the targets other than its own.

    Attributes:
        seen: the probed frames in which the target stands above the limit.
    """

    def __init__(self, span: tuple[int, int], heat: HeatOf) -> None:
        """Follows the target.

        Args:
            span: first and last frame.
            heat: gives the evidence.
        """
        self._heat = heat
        self._span = span
        first, last = span
        count = min(_PROBES, last - first + 1)
        probes = np.unique(np.linspace(first, last, count).round().astype(int))
        boxes = _followed([spots_of(one) for one in heat(probes.tolist())])
        self.seen = tuple(int(probes[place]) for place in sorted(boxes))
        self._boxes = np.array([boxes[place] for place in sorted(boxes)])

    def __call__(self, frames: Sequence[int]) -> Heat:
        """Returns heatmaps float32 [n, R, C] in which only the target is above the limit."""
        maps = self._heat(frames)
        if not self.seen:
            return maps
        return np.stack([self._alone(one, at) for one, at in zip(maps, frames, strict=True)])

    def part(self, least: int) -> tuple[int, int]:
        """Narrows the span to where its target stands out.

        A span begins before its target is in view and ends after it: evidence that is cold at
        either end says that nothing happened there, and is taken to say so of the whole.

        Args:
            least: frames that are left at least, as far as the span has them.

        Returns:
            First and last frame; the span itself where nothing stands out.
        """
        if not self.seen:
            return self._span
        first, last = self._span
        begin, end = self.seen[0], self.seen[-1]
        missing = max(0, least - 1 - (end - begin))
        begin = max(first, begin - missing // 2)
        end = min(last, max(end, begin + least - 1))
        return max(first, min(begin, end - least + 1)), end

    def _alone(self, heat: Heat, frame: int) -> Heat:
        spots = spots_of(heat)
        box = np.array([np.interp(frame, self.seen, side) for side in self._boxes.T])
        own = _nearest(box, spots)
        others = np.zeros(heat.shape, np.uint8)
        for one in spots:
            if one is not own:
                others[one.cells] = 1
        silenced = cv2.dilate(others, np.ones((3, 3), np.uint8), iterations=_FLANK) > 0
        if own is not None:
            silenced &= ~own.cells
        return np.where(silenced, np.float32(0), heat)


def spots_of(heat: Heat) -> list[Spot]:
    """Finds what stands above the limit in a heatmap float32 [R, C]."""
    hot = np.asarray(heat >= LIMIT, np.uint8)
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(hot, connectivity=8)
    cells = (labels == one for one in range(1, count))
    return [
        Spot(own, boxes[place, :4].astype(np.float64), float(heat[own].sum()))
        for place, own in enumerate(cells, 1)
    ]


def _followed(steps: Sequence[Sequence[Spot]]) -> dict[int, NDArray[np.float64]]:
    """Follows the spot with the most heat nearest to the middle; its box by step."""
    hot = [place for place, spots in enumerate(steps) if spots]
    if not hot:
        return {}
    start = min(hot, key=lambda place: abs(place - len(steps) // 2))
    found = {start: max(steps[start], key=lambda one: one.mass).box}
    for way in (range(start + 1, len(steps)), range(start - 1, -1, -1)):
        _follow(steps, way, found, start)
    return found


def _follow(
    steps: Sequence[Sequence[Spot]],
    way: Iterable[int],
    found: dict[int, NDArray[np.float64]],
    start: int,
) -> None:
    box = found[start]
    for place in way:
        own = _nearest(box, steps[place])
        if own is not None:
            found[place] = box = own.box


def _nearest(box: NDArray[np.float64], spots: Sequence[Spot]) -> Spot | None:
    """Returns the spot that is most like a box; None where even that is another target."""
    likeliest = min(spots, key=lambda one: _apart(box, one.box), default=None)
    if likeliest is None or _apart(box, likeliest.box) > _FARTHEST:
        return None
    return likeliest


def _apart(box: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """How unlike two boxes are: distance in their own sizes, and how much one is larger."""
    areas = box[2:].prod(), other[2:].prod()
    middles = box[:2] + box[2:] / 2 - other[:2] - other[2:] / 2
    size = (areas[0] ** 0.5 + areas[1] ** 0.5) / 2
    return float(np.hypot(*middles) / max(1.0, size) + abs(np.log(areas[0] / areas[1])))
