"""Routes on the ground: nearly straight lines that go on beyond both ends."""

from __future__ import annotations

import math
from dataclasses import dataclass

GroundPoint = tuple[float, float]


@dataclass(frozen=True)
class Route:
    """A flat arc from `start` to `end`, in metres on the ground.

    Attributes:
        start: where it begins.
        end: where it ends.
        bend: how far its middle lies to the left of the straight line, in metres.
    """

    start: GroundPoint
    end: GroundPoint
    bend: float

    @property
    def length(self) -> float:
        """Metres from start to end along the straight line."""
        return math.dist(self.start, self.end)

    def at(self, distance: float) -> tuple[GroundPoint, float]:
        """Returns the place and the heading (radians from +x towards +y) after `distance` metres.

        Outside the arc the route goes straight on.
        """
        length = self.length
        ahead = ((self.end[0] - self.start[0]) / length, (self.end[1] - self.start[1]) / length)
        left = (-ahead[1], ahead[0])
        share = min(1.0, max(0.0, distance / length))
        slope = 4 * self.bend * (1 - 2 * share) / length
        aside = 4 * self.bend * share * (1 - share) + slope * (distance - share * length)
        position = (
            self.start[0] + ahead[0] * distance + left[0] * aside,
            self.start[1] + ahead[1] * distance + left[1] * aside,
        )
        heading = math.atan2(ahead[1], ahead[0]) + math.atan(slope)
        return position, heading
