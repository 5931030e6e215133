"""A target that the examiner pointed at in a frame, to teach by it or to find more like it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Point = tuple[float, float]


@dataclass(frozen=True)
class TargetMark:
    """One target in one frame; places are in decoded pixels.

    Attributes:
        evidence_id: the evidence.
        frame: index of the frame.
        seconds: its stream time.
        name: what the target is.
        normal: whether it is normal; otherwise abnormal.
        shape: `box`, `point` or `brush`.
        points: of a box two opposite corners, of a point one, of a brush the way of its middle.
        radius: of the brush; 0 for the others.
        file: name of the evidence.
    """

    evidence_id: int
    frame: int
    seconds: float
    name: str
    normal: bool
    shape: str
    points: tuple[Point, ...]
    radius: float = 0.0
    file: str = ""

    @property
    def side(self) -> str:
        """On which side its name stands, in words."""
        return "normal" if self.normal else "abnormal"

    def fields(self) -> dict[str, Any]:
        """Returns the mark as the engine process takes it."""
        said: dict[str, Any] = {
            "evidence_id": self.evidence_id,
            "time": self.seconds,
            "name": self.name,
            "normal": self.normal,
        }
        if self.shape == "box":
            (x, y), (to_x, to_y) = self.points
            return said | {"box": [min(x, to_x), min(y, to_y), abs(to_x - x), abs(to_y - y)]}
        if self.shape == "point":
            return said | {"point": list(self.points[0])}
        points = [list(one) for one in self.points]
        return said | {"brush": {"points": points, "radius": self.radius}}
