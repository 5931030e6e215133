"""A target that the examiner pointed at in a frame, to teach by it or to find more like it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.protocol import mark_fields

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
        return mark_fields(self)
