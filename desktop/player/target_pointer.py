"""Pointing at a target in the picture, with the mouse or with the arrow keys and Enter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, Qt

from desktop.state.target_mark import Point
from engine.core.geometry import Box

_MIN_SIZE = 2.0  # decoded pixels; a smaller box is a click
_MAX_POINTS = 2000  # of a brush, as many as a file of marks may hold
_WIDER = 1.25  # factor by which a key makes the brush wider or narrower
_WAYS = {
    Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1),
}  # fmt: skip
_DONE = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)
_WIDTHS = {Qt.Key.Key_BracketLeft: 1 / _WIDER, Qt.Key.Key_BracketRight: _WIDER}
POINTING_KEYS = frozenset((*_WAYS, *_DONE, *_WIDTHS, Qt.Key.Key_Escape))
"""Keys that belong to the picture while the examiner points."""

_WORDS = {
    "point": "click the target, or go there with the arrows and press Enter",
    "box": "drag a box around the target, or set two corners with the arrows and Enter",
    "brush": "brush over the target, or with the arrows between two Enter; [ and ] for the width",
}


@dataclass(frozen=True)
class PointedTarget:
    """What was pointed at; places in decoded pixels, as a `TargetMark` has them."""

    shape: str
    points: tuple[Point, ...]
    radius: float = 0.0


class Pointer:
    """The hand that points; places are in decoded pixels.

    Attributes:
        shape: `box`, `point` or `brush`; empty while nothing is pointed at.
        at: where the hand is.
        points: what was drawn so far.
        radius: of the brush.
    """

    def __init__(self) -> None:
        self.shape = ""
        self.at = QPointF()
        self.points: list[QPointF] = []
        self.radius = 0.0
        self._size = (0.0, 0.0)

    @property
    def words(self) -> str:
        """What to do, in words; empty while nothing is pointed at."""
        return f"{_WORDS[self.shape]}; Esc gives up" if self.shape else ""

    def begin(self, shape: str, width: int, height: int) -> None:
        """Begins to point, in the middle of a picture of this size."""
        if self._size != (width, height):
            self._size = float(width), float(height)
            self.at, self.radius = QPointF(width / 2, height / 2), height / 40
        self.shape, self.points = shape, []

    def end(self) -> None:
        """Gives up."""
        self.shape, self.points = "", []

    def press(self, position: QPointF) -> PointedTarget | None:
        """Puts the hand down; returns what was pointed at when that is all it takes."""
        self.at, self.points = position, [position]
        return self._finish() if self.shape == "point" else None

    def move(self, position: QPointF) -> None:
        """Moves the hand; draws while it is down."""
        self.at = position
        if not self.points:
            return
        if self.shape == "box":
            self.points[1:] = [position]
        elif (position - self.points[-1]).manhattanLength() >= 1 and len(self.points) < _MAX_POINTS:
            self.points.append(position)

    def release(self) -> PointedTarget | None:
        """Lifts the hand; a box without a size is none, and can be drawn anew."""
        if self.shape == "box" and not self._is_large_enough():
            self.points = []
            return None
        return self._finish() if self.points else None

    def key(self, key: int, step: float) -> PointedTarget | None:
        """Does what a key says.

        Args:
            key: one of `POINTING_KEYS`.
            step: pixels that an arrow goes.
        """
        if key == Qt.Key.Key_Escape:
            self.end()
        elif key in _DONE:
            return self.release() if self.points else self.press(self.at)
        elif key in _WIDTHS:
            self.radius = min(max(1.0, self.radius * _WIDTHS[Qt.Key(key)]), self._size[1] / 2)
        else:
            across, down = _WAYS[Qt.Key(key)]
            there = self.at + QPointF(across, down) * step
            width, height = self._size
            self.move(QPointF(min(max(0.0, there.x()), width), min(max(0.0, there.y()), height)))
        return None

    def _is_large_enough(self) -> bool:
        if len(self.points) < 2:
            return False
        size = self.points[1] - self.points[0]
        return min(abs(size.x()), abs(size.y())) >= _MIN_SIZE

    def _finish(self) -> PointedTarget:
        radius = self.radius if self.shape == "brush" else 0.0
        points = tuple((point.x(), point.y()) for point in self.points)
        pointed = PointedTarget(self.shape, points, radius)
        self.end()
        return pointed


def snap_to_box(pointed: PointedTarget, boxes: Sequence[Box]) -> PointedTarget:
    """Returns the smallest box around a point instead of the point, where there is one."""
    if pointed.shape != "point":
        return pointed
    ((x, y),) = pointed.points
    around = [box for box in boxes if box.x <= x < box.x + box.w and box.y <= y < box.y + box.h]
    if not around:
        return pointed
    box = min(around, key=lambda candidate: candidate.area)
    return PointedTarget("box", ((box.x, box.y), (box.x + box.w, box.y + box.h)))
