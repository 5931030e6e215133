"""What marks teach the scene channel: things that move and measure like this are usual, or not.

A marked target is known by how fast it moves, in multiples of the usual speed of its row, and by
the side of its blob, in seconds of that speed; both grow with a person's size in the picture, so
that a target is known again nearer or farther away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

from engine.core.errors import BadInputError
from engine.detectors.scene.observation import Observation

_WIDER = 1.5
_FASTER = 1.35
_QUIET = np.float32(0.7)
_LOUD = np.float32(1.25)
_PART = 0.25
LEAST_SPEED = 1.15
"""Times the usual speed from which on speed alone may be taught as abnormal."""

ATTRIBUTE = "speed"
"""The attribute that speaks for a motion taught as abnormal."""

_STANDING = ("left", "taken")


@dataclass(frozen=True)
class TaughtMotion:
    """Motion of a marked target.

    Attributes:
        normal: whether it is usual; otherwise it stands out.
        speed: (least, most), times the usual speed of its row.
        side: (least, most), side of its blob in seconds of the usual speed of the row it is on.
    """

    normal: bool
    speed: tuple[float, float]
    side: tuple[float, float]

    def as_json(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> TaughtMotion:
        """Restores what `as_json` gave.

        Raises:
            BadInputError: a value is missing or no number.
        """
        try:
            speed, side = ((float(a), float(b)) for a, b in (values["speed"], values["side"]))
            return cls(bool(values["normal"]), speed, side)
        except (KeyError, TypeError, ValueError) as error:
            raise BadInputError("a taught motion is damaged", str(error), "teach again") from error

    def alike(self, seen: Observation, usual: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Returns where something moves and measures like it, bool [n, R, C]."""
        blobs = seen.blobs
        speed = seen.motion.speed / usual[None, :, None]
        side = np.concatenate([[0], blobs.side / usual[blobs.foot]])[blobs.labels]
        least = 0.0 if self.normal else self.speed[0]
        fits = (speed >= least) & (speed <= self.speed[1])
        fits &= (side >= self.side[0]) & (side <= self.side[1])
        return np.asarray(maximum_filter(fits, (1, 3, 3)), np.bool_)


def motion_at(
    seen: Observation, frame: int, cells: NDArray[np.bool_], usual: NDArray[np.float32]
) -> tuple[float, float] | None:
    """Measures what moves in the marked cells of a frame.

    Args:
        seen: consecutive frames.
        frame: position among them.
        cells: bool [R, C], what was marked.
        usual: float32 [R], usual speed a row, px/s.

    Returns:
        Its speed and side as `TaughtMotion` has them; None where nothing moves.
    """
    labels = seen.blobs.labels[frame]
    inside = labels[cells & (labels > 0)]
    if not len(inside):
        return None
    blob = int(np.bincount(inside).argmax())
    here = cells & (labels == blob)
    speeds = (seen.motion.speed[frame] / usual[:, None])[here]
    side = float(seen.blobs.side[blob - 1] / usual[seen.blobs.foot[blob - 1]])
    return float(np.quantile(speeds, 0.9)), side


def taught_motion(normal: bool, seen: Sequence[tuple[float, float]]) -> TaughtMotion:
    """Makes one motion of what was measured at the marks of one name."""
    speeds, sides = zip(*seen, strict=True)
    return TaughtMotion(
        normal,
        (min(speeds) / _FASTER, max(speeds) * _FASTER),
        (min(sides) / _WIDER, max(sides) * _WIDER),
    )


def apply_taught(
    excess: NDArray[np.float32],
    names: Sequence[str],
    taught: Sequence[TaughtMotion],
    seen: Observation,
    usual: NDArray[np.float32] | None,
) -> NDArray[np.float32]:
    """Quiets what is alike to motion taught as normal, then lets taught abnormal motion speak.

    Args:
        excess: float32 [A, n, R, C], 1 = at the limit of the usual.
        names: of the A attributes.
        taught: the lessons; those about objects that stand still say nothing.
        seen: the frames.
        usual: float32 [R], usual speed a row; None where nothing is known.
    """
    if usual is None or not taught:
        return excess
    moved = excess.copy()
    for lesson in sorted(taught, key=lambda one: not one.normal):
        alike = lesson.alike(seen, usual)
        if lesson.normal:
            moved = quieted(moved, names, alike)
        elif ATTRIBUTE in names:
            at = list(names).index(ATTRIBUTE)
            moved[at] = np.where(alike, np.maximum(moved[at], _LOUD), moved[at])
    return np.asarray(moved, np.float32)


def quieted(
    excess: NDArray[np.float32], names: Sequence[str], where: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Keeps what moves somewhere well below the limit.

    Args:
        excess: float32 [A, n, R, C], 1 = at the limit of the usual.
        names: of the A attributes; those about objects that stand still are left as they are.
        where: bool [n, R, C].
    """
    moving = np.array([name not in _STANDING for name in names])
    quiet = where[None] & moving[:, None, None, None]
    return np.where(quiet, np.minimum(excess, _QUIET), excess)


def moving_there(seen: Observation, where: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Returns the cells, bool [n, R, C], of everything that moves and of which a part lies there.

    Args:
        seen: the frames.
        where: bool [n, R, C].
    """
    labels = seen.blobs.labels
    count = int(labels.max(initial=0)) + 1
    inside = np.bincount(labels[where], minlength=count)
    whole = np.maximum(np.bincount(labels.ravel(), minlength=count), 1)
    there = inside >= _PART * whole
    there[0] = False
    return np.asarray(maximum_filter(there[labels], (1, 3, 3)), np.bool_)
