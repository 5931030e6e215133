"""Motion rules: what moves and measures like the marked targets is usual, or is not.

A marked target is described by how fast it moves, in multiples of the usual speed of its row, and
by the side of its blob, in seconds of that speed. Both grow with a person's size in the frame, so
that a target is recognised nearer to the camera or farther away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

from engine.core.errors import BadInputError
from engine.detectors.scene.attributes.attribute import Attribute
from engine.detectors.scene.attributes.speed import Speed
from engine.detectors.scene.observation import Observation

# Choices; docs/experiments/few-shot-teaching.md measures what teaching does with all of them.
_SIDE_TOLERANCE = 1.5  # Factor by which a like target may be smaller or larger than the marks.
_SPEED_TOLERANCE = 1.35  # Factor by which it may be slower or faster.
_MAX_SUPPRESSED = np.float32(0.7)  # Excess of suppressed motion at most: a score of 0.19.
_MIN_RAISED = np.float32(1.25)  # Excess of what a rule calls abnormal: a score of 0.71.
_MIN_INSIDE_SHARE = 0.25  # A target of which this share lies somewhere is there.
MIN_ABNORMAL_SPEED = 1.15  # In multiples of the usual: slower motion is told from none.


@dataclass(frozen=True)
class MotionRule:
    """Says that motion like that of the marked targets is usual, or that it stands out.

    Attributes:
        normal: whether it is usual; otherwise it stands out.
        speed: from, to, in multiples of the usual speed of its row.
        side: from, to, side of its blob in seconds of the usual speed of the row that it is on.
    """

    normal: bool
    speed: tuple[float, float]
    side: tuple[float, float]

    def as_json(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> MotionRule:
        """Restores what `as_json` gave.

        Raises:
            BadInputError: a value is missing or no number.
        """
        try:
            speed, side = ((float(a), float(b)) for a, b in (values["speed"], values["side"]))
            return cls(bool(values["normal"]), speed, side)
        except (KeyError, TypeError, ValueError) as error:
            raise BadInputError("a taught motion is damaged", str(error), "teach again") from error

    def matches(
        self, observation: Observation, usual_speed: NDArray[np.float32]
    ) -> NDArray[np.bool_]:
        """Returns where something moves and measures like it, bool [n, R, C].

        Args:
            observation: n frames.
            usual_speed: float32 [R], px/s by row.
        """
        blobs = observation.blobs
        speed = observation.motion.speed / usual_speed[None, :, None]
        side = np.concatenate([[0], blobs.side / usual_speed[blobs.foot]])[blobs.labels]
        min_speed = 0.0 if self.normal else self.speed[0]
        fits = (speed >= min_speed) & (speed <= self.speed[1])
        fits &= (side >= self.side[0]) & (side <= self.side[1])
        return np.asarray(maximum_filter(fits, (1, 3, 3)), np.bool_)


def measure_motion(
    observation: Observation,
    frame: int,
    cells: NDArray[np.bool_],
    usual_speed: NDArray[np.float32],
) -> tuple[float, float] | None:
    """Measures what moves in the marked cells of a frame.

    Args:
        observation: consecutive frames.
        frame: index among them.
        cells: bool [R, C], what was marked.
        usual_speed: float32 [R], px/s by row.

    Returns:
        Its speed and side in the units of `MotionRule`; None where nothing moves.
    """
    blobs = observation.blobs
    labels = blobs.labels[frame]
    inside = labels[cells & (labels > 0)]
    if not len(inside):
        return None
    blob = int(np.bincount(inside).argmax())
    speeds = (observation.motion.speed[frame] / usual_speed[:, None])[cells & (labels == blob)]
    side = float(blobs.side[blob - 1] / usual_speed[blobs.foot[blob - 1]])
    return float(np.quantile(speeds, 0.9)), side


def make_motion_rule(normal: bool, motions: Sequence[tuple[float, float]]) -> MotionRule:
    """Makes one rule of the speeds and sides that were measured at the marks of one name."""
    speeds, sides = zip(*motions, strict=True)
    return MotionRule(
        normal,
        (min(speeds) / _SPEED_TOLERANCE, max(speeds) * _SPEED_TOLERANCE),
        (min(sides) / _SIDE_TOLERANCE, max(sides) * _SIDE_TOLERANCE),
    )


def apply_motion_rules(
    excess: NDArray[np.float32],
    attributes: Sequence[Attribute],
    rules: Sequence[MotionRule],
    observation: Observation,
    usual_speed: NDArray[np.float32] | None,
) -> NDArray[np.float32]:
    """Suppresses motion that rules call normal, then lets motion that they call abnormal speak.

    Args:
        excess: float32 [A, n, R, C], 1 = at the limit of the usual.
        attributes: the A attributes; those that are not about motion stay as they are.
        rules: to apply; abnormal motion speaks through the attribute speed.
        observation: the n frames.
        usual_speed: float32 [R], px/s by row; None where nothing is known.
    """
    if usual_speed is None or not rules:
        return excess
    result = excess.copy()
    for rule in sorted(rules, key=lambda rule: not rule.normal):
        matches = rule.matches(observation, usual_speed)
        if rule.normal:
            result = suppress_motion(result, attributes, matches)
            continue
        for i, attribute in enumerate(attributes):
            if isinstance(attribute, Speed):
                result[i] = np.where(matches, np.maximum(result[i], _MIN_RAISED), result[i])
    return np.asarray(result, np.float32)


def suppress_motion(
    excess: NDArray[np.float32], attributes: Sequence[Attribute], where: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Holds the excess of motion in some cells well below the limit.

    Args:
        excess: float32 [A, n, R, C], 1 = at the limit of the usual.
        attributes: the A attributes; those that are not about motion stay as they are.
        where: bool [n, R, C].
    """
    is_motion = np.array([attribute.is_motion for attribute in attributes])
    suppressed = where[None] & is_motion[:, None, None, None]
    return np.where(suppressed, np.minimum(excess, _MAX_SUPPRESSED), excess)


def moving_targets(observation: Observation, where: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Returns the cells, bool [n, R, C], of every moving blob that lies partly in some cells.

    Args:
        observation: n frames.
        where: bool [n, R, C].
    """
    labels = observation.blobs.labels
    count = int(labels.max(initial=0)) + 1
    inside = np.bincount(labels[where], minlength=count)
    whole = np.maximum(np.bincount(labels.ravel(), minlength=count), 1)
    is_inside = inside >= _MIN_INSIDE_SHARE * whole
    is_inside[0] = False
    return np.asarray(maximum_filter(is_inside[labels], (1, 3, 3)), np.bool_)
